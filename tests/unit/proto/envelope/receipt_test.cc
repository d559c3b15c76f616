#include "proto/envelope/receipt.h"

#include <functional>
#include <set>

#include "proto/envelope/limits.h"
#include "proto/envelope/recall.h"
#include "proto/network/key_event.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

class ReceiptTest : public testing::Test {
 protected:
  absl::StatusOr<VerifiedReceipt> Verify(absl::string_view token) {
    return VerifyReceipt(token, keys_);
  }
  // A good receipt's payload, changed and signed again.
  absl::StatusOr<VerifiedReceipt> Changed(
      const std::function<void(Json&)>& change) {
    Json payload =
        VALUE_OF(PeekJwsPayload(SignReceipt(receipt_, key_), kReceiptBytesMax));
    change(payload);
    return Verify(SignJws(key_, kReceiptTyp, payload));
  }

  SigningKey key_ = SigningKey::Generate();
  Receipt receipt_{Fill(1),
                   Id("uls"),
                   Id("ong"),
                   kNoon,
                   VALUE_OF(EventId::FromBytes(Bytes(16, 2))),
                   ReceiptKind::kDelivered,
                   Fill(3),
                   LeafIndex(7)};
  KeyLookup keys_ = [this](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    if (kid == key_.verify_key().Thumbprint()) return key_.verify_key();
    return absl::PermissionDeniedError("unknown key");
  };
};

TEST_F(ReceiptTest, EveryKindIsReadBackAsSigned) {
  std::set<std::string> uris;
  for (const auto kind :
       {ReceiptKind::kDelivered, ReceiptKind::kUndecryptable,
        ReceiptKind::kOpened, ReceiptKind::kErased, ReceiptKind::kComplaint}) {
    receipt_.kind = kind;
    const std::string token = SignReceipt(receipt_, key_);
    const VerifiedReceipt verified = VALUE_OF(Verify(token));
    EXPECT_EQ(verified.receipt, receipt_);
    EXPECT_EQ(verified.kid, key_.verify_key().Thumbprint());
    EXPECT_EQ(VALUE_OF(PeekReceipt(token)), receipt_);
    uris.insert(EventUri(kind));
  }
  EXPECT_EQ(uris.size(), 5u);
  EXPECT_TRUE(uris.contains("https://amparo.example/events/delivered"));
}

TEST_F(ReceiptTest, NoCharacterOfItCanBeChanged) {
  const std::string token = SignReceipt(receipt_, key_);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(Verify(changed).ok()) << i;
  }
}

TEST_F(ReceiptTest, ASignatureByAnotherKeyIsRefused) {
  EXPECT_THAT(Verify(SignReceipt(receipt_, SigningKey::Generate())), kDenied);
}

TEST_F(ReceiptTest, MalformedPayloadsAreRefused) {
  const struct {
    const char* name;
    std::function<void(Json&)> change;
  } cases[] = {
      {"unknown key", [](Json& p) { p["exp"] = 1; }},
      {"no network", [](Json& p) { p.erase("net"); }},
      {"no time", [](Json& p) { p.erase("iat"); }},
      {"a time before all", [](Json& p) { p["iat"] = 0; }},
      {"a time as text", [](Json& p) { p["iat"] = "now"; }},
      {"several audiences", [](Json& p) { p["aud"] = Json::array({"ong"}); }},
      {"another kind of id",
       [](Json& p) { p["jti"] = "n-" + std::string(26, 'a'); }},
      {"no event", [](Json& p) { p["events"] = Json::object(); }},
      {"two events",
       [](Json& p) {
         p["events"][EventUri(ReceiptKind::kOpened)] =
             p["events"][EventUri(ReceiptKind::kDelivered)];
       }},
      {"unknown event",
       [](Json& p) {
         p["events"] = {{"https://amparo.example/events/read", Json::object()}};
       }},
      {"negative leaf",
       [](Json& p) {
         p["events"][EventUri(ReceiptKind::kDelivered)]["leaf"] = -1;
       }},
      {"more in the event",
       [](Json& p) {
         p["events"][EventUri(ReceiptKind::kDelivered)]["x"] = 1;
       }},
  };
  for (const auto& c : cases)
    EXPECT_THAT(Changed(c.change), kMalformed) << c.name;
  EXPECT_OK(Changed([](Json&) {}));
}

TEST_F(ReceiptTest, OneThatIsTooLargeIsRefused) {
  EXPECT_THAT(Verify(std::string(kReceiptBytesMax + 1, 'a')), kMalformed);
}

class RecallTest : public ReceiptTest {
 protected:
  Recall recall_{Fill(1), Id("ong"), EnvelopeId::New(), Fill(3), kNoon};
};

TEST_F(RecallTest, IsReadBackAsSigned) {
  const std::string token = SignRecall(recall_, key_);
  const VerifiedRecall verified = VALUE_OF(VerifyRecall(token, keys_));
  EXPECT_EQ(verified.recall, recall_);
  EXPECT_EQ(verified.kid, key_.verify_key().Thumbprint());
  EXPECT_EQ(VALUE_OF(PeekRecall(token)), recall_);
}

TEST_F(RecallTest, NoCharacterOfItCanBeChanged) {
  const std::string token = SignRecall(recall_, key_);
  for (size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(VerifyRecall(changed, keys_).ok()) << i;
  }
  EXPECT_THAT(VerifyRecall(SignRecall(recall_, SigningKey::Generate()), keys_),
              kDenied);
}

TEST_F(RecallTest, MalformedPayloadsAreRefused) {
  const Json good =
      VALUE_OF(PeekJwsPayload(SignRecall(recall_, key_), kReceiptBytesMax));
  const auto changed = [&](auto change) {
    Json payload = good;
    change(payload);
    return VerifyRecall(SignJws(key_, kRecallTyp, payload), keys_);
  };
  EXPECT_OK(changed([](Json&) {}));
  EXPECT_THAT(changed([](Json& p) { p["x"] = 1; }), kMalformed);
  EXPECT_THAT(changed([](Json& p) { p.erase("digest"); }), kMalformed);
  EXPECT_THAT(changed([](Json& p) { p["envelope_id"] = "n-"; }), kMalformed);
  EXPECT_THAT(changed([](Json& p) { p["iss"] = ""; }), kMalformed);
}

// One key signs all of them: only `typ` says what a document is.
TEST_F(RecallTest, NoDocumentPassesForOneOfAnotherKind) {
  const std::string receipt = SignReceipt(receipt_, key_);
  const std::string recall = SignRecall(recall_, key_);
  const std::string key_event = SignKeyEvent(
      KeyEvent{Fill(1), Id("ong"), 1, Digest(), Fill(3), KeyEventKind::kPrekey,
               OpeningKey::Generate().sealing_key(), kNoon,
               kNoon + absl::Hours(1)},
      key_);
  EXPECT_THAT(VerifyReceipt(recall, keys_), kDenied);
  EXPECT_THAT(VerifyReceipt(key_event, keys_), kDenied);
  EXPECT_THAT(VerifyRecall(receipt, keys_), kDenied);
  EXPECT_THAT(VerifyRecall(key_event, keys_), kDenied);
  EXPECT_THAT(PeekKeyEvent(receipt), kMalformed);
  EXPECT_THAT(PeekKeyEvent(recall), kMalformed);
  // Nor does the same payload under the other's typ.
  const Json payload = VALUE_OF(PeekJwsPayload(receipt, kReceiptBytesMax));
  EXPECT_THAT(VerifyRecall(SignJws(key_, kRecallTyp, payload), keys_),
              kMalformed);
}

TEST(Limits, OfKeysAreThoseOfTheirEvents) {
  EXPECT_EQ(kSigningKeyLife, kSigningKeyLifeMax);
  EXPECT_EQ(kPrekeyLife, kPrekeyLifeMax);
}

}  // namespace
}  // namespace amparo

#include "proto/network/key_event.h"

#include <functional>

#include "crypto/jws.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

class KeyEventTest : public testing::Test {
 protected:
  KeyEvent Sample(KeyEventKind kind) {
    KeyEvent event{Fill(1),
                   Id("ong"),
                   7,
                   Fill(2),
                   Fill(3),
                   kind,
                   agent_.verify_key(),
                   kNoon,
                   kNoon + absl::Hours(24)};
    if (kind == KeyEventKind::kPrekey)
      event.key = OpeningKey::Generate().sealing_key();
    return event;
  }
  // The payload of a good event of `kind`, changed and signed again.
  absl::StatusOr<KeyEvent> Changed(KeyEventKind kind,
                                   const std::function<void(Json&)>& change) {
    Json payload = VALUE_OF(PeekJwsPayload(
        SignKeyEvent(Sample(kind), identity_), kKeyEventBytesMax));
    change(payload);
    return PeekKeyEvent(SignJws(identity_, kKeyEventTyp, payload));
  }

  SigningKey identity_ = SigningKey::Generate();
  SigningKey agent_ = SigningKey::Generate();
};

TEST_F(KeyEventTest, EveryKindIsReadBackAsSigned) {
  for (const auto kind :
       {KeyEventKind::kSigning, KeyEventKind::kPrekey, KeyEventKind::kRevoke}) {
    const KeyEvent event = Sample(kind);
    const std::string document = SignKeyEvent(event, identity_);
    const KeyEvent again = VALUE_OF(PeekKeyEvent(document));
    EXPECT_EQ(again.net, event.net);
    EXPECT_EQ(again.member, event.member);
    EXPECT_EQ(again.seq, event.seq);
    EXPECT_EQ(again.prev_hash, event.prev_hash);
    EXPECT_EQ(again.charter_hash, event.charter_hash);
    EXPECT_EQ(again.kind, kind);
    EXPECT_EQ(again.key, event.key);
    EXPECT_EQ(again.from, event.from);
    EXPECT_EQ(again.until, event.until);
    EXPECT_EQ(VALUE_OF(PeekJwsKid(document)),
              identity_.verify_key().Thumbprint());
  }
}

TEST_F(KeyEventTest, MalformedPayloadsAreRefused) {
  const struct {
    const char* name;
    std::function<void(Json&)> change;
  } cases[] = {
      {"unknown key", [](Json& p) { p["x"] = 1; }},
      {"missing key", [](Json& p) { p.erase("charter_hash"); }},
      {"seq 0", [](Json& p) { p["seq"] = 0; }},
      {"seq as text", [](Json& p) { p["seq"] = "7"; }},
      {"unknown kind", [](Json& p) { p["kind"] = "identity"; }},
      {"a sealing key that signs",
       [](Json& p) { p["key"] = "x25519:" + std::string(43, 'A'); }},
      {"member id", [](Json& p) { p["member"] = "ONG"; }},
      {"upper-case hash",
       [](Json& p) { p["net"] = "sha256:" + std::string(64, 'A'); }},
      {"not a time", [](Json& p) { p["from"] = 5; }},
      {"no life", [](Json& p) { p["until"] = p["from"]; }},
      {"91 days",
       [](Json& p) {
         p["until"] =
             FormatUtc(kNoon + absl::Hours(90 * 24) + absl::Seconds(1));
       }},
  };
  for (const auto& c : cases)
    EXPECT_THAT(Changed(KeyEventKind::kSigning, c.change), kMalformed)
        << c.name;
  EXPECT_OK(Changed(KeyEventKind::kSigning, [](Json& p) {
    p["until"] = FormatUtc(kNoon + absl::Hours(90 * 24));
  }));
}

TEST_F(KeyEventTest, PrekeysAreForSevenDaysAndSealOnly) {
  EXPECT_OK(Changed(KeyEventKind::kPrekey, [](Json& p) {
    p["until"] = FormatUtc(kNoon + absl::Hours(7 * 24));
  }));
  EXPECT_THAT(Changed(KeyEventKind::kPrekey,
                      [](Json& p) {
                        p["until"] = FormatUtc(kNoon + absl::Hours(7 * 24) +
                                               absl::Seconds(1));
                      }),
              kMalformed);
  EXPECT_THAT(
      Changed(KeyEventKind::kPrekey,
              [&](Json& p) { p["key"] = agent_.verify_key().ToString(); }),
      kMalformed);
  EXPECT_THAT(
      Changed(KeyEventKind::kPrekey, [](Json& p) { p["key"] = "x25519:AAAA"; }),
      kMalformed);
  // Only a signing key can be vouched for.
  EXPECT_THAT(
      Changed(KeyEventKind::kPrekey, [](Json& p) { p["vouched"] = "a.b.c"; }),
      kMalformed);
}

TEST_F(KeyEventTest, AnotherTypIsNoKeyEvent) {
  const Json payload = VALUE_OF(
      PeekJwsPayload(SignKeyEvent(Sample(KeyEventKind::kSigning), identity_),
                     kKeyEventBytesMax));
  for (const char* typ : {"secevent+jwt", "amparo-recall+jwt", "jwt", ""})
    EXPECT_THAT(PeekKeyEvent(SignJws(identity_, typ, payload)), kMalformed);
}

TEST_F(KeyEventTest, OneThatIsTooLargeIsRefused) {
  KeyEvent event = Sample(KeyEventKind::kSigning);
  event.vouched_by_old = std::string(kKeyEventBytesMax, 'a');
  EXPECT_THAT(PeekKeyEvent(SignKeyEvent(event, identity_)), kMalformed);
  EXPECT_THAT(PeekKeyEvent(""), kMalformed);
}

TEST_F(KeyEventTest, AVouchHoldsForItsOwnEventOnly) {
  const SigningKey old_key = SigningKey::Generate();
  KeyEvent event = Sample(KeyEventKind::kSigning);
  EXPECT_THAT(VerifyVouch(event, old_key.verify_key()), kDenied);
  event.vouched_by_old = VouchForKey(event, old_key);
  EXPECT_OK(VerifyVouch(event, old_key.verify_key()));
  EXPECT_THAT(VerifyVouch(event, identity_.verify_key()), kDenied);

  const auto moved = [&](auto change) {
    KeyEvent other = event;
    change(other);
    return VerifyVouch(other, old_key.verify_key());
  };
  EXPECT_THAT(moved([](KeyEvent& e) { e.net = Fill(9); }), kDenied);
  EXPECT_THAT(moved([](KeyEvent& e) { e.member = Id("gnr"); }), kDenied);
  EXPECT_THAT(moved([](KeyEvent& e) { e.seq = 8; }), kDenied);
  EXPECT_THAT(moved([&](KeyEvent& e) { e.key = identity_.verify_key(); }),
              kDenied);
}

TEST_F(KeyEventTest, AKeyEventIsNoVouch) {
  KeyEvent event = Sample(KeyEventKind::kSigning);
  event.vouched_by_old = SignKeyEvent(event, agent_);
  EXPECT_THAT(VerifyVouch(event, agent_.verify_key()), kDenied);
}

}  // namespace
}  // namespace amparo

#include "proto/content/payload.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "crypto/random.h"
#include "gtest/gtest.h"
#include "proto/content/codes.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/limits.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

Payload MakePayload() {
  Payload payload{.case_id = CaseId::New(), .event_id = EventId::New()};
  payload.kind = EventKind::kReferral;
  payload.purpose = "support";
  payload.first_contact = true;
  payload.salt = RandomArray<32>();
  payload.salt2 = RandomArray<32>();
  payload.document = "the document";
  payload.disclosures = {"one", "", "three"};
  payload.grants = {"g~a~"};
  payload.attachments.push_back(
      {Section::kHealth, Fill(1), Fill(2), SecretKeyBytes::Random(32)});
  payload.seen_size = 77;
  payload.seen_root = Fill(3);
  payload.origin = PayloadOrigin{
      Bytes{1, 2, 3}, RandomArray<64>(), RandomArray<32>(), LeafIndex(9),
      kNoon,          RandomArray<32>()};
  return payload;
}

TEST(PayloadTest, IsReadBackWhole) {
  const Payload payload = MakePayload();
  const SecretBuffer bytes = VALUE_OF(EncodePayload(payload));
  const Payload read = VALUE_OF(DecodePayload(bytes.Expose()));
  EXPECT_EQ(read.case_id, payload.case_id);
  EXPECT_EQ(read.event_id, payload.event_id);
  EXPECT_EQ(read.kind, payload.kind);
  EXPECT_EQ(read.purpose, "support");
  EXPECT_TRUE(read.first_contact);
  EXPECT_EQ(read.salt, payload.salt);
  EXPECT_EQ(read.salt2, payload.salt2);
  EXPECT_EQ(read.document, "the document");
  EXPECT_THAT(read.disclosures, ElementsAre("one", "", "three"));
  EXPECT_THAT(read.grants, ElementsAre("g~a~"));
  ASSERT_THAT(read.attachments, SizeIs(1));
  EXPECT_EQ(read.attachments[0].section, Section::kHealth);
  EXPECT_TRUE(EqualSecret(read.attachments[0].key.Expose(),
                          payload.attachments[0].key.Expose()));
  EXPECT_EQ(read.seen_size, 77u);
  EXPECT_EQ(read.seen_root, Fill(3));
  ASSERT_TRUE(read.origin.has_value());
  EXPECT_EQ(read.origin->leaf, LeafIndex(9));
  EXPECT_EQ(read.origin->leaf_time, kNoon);
  EXPECT_EQ(read.origin->signature, payload.origin->signature);
}

TEST(PayloadTest, OneValueHasOneEncoding) {
  const SecretBuffer bytes = VALUE_OF(EncodePayload(MakePayload()));
  const Payload read = VALUE_OF(DecodePayload(bytes.Expose()));
  EXPECT_TRUE(Equal(VALUE_OF(EncodePayload(read)).Expose(), bytes.Expose()));
}

TEST(PayloadTest, EveryTruncationAndEveryTrailingByteIsRefused) {
  const SecretBuffer buffer = VALUE_OF(EncodePayload(MakePayload()));
  Bytes bytes = ToBytes(buffer.Expose());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_THAT(DecodePayload(ByteView(bytes).first(size)),
                StatusIs(absl::StatusCode::kInvalidArgument));
  bytes.push_back(0);
  EXPECT_THAT(DecodePayload(bytes),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PayloadTest, AChangedByteIsRefusedOrReadAsItStands) {
  const SecretBuffer buffer = VALUE_OF(EncodePayload(MakePayload()));
  for (size_t i = 0; i < buffer.size(); ++i) {
    Bytes bytes = ToBytes(buffer.Expose());
    bytes[i] ^= 0x40;
    const auto read = DecodePayload(bytes);
    if (!read.ok()) continue;
    EXPECT_TRUE(Equal(VALUE_OF(EncodePayload(*read)).Expose(), bytes)) << i;
  }
}

TEST(PayloadTest, KindDecidesWhatBelongsInIt) {
  Payload payload = MakePayload();
  payload.case_id = std::nullopt;
  EXPECT_FALSE(EncodePayload(payload).ok());
  payload = MakePayload();
  payload.purpose = "";
  EXPECT_FALSE(EncodePayload(payload).ok());
  payload = MakePayload();
  payload.purpose = "gossip";
  EXPECT_FALSE(EncodePayload(payload).ok());
  payload = MakePayload();
  payload.kind = EventKind::kAccepted;  // with purpose and attachment
  EXPECT_FALSE(EncodePayload(payload).ok());
  Payload heartbeat{.event_id = EventId::New(), .kind = EventKind::kHeartbeat};
  EXPECT_OK(EncodePayload(heartbeat));
  heartbeat.case_id = CaseId::New();
  EXPECT_FALSE(EncodePayload(heartbeat).ok());
}

TEST(PayloadTest, LimitsHold) {
  const auto refused = [](const Payload& payload) {
    return ErrorCodeOf(EncodePayload(payload).status()) == "too_large";
  };
  Payload payload = MakePayload();
  payload.disclosures.assign(kDisclosuresMax, "d");
  EXPECT_FALSE(refused(payload));
  payload.disclosures.push_back("d");
  EXPECT_TRUE(refused(payload));
  payload = MakePayload();
  payload.grants.assign(kGrantsMax + 1, "g");
  EXPECT_TRUE(refused(payload));
  payload = MakePayload();
  payload.document.assign(kDocumentBytesMax + 1, 'x');
  EXPECT_TRUE(refused(payload));
  payload = MakePayload();
  payload.disclosures.assign(8, std::string(140000, 'x'));
  EXPECT_TRUE(refused(payload));
}

TEST(PayloadTest, TheAnchorBindsDocumentDisclosuresAndGrants) {
  const auto changed = [](const std::function<void(Payload&)>& change) {
    Payload payload = VALUE_OF(
        DecodePayload(VALUE_OF(EncodePayload(MakePayload())).Expose()));
    const Digest before = AnchorOf(payload);
    change(payload);
    return AnchorOf(payload) != before;
  };
  EXPECT_TRUE(changed([](Payload& p) { p.document += "x"; }));
  EXPECT_TRUE(changed([](Payload& p) { p.disclosures.pop_back(); }));
  EXPECT_TRUE(changed(
      [](Payload& p) { std::swap(p.disclosures[0], p.disclosures[1]); }));
  EXPECT_TRUE(changed([](Payload& p) { p.grants.clear(); }));
  EXPECT_TRUE(changed([](Payload& p) { std::swap(p.disclosures, p.grants); }));
  EXPECT_TRUE(changed([](Payload& p) { p.salt[0] ^= 1; }));
  EXPECT_TRUE(changed([](Payload& p) { p.salt2[0] ^= 1; }));
}

TEST(EventKinds, HaveNamesBothWays) {
  for (int i = 0; i <= static_cast<int>(EventKind::kComplaint); ++i) {
    const auto kind = static_cast<EventKind>(i);
    EXPECT_EQ(ParseEventKind(NameOf(kind)), kind);
  }
  EXPECT_EQ(ParseEventKind("redirected"), std::nullopt);
}

}  // namespace
}  // namespace amparo

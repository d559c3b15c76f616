#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"
#include "tests/unit/proto/envelope/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);

std::vector<AuditEvent> EveryKind() {
  const Envelope envelope = SampleEnvelope(SigningKey::Generate());
  return {EnvelopeEvent{envelope.header_bytes, Fill(1), envelope.signature},
          AnchorEvent{Bytes{1, 2}, envelope.signature},
          ReceiptEvent{"a.b.c"},
          RecallEvent{"a.b.c"},
          ExpiryEvent{Fill(2)},
          ErasureEvent{"a.b.c"},
          AccessLogEvent{"note\n"}};
}

TEST(AuditEvent, EveryKindIsGivenBackAsEncoded) {
  const std::vector<std::string> names = {"envelope",
                                          "anchor",
                                          "receipt",
                                          "recall",
                                          "expiry",
                                          "erasure",
                                          "access_log_checkpoint"};
  const std::vector<AuditEvent> events = EveryKind();
  ASSERT_EQ(events.size(), std::variant_size_v<AuditEvent>);
  for (size_t i = 0; i < events.size(); ++i) {
    const Bytes bytes = EncodeAuditEvent(events[i]);
    EXPECT_EQ(bytes[0], i + 1);
    EXPECT_EQ(std::string(NameOf(events[i])), names[i]);
    const AuditEvent again = VALUE_OF(DecodeAuditEvent(bytes));
    EXPECT_EQ(again.index(), i);
    EXPECT_EQ(EncodeAuditEvent(again), bytes);
  }
}

TEST(AuditEvent, HasTheBytesThatTheProtocolWritesDown) {
  EXPECT_EQ(ToHex(EncodeAuditEvent(ReceiptEvent{"a.b"})),
            "03"
            "00000003"
            "612e62");
  Signature signature;
  signature.fill(0xee);
  EXPECT_EQ(ToHex(EncodeAuditEvent(AnchorEvent{Bytes{1}, signature})),
            "02"
            "00000001"
            "01"
            "00000040" +
                std::string([] {
                  std::string text;
                  for (int i = 0; i < 64; ++i) text += "ee";
                  return text;
                }()));
}

TEST(AuditEvent, EveryCutAndEveryTrailingByteIsRefused) {
  for (const AuditEvent& event : EveryKind()) {
    Bytes bytes = EncodeAuditEvent(event);
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THAT(DecodeAuditEvent(ByteView(bytes).first(size)), kMalformed);
    bytes.push_back(0);
    EXPECT_THAT(DecodeAuditEvent(bytes), kMalformed);
  }
}

TEST(AuditEvent, UnknownKindsEmptyAndOversizedFieldsAreRefused) {
  EXPECT_THAT(DecodeAuditEvent(Bytes{0}), kMalformed);
  EXPECT_THAT(DecodeAuditEvent(Bytes{8, 0, 0, 0, 1, 'a'}), kMalformed);
  EXPECT_THAT(DecodeAuditEvent(Bytes{3, 0, 0, 0, 0}), kMalformed);
  EXPECT_THAT(DecodeAuditEvent(Bytes{3, 0xff, 0xff, 0xff, 0xff}), kMalformed);
  const auto receipt = [](size_t size) {
    return DecodeAuditEvent(
        EncodeAuditEvent(ReceiptEvent{std::string(size, 'a')}));
  };
  EXPECT_OK(receipt(kReceiptBytesMax));
  EXPECT_THAT(receipt(kReceiptBytesMax + 1), kMalformed);
  EXPECT_OK(DecodeAuditEvent(
      EncodeAuditEvent(ErasureEvent{std::string(kOpeningBytesMax - 5, 'a')})));
  EXPECT_THAT(DecodeAuditEvent(EncodeAuditEvent(
                  ErasureEvent{std::string(kOpeningBytesMax - 4, 'a')})),
              kMalformed);
}

TEST(LeafCommitment, IsTheHashThatTheProtocolWritesDown) {
  Bytes bytes{14};
  Append(bytes, AsBytes("amparo/v1/leaf"));
  Append(bytes, Bytes(32, 1));
  Append(bytes, Bytes{0, 0, 0, 0, 0, 0, 0, 2, 0xab, 0xcd});
  EXPECT_EQ(LeafCommitment(Bytes(32, 1), Bytes{0xab, 0xcd}), Sha256(bytes));
}

}  // namespace
}  // namespace amparo

#include "proto/envelope/log_entry.h"

#include "crypto/tile.h"
#include "proto/envelope/limits.h"
#include "proto/network/key_event.h"
#include "proto/network/suspension.h"
#include "tests/unit/proto/envelope/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

const LogEntry kEntries[] = {
    {kNoon, CommitmentEntry{Fill(1)}},
    {kNoon, CharterEntry{2, Fill(2)}},
    {kNoon, KeyEventEntry{"a.b.c"}},
    {kNoon, SuspensionEntry{"{}"}},
};

TEST(LogEntry, GivesBackWhatWasEncoded) {
  for (const LogEntry& entry : kEntries)
    EXPECT_EQ(VALUE_OF(DecodeLogEntry(EncodeLogEntry(entry))), entry);
}

TEST(LogEntry, HasTheBytesThatTheProtocolWritesDown) {
  EXPECT_EQ(ToHex(EncodeLogEntry(kEntries[0])),
            "01"
            "000000006b0187c0"
            "0101010101010101010101010101010101010101010101010101010101010101");
  EXPECT_EQ(ToHex(EncodeLogEntry(kEntries[1])),
            "02"
            "000000006b0187c0"
            "01"
            "0000000000000002"
            "0202020202020202020202020202020202020202020202020202020202020202");
  EXPECT_EQ(ToHex(EncodeLogEntry(kEntries[2])),
            "02"
            "000000006b0187c0"
            "02"
            "612e622e63");
  EXPECT_EQ(ToHex(EncodeLogEntry(kEntries[3])),
            "02"
            "000000006b0187c0"
            "03"
            "7b7d");
}

TEST(LogEntry, EveryCutAndEveryAddedByteOfAFixedSizeEntryIsRefused) {
  for (const LogEntry& entry : {kEntries[0], kEntries[1]}) {
    Bytes bytes = EncodeLogEntry(entry);
    for (size_t size = 0; size < bytes.size(); ++size)
      EXPECT_THAT(DecodeLogEntry(ByteView(bytes).first(size)), kMalformed);
    bytes.push_back(0);
    EXPECT_THAT(DecodeLogEntry(bytes), kMalformed);
  }
}

TEST(LogEntry, UnknownKindsClassesTimesAndVersionsAreRefused) {
  const auto with = [](const LogEntry& entry, size_t at, uint8_t byte) {
    Bytes bytes = EncodeLogEntry(entry);
    bytes[at] = byte;
    return DecodeLogEntry(bytes);
  };
  EXPECT_THAT(with(kEntries[0], 0, 0x00), kMalformed);
  EXPECT_THAT(with(kEntries[0], 0, 0x03), kMalformed);
  EXPECT_THAT(with(kEntries[0], 1, 0xff), kMalformed);  // time beyond year 9999
  EXPECT_THAT(with(kEntries[1], 9, 0x00), kMalformed);
  EXPECT_THAT(with(kEntries[1], 9, 0x04), kMalformed);
  EXPECT_THAT(with(kEntries[1], 17, 0x00), kMalformed);  // version 0
}

TEST(LogEntry, DocumentsHaveTheirLimits) {
  const auto decoded = [](auto content) {
    return DecodeLogEntry(EncodeLogEntry({kNoon, content}));
  };
  EXPECT_OK(decoded(KeyEventEntry{std::string(kKeyEventBytesMax, 'a')}));
  EXPECT_THAT(decoded(KeyEventEntry{std::string(kKeyEventBytesMax + 1, 'a')}),
              kMalformed);
  EXPECT_THAT(decoded(KeyEventEntry{""}), kMalformed);
  EXPECT_OK(decoded(SuspensionEntry{std::string(kSuspensionBytesMax, 'a')}));
  EXPECT_THAT(
      decoded(SuspensionEntry{std::string(kSuspensionBytesMax + 1, 'a')}),
      kMalformed);
  EXPECT_LT(kSuspensionBytesMax + 10, kEntryBytesMax);
  EXPECT_LT(kKeyEventBytesMax + 10, kEntryBytesMax);
}

class LeafReceiptTest : public testing::Test {
 protected:
  LeafReceiptTest() {
    receipt_.signature = SignLeafReceipt(
        log_key_, Fill(1), receipt_.leaf,
        {kNoon, CommitmentEntry{LeafCommitment(receipt_.salt, event_)}});
  }
  absl::StatusOr<LogEntry> Verify(const LeafReceipt& receipt) {
    return VerifyLeafReceipt(receipt, Fill(1), event_, log_key_.verify_key());
  }

  SigningKey log_key_ = SigningKey::Generate();
  Bytes event_{1, 2, 3};
  LeafReceipt receipt_{LeafIndex(7), kNoon, Bytes(32, 5), {}};
};

TEST_F(LeafReceiptTest, PromisesTheEntryThatStandsInTheLog) {
  const LogEntry entry = VALUE_OF(Verify(receipt_));
  EXPECT_EQ(entry.time, kNoon);
  EXPECT_EQ(std::get<CommitmentEntry>(entry.content).commitment,
            LeafCommitment(receipt_.salt, event_));
}

TEST_F(LeafReceiptTest, NoPartOfItCanBeChanged) {
  LeafReceipt other_leaf = receipt_;
  other_leaf.leaf = LeafIndex(8);
  EXPECT_THAT(Verify(other_leaf), kDenied);
  LeafReceipt other_time = receipt_;
  other_time.time += absl::Seconds(1);
  EXPECT_THAT(Verify(other_time), kDenied);
  LeafReceipt other_salt = receipt_;
  other_salt.salt[0] ^= 1;
  EXPECT_THAT(Verify(other_salt), kDenied);
  LeafReceipt other_signature = receipt_;
  other_signature.signature[3] ^= 1;
  EXPECT_THAT(Verify(other_signature), kDenied);
  EXPECT_THAT(
      VerifyLeafReceipt(receipt_, Fill(2), event_, log_key_.verify_key()),
      kDenied);
  EXPECT_THAT(VerifyLeafReceipt(receipt_, Fill(1), Bytes{1, 2, 4},
                                log_key_.verify_key()),
              kDenied);
  EXPECT_THAT(VerifyLeafReceipt(receipt_, Fill(1), event_,
                                SigningKey::Generate().verify_key()),
              kDenied);
}

TEST_F(LeafReceiptTest, ASaltOfAnotherSizeIsRefused) {
  receipt_.salt.push_back(0);
  EXPECT_THAT(Verify(receipt_), kDenied);
  receipt_.salt.clear();
  EXPECT_THAT(Verify(receipt_), kDenied);
}

}  // namespace
}  // namespace amparo

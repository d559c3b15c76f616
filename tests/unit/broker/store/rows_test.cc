#include "broker/store/rows.h"

#include <string>
#include <vector>

#include "base/clock.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

const MemberId kA = *MemberId::Parse("clinic-a");
const MemberId kB = *MemberId::Parse("clinic-b");
const absl::Time kTime = TimeFromUnix(1795262400);

TEST(Rows, ReadBackWhatWasWritten) {
  const RecordRow record{{LeafIndex(7), Sha256("digest"), EnvelopeId::New(), kA,
                          kB, kTime, EnvelopeState::kRecalled},
                         LeafIndex(9),
                         Sha256("event")};
  const RecordRow read = VALUE_OF(DecodeRecord(AsText(EncodeRecord(record))));
  EXPECT_EQ(read.record.leaf, record.record.leaf);
  EXPECT_EQ(read.record.digest, record.record.digest);
  EXPECT_EQ(read.record.envelope_id, record.record.envelope_id);
  EXPECT_EQ(read.record.sender, kA);
  EXPECT_EQ(read.record.recipient, kB);
  EXPECT_EQ(read.record.expires, kTime);
  EXPECT_EQ(read.record.state, EnvelopeState::kRecalled);
  EXPECT_EQ(read.settled_leaf, LeafIndex(9));
  EXPECT_EQ(read.settled_digest, Sha256("event"));

  const Opening opening = VALUE_OF(DecodeOpening(
      LeafIndex(3),
      AsText(EncodeOpening({kA, kB}, Bytes(32, 5), Bytes{1, 2, 3}))));
  EXPECT_EQ(opening.parties, (std::vector<MemberId>{kA, kB}));
  EXPECT_EQ(opening.salt, Bytes(32, 5));
  EXPECT_EQ(opening.event, (Bytes{1, 2, 3}));

  Bytes envelope = {10, 11, 12};
  Append(envelope, EnvelopeTail(Bytes{7, 8}));
  const SealedBody body = VALUE_OF(DecodeEnvelopeRow(ToText(envelope)));
  EXPECT_EQ(ToBytes(body.ciphertext), (Bytes{10, 11, 12}));
  EXPECT_EQ(body.enc, (Bytes{7, 8}));
}

TEST(Rows, CallEveryTruncatedRowDamaged) {
  const RecordRow record{{LeafIndex(7),
                          {},
                          EnvelopeId::New(),
                          kA,
                          kB,
                          kTime,
                          EnvelopeState::kPending},
                         {},
                         {}};
  const std::string row = ToText(EncodeRecord(record));
  for (size_t size = 0; size < row.size(); ++size)
    EXPECT_THAT(DecodeRecord(row.substr(0, size)),
                StatusIs(StatusCode::kDataLoss))
        << size;
  EXPECT_THAT(DecodeRecord(row + "x"), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(DecodeRequest("short"), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(DecodeMailbox(std::string(9, '\0')),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(DecodeOpening(LeafIndex(0), "\x01"),
              StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(DecodeEnvelopeRow("\xff\xff"), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(DecodeHead("x"), StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(DecodeInvitation("x"), StatusIs(StatusCode::kDataLoss));
}

TEST(Rows, SortKeysAsTheirNumbers) {
  EXPECT_LT(NumberKey(255), NumberKey(256));
  EXPECT_LT(MailboxKey(kA, LeafIndex(255)), MailboxKey(kA, LeafIndex(256)));
  EXPECT_LT(ExpiryKey(kTime, LeafIndex(9)),
            ExpiryKey(kTime + absl::Seconds(1), LeafIndex(0)));
}

TEST(Rows, KeepMailboxesApartWhoseNamesBeginAlike) {
  const MemberId longer = *MemberId::Parse("clinic-a-b");
  const std::string end = MailboxEnd(kA.text());
  EXPECT_LT(MailboxKey(kA, LeafIndex(~uint64_t{0})), end);
  EXPECT_LT(end, MailboxKey(longer, LeafIndex(0)));
  EXPECT_EQ(VALUE_OF(DecodeMailboxKey(MailboxKey(kA, LeafIndex(5)))).member,
            kA.text());
}

}  // namespace
}  // namespace amparo::broker

#include "broker/core/retention.h"

#include <future>
#include <utility>
#include <vector>

#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

constexpr uint32_t kSweepMax = 4096;

Op ExpiryOf(const EnvelopeRecord& record) {
  Op op;
  op.action = Settle{record.leaf, record.digest, EnvelopeEventKind::kExpired};
  op.event = EncodeAuditEvent(ExpiryEvent{record.digest});
  return op;
}

}  // namespace

Retention::Retention(Store& store, Ledger& ledger,
                     const RetentionPeriods& periods, const Clock& clock)
    : store_(store), ledger_(ledger), periods_(periods), clock_(clock) {}

absl::StatusOr<bool> Retention::Step() {
  ASSIGN_OR_RETURN(const size_t expired, ExpireEnvelopes());
  const absl::Time now = clock_.Now();
  ASSIGN_OR_RETURN(const LeafIndex notices_end,
                   store_.FirstLeafAt(now - periods_.message));
  ASSIGN_OR_RETURN(const uint32_t notices,
                   store_.SweepNotices(notices_end, kSweepMax));
  ASSIGN_OR_RETURN(const LeafIndex openings_end,
                   store_.FirstLeafAt(now - periods_.opening));
  ASSIGN_OR_RETURN(const uint32_t openings,
                   store_.SweepOpenings(openings_end, kSweepMax));
  return expired == kCommitBatchMax || notices == kSweepMax ||
         openings == kSweepMax;
}

absl::StatusOr<size_t> Retention::ExpireEnvelopes() {
  ASSIGN_OR_RETURN(const std::vector<EnvelopeRecord> expired,
                   store_.Expired(clock_.Now(), kCommitBatchMax));
  std::vector<std::future<absl::Status>> answers;
  for (const EnvelopeRecord& record : expired) {
    auto answer = std::make_shared<std::promise<absl::Status>>();
    answers.push_back(answer->get_future());
    ledger_.Submit([record](const Network&) { return ExpiryOf(record); },
                   [answer](const absl::StatusOr<LeafReceipt>& receipt) {
                     answer->set_value(receipt.status());
                   });
  }
  absl::Status failure;
  for (std::future<absl::Status>& answer : answers) {
    const absl::Status status = answer.get();
    // Delivered or recalled in the last moment: it need not expire.
    if (!status.ok() && !absl::IsFailedPrecondition(status)) failure = status;
  }
  RETURN_IF_ERROR(failure);
  return expired.size();
}

}  // namespace amparo::broker

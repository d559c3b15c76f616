#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "broker/core/ledger.h"
#include "broker/store/store.h"

namespace amparo::broker {

struct RetentionPeriods {
  absl::Duration message = absl::Hours(14 * 24);  // notices in mailboxes
  absl::Duration opening = absl::Hours(3650 * 24);
};

// Lets go of what the broker need not keep: logs the expiry of envelopes whose
// time ran out and deletes them, then old notices, then old openings.
// Ciphertexts go at delivery already. One thread at a time.
class Retention {
 public:
  // All must outlive it.
  Retention(Store& store, Ledger& ledger, const RetentionPeriods& periods,
            const Clock& clock);

  // A bounded piece of work; true when there may be more at once.
  absl::StatusOr<bool> Step();

 private:
  absl::StatusOr<size_t> ExpireEnvelopes();

  Store& store_;
  Ledger& ledger_;
  const RetentionPeriods periods_;
  const Clock& clock_;
};

}  // namespace amparo::broker

#pragma once

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/directory.h"
#include "broker/core/witness_book.h"
#include "crypto/digest.h"
#include "proto/envelope/envelope.h"
#include "proto/network/member.h"

namespace amparo::broker {

struct AdmissionLimits {
  size_t envelope_bytes_max = 1179648;
  uint64_t mailbox_envelopes_max = 100000;
  // So that no sender alone can keep the others' mail out.
  uint64_t sender_envelopes_max() const {
    return (mailbox_envelopes_max + 3) / 4;
  }
  uint32_t member_rate_per_s = 500;  // operations; so many may come at once
};

// Says whether the broker takes an envelope: only what its header shows, and
// its signature. Thread-safe.
class Admission {
 public:
  Admission(const AdmissionLimits& limits, const WitnessBook& witnesses,
            const Clock& clock);

  // Counts one operation of `member`. RESOURCE_EXHAUSTED when it does too much.
  absl::Status CountOperation(const MemberId& member);
  // The same for one reading of the log, of which a member may do as many
  // besides: who catches up with the log can still send.
  absl::Status CountReading(const MemberId& member);

  // Everything but the signature: peer is the sender and active, sizes, network
  // and suite, freshness, charter known, recipient active with a mailbox,
  // prekey known and not superseded for an hour, link_seq in its range. Times are
  // compared with the one that its leaf would bear: the clock's, or `log_time`,
  // that of the last leaf, if that is later.
  absl::Status CheckHeader(const Network& network, const MemberId& peer,
                           const Envelope& envelope, absl::Time log_time) const;
  // By a signing key of the sender that is valid now. `body`: BodyDigest.
  absl::Status CheckSignature(const Network& network, const Envelope& envelope,
                              const Digest& body) const;

  const AdmissionLimits& limits() const { return limits_; }

 private:
  absl::Status CheckKeyCounts(const Network& network,
                              const Header& header) const;

  struct Bucket {
    double tokens;
    absl::Time filled_at;
  };
  using Buckets = absl::flat_hash_map<MemberId, Bucket>;
  absl::Status Count(const MemberId& member, Buckets& buckets)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AdmissionLimits limits_;
  const WitnessBook& witnesses_;
  const Clock& clock_;
  Mutex mutex_;
  Buckets operations_ ABSL_GUARDED_BY(mutex_);
  Buckets readings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "broker/store/store.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "proto/network/charter.h"
#include "proto/network/key_directory.h"
#include "proto/network/member.h"

namespace amparo::broker {

// A charter's place in the log.
struct LoggedCharter {
  LeafIndex leaf;
  Digest hash;
};

// The network as the log's publications made it: who belongs, with which keys.
// Immutable.
struct Network {
  std::optional<AcceptedCharter> charter;  // newest; none before the first
  std::map<Digest, uint64_t> versions;     // of every charter, by hash
  std::vector<LoggedCharter> charters;     // every one, in order
  Digest root;                             // hash of charter 1
  KeyDirectory keys;
  uint64_t publications = 0;  // how many it was made from

  // A member that is active at `now`. PERMISSION_DENIED: "unknown_member" for
  // nobody's id, "member_suspended" for one that is not active.
  absl::StatusOr<const Member*> Active(const MemberId& id,
                                       absl::Time now) const;
  // Finds signing keys of `member` that are valid at `now` and a little later,
  // when its event will have its leaf. Refers to this object.
  KeyLookup SignerLookup(const MemberId& member, absl::Time now) const;
};

// Holds the current Network; replaces it whole when a publication is logged.
// Thread-safe; Apply by one thread, in leaf order.
class Directory {
 public:
  // From everything the store holds. DATA_LOSS when its charters do not follow
  // one another.
  static absl::StatusOr<std::unique_ptr<Directory>> Load(const Store& store);

  std::shared_ptr<const Network> Current() const;

  // A publication that does not hold (checked again here) changes nothing but
  // the count, as it does for every agent; the error says why.
  absl::Status Apply(const Publication& publication);

 private:
  Directory();

  mutable Mutex mutex_;
  std::shared_ptr<const Network> current_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

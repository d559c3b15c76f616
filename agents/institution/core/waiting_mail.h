#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/broker_port.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/network/member.h"

namespace amparo::agent {

// What of the mailbox cannot be judged before witnesses confirm what the log
// says of its sender's keys (docs/PROTOCOL.md, Receiving). As it came, sealed:
// nothing of it was acknowledged. It keeps nobody else's mail waiting.
// Thread-safe.
class WaitingMail {
 public:
  // So much of one sender: more than comes while a quorum is formed.
  static constexpr size_t kPerSenderMax = 256;
  static constexpr size_t kBytesPerSenderMax = size_t{16} << 20;
  // And of all: what waits may bear a name that nothing proves, and names cost
  // nothing.
  static constexpr size_t kMax = 4096;
  static constexpr size_t kBytesMax = size_t{64} << 20;

  // `kv`, encrypted at rest, must outlive this.
  static absl::StatusOr<std::unique_ptr<WaitingMail>> Open(KeyValue& kv);

  // Writes `item` together with `rows`. RESOURCE_EXHAUSTED, and nothing is
  // written, when so much of its sender, or of all, waits.
  absl::Status Keep(const MailboxItem& item, Batch rows);
  // Adds the removal to `rows`; call Forget once they are on disk.
  void Remove(LeafIndex leaf, Batch& rows) const;
  void Forget(LeafIndex leaf);

  struct Place {
    MemberId sender;
    LeafIndex leaf;
    absl::Time leaf_time;
  };
  // By sender, each in leaf order.
  std::vector<Place> Places() const;
  absl::StatusOr<MailboxItem> Find(LeafIndex leaf) const;

  // The prekeys that some of it is sealed to.
  std::set<Digest> Prekeys() const;
  uint32_t size() const;

 private:
  struct Summary {
    MemberId sender;
    absl::Time leaf_time;
    size_t bytes = 0;
    std::optional<Digest> prekey;
  };
  explicit WaitingMail(KeyValue& kv) : kv_(kv) {}

  KeyValue& kv_;
  mutable Mutex mutex_;
  std::map<LeafIndex, Summary> index_ ABSL_GUARDED_BY(mutex_);
};

// Whose word an item is, as it says itself; nullopt for the broker's own.
std::optional<MemberId> SenderOf(const MailboxItem& item);

}  // namespace amparo::agent

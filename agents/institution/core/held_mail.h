#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/content/codes.h"
#include "proto/content/payload.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo::agent {

// A message whose sender's key nobody vouches for yet. It was opened, since its
// prekey will be gone, and verified; it has no effect.
struct HeldMessage {
  LeafIndex leaf;
  absl::Time leaf_time;
  Bytes header_bytes;
  Digest digest;  // of the envelope
  Payload payload;
};

// Where a held message stands and under which key, without its content.
struct HeldPlace {
  LeafIndex leaf;
  absl::Time leaf_time;
  MemberId sender;
  Digest kid;
};

// What waits for one call to one member.
struct HeldFrom {
  MemberId member;
  uint32_t messages = 0;
  absl::Time since;
  std::optional<Priority> priority;  // the most pressing of its referrals
};

// Mail under one key that found no room, and was left for later: not opened,
// not acknowledged, and asked for again when the key is trusted.
struct HeldOverflow {
  MemberId sender;
  Digest kid;
  LeafIndex leaf;  // of the newest, and its time
  absl::Time leaf_time;
  uint64_t link_seq = 0;  // the highest
  bool asked = false;
};

// Mail that is held until an officer compares its sender's key words, or time
// and witnesses vouch for the key (docs/PROTOCOL.md, Receiving). Thread-safe.
class HeldMail {
 public:
  // So many under one key: whoever floods under a new one fills no disk.
  static constexpr size_t kPerKeyMax = 256;

  // `kv`, encrypted at rest, must outlive this.
  static absl::StatusOr<std::unique_ptr<HeldMail>> Open(KeyValue& kv);

  // Writes `message` together with `rows`. `priority`: that of a referral.
  absl::Status Hold(const HeldMessage& message,
                    std::optional<Priority> priority, Batch rows);
  // Adds the removal to `rows`; call Forget once they are on disk.
  void Remove(LeafIndex leaf, Batch& rows) const;
  void Forget(LeafIndex leaf);

  // Whether one more under this key may be held.
  bool HasRoom(const MemberId& sender, const Digest& kid) const;

  // Adds to `rows` that a message found no room, or what became of that, and
  // remembers it at once: too early hides too much, for a moment.
  void PutOverflow(const HeldOverflow& overflow, Batch& rows);
  // All of it came, or none will.
  void RemoveOverflow(const Digest& kid, Batch& rows);
  std::vector<HeldOverflow> Overflows() const;
  std::optional<HeldOverflow> OverflowOf(const Digest& kid) const;

  // In leaf order, oldest first.
  std::vector<HeldPlace> Places() const;
  absl::StatusOr<HeldMessage> Find(LeafIndex leaf) const;

  // One for each sender, by id.
  std::vector<HeldFrom> BySender() const;
  uint32_t size() const;
  // Whether a held message of `sender` may take consents of `id` back, or one
  // that found no room: until it is known, nothing that stands on them is shown.
  bool MayRevoke(const CaseId& id, const MemberId& sender) const;

 private:
  struct Summary {
    MemberId sender;
    Digest kid;
    absl::Time since;
    std::optional<Priority> priority;
    std::optional<CaseId> revokes;  // a case whose consents it may take back
  };
  explicit HeldMail(KeyValue& kv) : kv_(kv) {}
  absl::Status LoadOverflows();

  KeyValue& kv_;
  mutable Mutex mutex_;
  std::map<LeafIndex, Summary> index_ ABSL_GUARDED_BY(mutex_);
  std::map<Digest, HeldOverflow> overflows_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::agent

#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/network/charter.h"
#include "proto/network/key_directory.h"
#include "proto/network/member.h"

namespace amparo::agent {

// The network as the proven part of the log describes it, at one moment.
// Immutable.
struct Peers {
  AcceptedCharter charter;
  KeyDirectory keys;
  TreeSize size;                                  // of the log that was proven
  absl::Time newest_entry;                        // time of its last entry
  absl::Time charter_logged = absl::UnixEpoch();  // time of its leaf
  // The newest checkpoint with a quorum of witnesses, and when they cosigned
  // it; 0 and 1970 before the first, and in a network that asks for none.
  TreeSize witnessed_size{0};
  absl::Time witnessed_at = absl::UnixEpoch();
  // Charters and key events before this leaf are in `charter` and `keys`.
  LeafIndex enacted{0};
};

// The charter of `peers` as it stands at `now`: whom two governance keys keep
// suspended is suspended in it. Refers to `peers`.
std::shared_ptr<const Charter> CharterAt(std::shared_ptr<const Peers> peers,
                                         absl::Time now);

// Who the peers are and which of their keys may be used: charter, key events,
// and what officers confirmed by phone. Fed by LogWatch alone. Thread-safe.
class PeerBook {
 public:
  // `first`: charter version 1, pinned at join. `kv` must outlive the book.
  static absl::StatusOr<std::unique_ptr<PeerBook>> Open(KeyValue& kv,
                                                        AcceptedCharter first);

  std::shared_ptr<const Peers> Now() const;
  void Publish(Peers peers);

  // The member when it is active at `now`; NOT_FOUND (code "unknown_member") or
  // PERMISSION_DENIED (code "member_suspended").
  absl::StatusOr<Member> ActiveMember(const MemberId& id, absl::Time now) const;

  // The newest usable prekey of an active member with a mailbox, for sealing at
  // `now`. FAILED_PRECONDITION when it has none yet (the draft waits),
  // PERMISSION_DENIED (code "key_too_new") while nobody vouches for its keys.
  absl::StatusOr<PrekeyRecord> PrekeyFor(const MemberId& id,
                                         absl::Time now) const;

  // The words of the keys that `id` has now; empty while it has none.
  std::string KeyWordsOf(const MemberId& id) const;
  // An officer compared `words` with `id` by phone: the keys that they stand
  // for are trusted from now on. FAILED_PRECONDITION when those are not its
  // keys of now (code "conflict"), or it has none (code "invalid_state").
  absl::Status ConfirmKeys(const MemberId& id, absl::string_view words);
  bool KeysConfirmed(const MemberId& id) const;
  // OK when a message or grant signed under `kid` may count.
  absl::Status CheckTrust(const Peers& peers, const SignerRecord& signer) const;

 private:
  explicit PeerBook(KeyValue& kv) : kv_(kv) {}

  KeyValue& kv_;
  mutable Mutex mutex_;
  std::shared_ptr<const Peers> peers_ ABSL_GUARDED_BY(mutex_);
  std::set<Digest> confirmed_ ABSL_GUARDED_BY(mutex_);  // kids
};

}  // namespace amparo::agent

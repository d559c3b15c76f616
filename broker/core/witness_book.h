#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/directory.h"
#include "broker/core/inbox_feed.h"
#include "broker/store/store.h"
#include "crypto/note.h"
#include "proto/network/charter.h"

namespace amparo::broker {

// Gathers what witnesses say of the checkpoints that were shown, and keeps the
// newest with a quorum: that of the charter which agents have in force, and
// they take the next one only under the quorum of the one before it
// (docs/PROTOCOL.md, Witnesses). Nothing rests on this class: agents count the
// cosignatures themselves. Thread-safe.
class WitnessBook {
 public:
  // `watchers` are woken at each newer note with a quorum. All must outlive it.
  WitnessBook(Store& store, const Directory& directory, InboxFeed& watchers,
              const Clock& clock);

  // The log is about to show `note`, a checkpoint: witnesses may cosign it from
  // now on. The same one again asks them anew, as it is shown each hour; what
  // they said within half an hour still counts.
  void Show(const std::string& note);

  // A cosignature of member `witness` under the checkpoint of `size`: time u64
  // and Ed25519 signature (c2sp.org/tlog-cosignature). FAILED_PRECONDITION when
  // that size is not waited for (any more), PERMISSION_DENIED unless a charter
  // in force or to come names the witness and the signature is good.
  absl::Status Add(const MemberId& witness, TreeSize size,
                   ByteView cosignature);
  // The same of a witness that is no member, as its signature line has it.
  absl::Status AddOutside(const NoteSignature& cosignature, TreeSize size);
  // Whether a charter in force or to come names such a witness.
  bool KnowsOutsider(absl::string_view name) const;

  // The newest checkpoint with a quorum; `note` is empty before the first, and
  // while none is asked for.
  // `showing` grows with each newer one.
  struct Newest {
    std::string note;
    TreeSize size;
    uint64_t showing = 0;
  };
  Newest newest() const;
  // The checkpoint under which charter `version` came into force. NOT_FOUND
  // while none has, and when the charter before it asked for none.
  absl::StatusOr<std::string> ForCharter(uint64_t version) const;

  // From when on a publication counts that was logged at `leaf` at `logged_at`:
  // then; where a quorum is asked for, when it came; InfiniteFuture before.
  absl::Time CountsFrom(LeafIndex leaf, absl::Time logged_at) const;

 private:
  // A charter and where it was logged.
  struct Logged {
    LeafIndex leaf;
    Charter charter;
    std::vector<NoteVerifier> witnesses;
  };
  struct Cosigned {
    NoteSignature signature;
    absl::Time at;  // by the witness's clock
  };
  // By name and key hash.
  using Cosigners = std::map<std::pair<std::string, uint32_t>, Cosigned>;
  // A checkpoint that was shown.
  struct Round {
    Note note;
    Cosigners cosigners;
    uint64_t satisfied = 0;  // newest charter version whose quorum it had
  };
  struct Outcome {
    std::string note;
    TreeSize size;
    std::vector<uint64_t> versions;  // that come into force by it
  };

  void ReadCharters();
  absl::Status Take(const std::vector<NoteVerifier>& candidates, TreeSize size,
                    ByteView cosignature);
  static bool HasQuorum(const Round& round, const Logged& charter);
  std::optional<Outcome> Conclude(TreeSize size, Round& round)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status PublishWaiting();
  void Shown(Outcome outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const Directory& directory_;
  InboxFeed& watchers_;
  const Clock& clock_;
  mutable Mutex mutex_;
  // The one that agents have in force, then those that wait for a quorum.
  std::deque<Logged> charters_ ABSL_GUARDED_BY(mutex_);
  size_t charters_read_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<TreeSize, Round> rounds_ ABSL_GUARDED_BY(mutex_);
  // What is not stored yet, in order; one thread stores at a time.
  std::deque<Outcome> waiting_ ABSL_GUARDED_BY(mutex_);
  bool publishing_ ABSL_GUARDED_BY(mutex_) = false;
  Newest newest_ ABSL_GUARDED_BY(mutex_);
  // When the sizes of late were first seen with a quorum, oldest first.
  std::deque<std::pair<TreeSize, absl::Time>> since_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

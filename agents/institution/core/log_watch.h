#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/enactment.h"
#include "agents/institution/core/log_mirror.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "base/mutex.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "crypto/merkle.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {

// This agent's own copy of the log. Every checkpoint that the broker signs is
// followed by fetching what is new, hashing it, and comparing the root: so the
// copy is proven, consistent with everything seen before, and each entry's
// inclusion is certain. A smaller or different log is an alarm and changes
// nothing. Charters and key events take effect, in order, when they are proven;
// where the charter in force asks for a quorum, when that many of its witnesses
// cosigned a log that holds them.
// Follow and FollowWitnessed: one thread at a time. The rest: thread-safe.
class LogWatch {
 public:
  // All arguments must outlive this. Replays the charters and key events that
  // took effect into `peers`.
  static absl::StatusOr<std::unique_ptr<LogWatch>> Open(KeyValue& kv,
                                                        PeerBook& peers,
                                                        BrokerPort& broker,
                                                        Alarms& alarms,
                                                        const Clock& clock);

  // Follows the signed checkpoint `note`; on disk when it returns OK.
  // PERMISSION_DENIED when the log key did not sign it, DATA_LOSS (code
  // "forked" or "tampered") with an alarm when it contradicts this copy,
  // UNAVAILABLE when entries or a charter cannot be fetched.
  absl::Status Follow(const std::string& note);
  // The same for a checkpoint with cosignatures, of any size. Without a quorum
  // it changes nothing, and is OK.
  absl::Status FollowWitnessed(const std::string& note);
  // Follows the checkpoints under which charters came into force, one after the
  // other: for who was away while the log's key changed, and believes nothing
  // that the new one signs. OK when there is none.
  absl::Status FollowCharters();

  // Learns the log keys that the committee has named since the charter in
  // force, from the charters in the log of `note`: for a member that is new,
  // and for one whose log key left the charter while it was away. What nobody
  // but the committee can sign tells which log is the network's; when it takes
  // effect is for Follow. PERMISSION_DENIED when no key of its newest charter
  // signed `note`.
  absl::Status LearnLogKeys(const std::string& note);

  // The proven copy's size, and its root.
  TreeSize size() const;
  struct View {
    TreeSize size;
    Digest root;
  };
  View view() const;
  // The root that the log had at `size`; nullopt where that is not proven yet.
  std::optional<Digest> RootAt(TreeSize size) const;
  // OUT_OF_RANGE when `leaf` is not proven yet.
  absl::StatusOr<LogEntry> EntryAt(LeafIndex leaf) const;
  // OK when the proven entry at the receipt's leaf is the one it promised for
  // `event_bytes`; OUT_OF_RANGE when it is not proven yet; DATA_LOSS (code
  // "tampered"), with an alarm, when the log says something else.
  absl::Status CheckIncluded(const LeafReceipt& receipt,
                             ByteView event_bytes) const;
  // Keeps what opens the proven entry of `receipt`, an event of this member's or
  // about it, in the mirror. Nothing while told not to.
  void KeepOpening(const LeafReceipt& receipt, ByteView event_bytes,
                   Batch& rows) const;
  void KeepNoOpenings() { keeps_openings_ = false; }  // before all else
  // The newest checkpoint that the broker showed is of another log than this
  // copy.
  bool is_contradicted() const { return contradicted_; }
  // Whether the broker at the other end may be given anything: it has shown,
  // since Disconnected(), a checkpoint that was followed, and none that
  // contradicts this copy. What another one takes is lost with its log.
  bool MayGive() const { return followed_ && !contradicted_; }
  // Whoever answers next may be another broker, or the same with another disk.
  void Disconnected() { followed_ = false; }
  // Whether a charter, or a key event of `member`, stands before `leaf` that
  // `peers` knows nothing of, as it waits for a quorum: who was refused by
  // `peers` may be right then.
  bool AwaitsQuorum(const Peers& peers, const MemberId& member,
                    LeafIndex leaf) const;

  // Visits what is proven and waits for a quorum, in order, until `visit`
  // returns false.
  absl::Status ForEachWaiting(
      const Peers& peers,
      const std::function<bool(const OpenEntry&)>& visit) const;

  // True when the copy reached `size` within `timeout`.
  bool WaitFor(TreeSize size, absl::Duration timeout) const;

 private:
  LogWatch(KeyValue& kv, PeerBook& peers, BrokerPort& broker, Alarms& alarms,
           const Clock& clock);
  absl::Status Load();
  absl::StatusOr<Checkpoint> VerifyByLogKey(const std::string& note) const;
  absl::Status Contradicts(const std::string& note, const char* code);
  absl::Status Fetch(const std::string& note, TreeSize until,
                     CompactRange& range, absl::Time& newest);

  // The newest checkpoint that a quorum cosigned.
  struct Witnessed {
    Note note;
    TreeSize size;
    absl::Time at;  // median of the cosignatures
  };
  absl::StatusOr<Witnessed> VerifyWitnessed(const std::string& note);
  absl::StatusOr<bool> Adopt(Witnessed candidate);
  absl::Status FollowCharter(uint64_t version);
  bool CharterWaits(uint64_t version) const;

  // Below which leaf `charter` lets entries in the open take effect.
  LeafIndex EnactLimit(const AcceptedCharter& charter);
  absl::StatusOr<std::vector<OpenEntry>> OpenEntries(LeafIndex start,
                                                     LeafIndex end) const;
  absl::Status EnactPage(LeafIndex limit, bool again, Peers& peers,
                         Batch& rows);
  absl::Status Enact();

  KeyValue& kv_;
  PeerBook& peers_;
  BrokerPort& broker_;
  Alarms& alarms_;
  const Clock& clock_;
  const LogMirror mirror_;
  Enactment enactment_;
  bool keeps_openings_ = true;
  std::optional<Charter> to_come_;  // by LearnLogKeys; until it is in force
  std::atomic<bool> contradicted_ = false;
  std::atomic<bool> followed_ = false;
  // Of the following thread.
  std::optional<Witnessed> witnessed_;
  std::optional<Digest> witnessed_for_;  // charter under which it was counted

  mutable Mutex mutex_;
  mutable CondVar grown_;
  CompactRange range_ ABSL_GUARDED_BY(mutex_);
  absl::Time newest_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
};

}  // namespace amparo::agent

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/broker_port.h"
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
// nothing. Charters and key events take effect when they are proven.
// Follow: one thread at a time. The rest: thread-safe.
class LogWatch {
 public:
  // All arguments must outlive this. Replays the charters and key events that
  // are stored into `peers`.
  static absl::StatusOr<std::unique_ptr<LogWatch>> Open(KeyValue& kv,
                                                        PeerBook& peers,
                                                        BrokerPort& broker,
                                                        Alarms& alarms,
                                                        const Clock& clock);

  // Follows the signed checkpoint `note`. PERMISSION_DENIED when the log key
  // did not sign it, DATA_LOSS (code "forked" or "tampered") with an alarm when
  // it contradicts this copy, UNAVAILABLE when entries cannot be fetched.
  absl::Status Follow(const std::string& note);

  // The proven copy's size, and its root.
  TreeSize size() const;
  struct View {
    TreeSize size;
    Digest root;
  };
  View view() const;
  // The root that was proven at `size`; nullopt where no checkpoint of that
  // size was followed.
  std::optional<Digest> RootAt(TreeSize size) const;
  // OUT_OF_RANGE when `leaf` is not proven yet.
  absl::StatusOr<LogEntry> EntryAt(LeafIndex leaf) const;
  // OK when the proven entry at the receipt's leaf is the one it promised for
  // `event_bytes`; OUT_OF_RANGE when it is not proven yet; DATA_LOSS (code
  // "tampered"), with an alarm, when the log says something else.
  absl::Status CheckIncluded(const LeafReceipt& receipt, ByteView event_bytes) const;

  // True when the copy reached `size` within `timeout`.
  bool WaitFor(TreeSize size, absl::Duration timeout) const;

 private:
  struct OpenEntry {
    LeafIndex leaf;
    LogEntry entry;
  };
  LogWatch(KeyValue& kv, PeerBook& peers, BrokerPort& broker, Alarms& alarms,
           const Clock& clock);
  absl::Status Load();
  absl::StatusOr<Checkpoint> VerifyByLogKey(const std::string& note) const;
  absl::Status Contradicts(const std::string& note, const char* code);
  absl::Status Fetch(TreeSize until, CompactRange& range, absl::Time& newest,
                     std::vector<OpenEntry>& open_entries);
  // `again`: known since an earlier run, whose alarms are kept or settled.
  absl::Status ApplyOpen(const OpenEntry& open, bool again, Peers& peers,
                         Batch& batch);
  void ApplySuspension(const OpenEntry& open, const std::string& document,
                       bool again, Peers& peers);
  void SettleEnded(const Peers& peers);

  KeyValue& kv_;
  PeerBook& peers_;
  BrokerPort& broker_;
  Alarms& alarms_;
  const Clock& clock_;

  mutable Mutex mutex_;
  mutable CondVar grown_;
  CompactRange range_ ABSL_GUARDED_BY(mutex_);
  absl::Time newest_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
};

}  // namespace amparo::agent

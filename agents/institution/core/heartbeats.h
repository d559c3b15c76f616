#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "proto/content/event_kind.h"
#include "proto/network/member.h"

namespace amparo::agent {

// Each peer with whom there was mail of late gets something once a day, if only
// a heartbeat: its link shows whether the one before came, and its payload
// which log this agent sees. So a last message that was dropped, or a log that
// is not the same for all, shows within a day (docs/PROTOCOL.md, Links).
// NoteSent and NoteReceived: thread-safe. Beat: one thread at a time.
class Heartbeats {
 public:
  // All must outlive this.
  struct Books {
    KeyValue& kv;
    Outbox& outbox;
    const PeerBook& peers;
    const KeyRing& keys;
    const Clock& clock;
  };
  explicit Heartbeats(const Books& books) : books_(books) {}

  // An envelope was sent, or taken in; carried along in its own step.
  void NoteSent(const MemberId& to, EventKind kind, Batch& rows) const;
  void NoteReceived(const MemberId& from, EventKind kind, Batch& rows) const;

  // Leaves a heartbeat in the outbox for each peer that is due, can be sealed
  // to, and has nothing else waiting there. True when it left any.
  absl::StatusOr<bool> Beat() const;

 private:
  absl::StatusOr<std::vector<MemberId>> Due() const;

  const Books books_;
};

}  // namespace amparo::agent

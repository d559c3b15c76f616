#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"

namespace amparo::agent {

// Looks for keys in this member's own name that its agent did not make, and for
// ends of its keys that it did not ask for: alarm "own_key", once for each,
// with the key event as evidence. Nobody else can know: to the network a
// thief's event looks like the owner's. Look: one thread at a time.
class OwnNameWatch {
 public:
  // All must outlive this.
  OwnNameWatch(KeyValue& kv, const KeyRing& keys, const PeerBook& peers,
               const LogWatch& log, Alarms& alarms, const Clock& clock)
      : kv_(kv),
        keys_(keys),
        peers_(peers),
        log_(log),
        alarms_(alarms),
        clock_(clock) {}

  // Compares the proven log with the ring, and rings while a key still waits
  // for a quorum. Ends the alarm when this agent
  // revoked a key since, and nothing of a stranger's is in force any more.
  absl::Status Look();

 private:
  // Something in the log under this member's name.
  struct Finding {
    std::string id;  // of its row
    LeafIndex leaf;
    bool in_force;
  };
  absl::StatusOr<KeyDirectory> Foreseen(const Peers& peers) const;
  std::vector<Finding> Findings(const KeyDirectory& keys) const;
  bool IsExplained(const SignerRecord& revoked,
                   const std::vector<SignerRecord>& signers) const;
  bool RevokedSince(const Peers& peers, absl::Time since) const;

  KeyValue& kv_;
  const KeyRing& keys_;
  const PeerBook& peers_;
  const LogWatch& log_;
  Alarms& alarms_;
  const Clock& clock_;
};

}  // namespace amparo::agent

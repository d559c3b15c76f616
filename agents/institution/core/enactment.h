#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {

// A charter, key event or suspension in the proven log.
struct OpenEntry {
  LeafIndex leaf;
  // From when on its age counts: where a quorum is asked for, when the first
  // one over it that this agent saw was given, if that is later than its own
  // time. Nobody dates it back.
  absl::Time since;
  LogEntry entry;
};

// What an entry in the open does to the network that this agent believes in.
// Each is enacted once, in the order of the log. One thread at a time.
class Enactment {
 public:
  // All must outlive this.
  Enactment(KeyValue& kv, BrokerPort& broker, Alarms& alarms, const Clock& clock)
      : kv_(kv), broker_(broker), alarms_(alarms), clock_(clock) {}

  // Fetches what `entry` needs to be enacted one day: before its leaf counts as
  // followed, or nobody could ever enact it. UNAVAILABLE or NOT_FOUND when the
  // broker does not serve it, DATA_LOSS (code "tampered") for something else.
  absl::Status Provide(const LogEntry& entry, Batch& rows) const;
  // Applies `open` to `peers`. `again`: after a restart; its alarms are kept or
  // settled. What does not hold counts for nobody and is OK.
  absl::Status Enact(const OpenEntry& open, bool again, Peers& peers);
  // After the last: ends the alarms of freezes and suspensions that ended.
  void SettleEnded(const Peers& peers);

 private:
  void EnactKeyEvent(const OpenEntry& open, const KeyEventEntry& event,
                     bool again, Peers& peers);
  void EnactSuspension(const OpenEntry& open, const std::string& document,
                       bool again, Peers& peers);
  absl::Status EnactCharter(const OpenEntry& open, const CharterEntry& charter,
                            bool again, Peers& peers);

  KeyValue& kv_;
  BrokerPort& broker_;
  Alarms& alarms_;
  const Clock& clock_;
};

}  // namespace amparo::agent

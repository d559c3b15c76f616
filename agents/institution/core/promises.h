#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/log_watch.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "crypto/digest.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {

// The broker's signed word for every event of ours, until the log was proven
// to hold it. Thread-safe.
class Promises {
 public:
  // All must outlive this.
  Promises(KeyValue& kv, const LogWatch& log, const PeerBook& peers, Alarms& alarms,
           const Clock& clock, absl::Duration late_after)
      : kv_(kv), log_(log), peers_(peers), alarms_(alarms), clock_(clock),
        late_after_(late_after) {}

  // PERMISSION_DENIED when the log key did not sign `receipt` for this event.
  // Otherwise `rows` remember the promise.
  absl::Status Keep(const LeafReceipt& receipt, ByteView event_bytes,
                    Batch& rows) const;

  // Compares what is proven by now. A promise that the log broke is an alarm
  // (by LogWatch), and remembered; one that is `late_after` old and not proven
  // is the alarm "inclusion_late". What is proven and has had no quorum of
  // witnesses for ten minutes, where the charter asks for one, is the alarm
  // "unwitnessed".
  absl::Status Settle();

 private:
  void NoteUnwitnessed();

  KeyValue& kv_;
  const LogWatch& log_;
  const PeerBook& peers_;
  Alarms& alarms_;
  const Clock& clock_;
  const absl::Duration late_after_;
};

// Whether the log was proven to hold something else at `leaf`, which had been
// promised for the envelope: a broker that was rebuilt without it.
absl::StatusOr<bool> IsPromiseBroken(const KeyValue& kv, LeafIndex leaf,
                                     const Digest& envelope);

}  // namespace amparo::agent

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/peer_book.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "base/mutex.h"

namespace amparo::agent {

// What this machine's clock is worth: compared with the time that the log says
// of its newest checkpoint and leaf, and what follows for sealing
// (docs/PROTOCOL.md, Clocks). As a Clock it is the time for all that runs out.
// Thread-safe.
class NetworkTime final : public Clock {
 public:
  // All must outlive this; `own` is this machine's clock.
  static absl::StatusOr<std::unique_ptr<NetworkTime>> Open(
      KeyValue& kv, const PeerBook& peers, Alarms& alarms, const Clock& own);

  // The machine's clock, but never before the highest time that it showed while
  // it could be believed: set back, it revives nothing that ran out.
  absl::Time Now() const override;
  // By what time to judge mail of the log's time `logged`: Now(), and while the
  // machine's clock cannot be believed, what the log says.
  absl::Time NowFor(absl::Time logged) const;

  // Asks the broker what time it is for its log, and compares. Ask before what
  // must not be logged under a wrong time. UNAVAILABLE when it is away.
  absl::Status Ask(BrokerPort& broker);
  // The broker showed `note` in answer to a question of `asked` (own clock).
  // PERMISSION_DENIED or NOT_FOUND when the log did not sign when it did.
  absl::Status Compare(const std::string& note, absl::Time asked);
  // Witnesses of the log cosigned at `median` what this agent cosigned at
  // `own`, by its own clock: whose clock is off, the broker's or this one?
  absl::Status CompareWithWitnesses(absl::Time own, absl::Time median);
  // The log was followed up to `note`: its age counts from there.
  void Followed(const std::string& note);
  // Raises and settles this class's alarms, and keeps the highest time. Call
  // every few seconds.
  absl::Status Tick();

  // OK when the clock is known to be within an hour of the log's, and of the
  // witnesses': signing keys,
  // anchors, receipts may be published. FAILED_PRECONDITION (field "clock").
  absl::Status MayPublish() const;
  // OK when envelopes may be sealed. FAILED_PRECONDITION, code "invalid_state",
  // whose field says what is in the way: "clock", "log", "charter" or "suite".
  absl::Status MaySeal() const;
  // A person who knows that the log is old lets mail go all the same, for
  // kOldLogConfirmed; not beyond a restart.
  void SealOnOldLog();
  // That field; "" when nothing is in the way.
  std::string InTheWay() const;

 private:
  NetworkTime(KeyValue& kv, const PeerBook& peers, Alarms& alarms,
              const Clock& own)
      : kv_(kv),
        peers_(peers),
        alarms_(alarms),
        own_(own),
        opened_(own.Now()) {}
  bool IsLogTooOld() const;
  absl::StatusOr<absl::Time> TimeOf(const std::string& note) const;
  std::optional<absl::Duration> AheadOfLog() const;
  std::optional<absl::Duration> Ahead() const;
  bool IsWrong() const;
  absl::Duration LogAge() const;
  void NoteAlarms();

  KeyValue& kv_;
  const PeerBook& peers_;
  Alarms& alarms_;
  const Clock& own_;
  const absl::Time opened_;
  mutable Mutex mutex_;
  // By how much the own clock is ahead of the log's time at least; negative:
  // behind. Unknown until the first comparison.
  std::optional<absl::Duration> ahead_ ABSL_GUARDED_BY(mutex_);
  absl::Time old_log_until_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  // The same against the witnesses, and at what time of this clock.
  absl::Duration ahead_of_witnesses_ ABSL_GUARDED_BY(mutex_);
  absl::Time witnessed_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::Time highest_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
  absl::Time checkpoint_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
  absl::Time stored_at_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
};

}  // namespace amparo::agent

#include "agents/institution/core/network_time.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr char kRow[] = "time";  // highest u64 | newest checkpoint u64
// Members cosign each hour at least.
constexpr absl::Duration kWitnessesKnow = absl::Hours(2);
// A crash forgets no more of the highest time than this.
constexpr absl::Duration kStoreEvery = absl::Minutes(1);

absl::Status NotNow(const char* field, absl::string_view why,
                    const char* hint) {
  return MakeError(absl::StatusCode::kFailedPrecondition, why,
                   {.code = "invalid_state",
                    .field = field,
                    .hint = hint,
                    .retryable = true});
}

absl::Status ClockIsOff(absl::Duration ahead) {
  return NotNow(
      "clock",
      absl::StrCat("this machine's clock is ",
                   absl::FormatDuration(
                       absl::Trunc(absl::AbsDuration(ahead), absl::Seconds(1))),
                   ahead > absl::ZeroDuration() ? " ahead of" : " behind",
                   " the log"),
      "set the clock, or have the broker's set; what waits leaves then");
}

}  // namespace

absl::StatusOr<std::unique_ptr<NetworkTime>> NetworkTime::Open(
    KeyValue& kv, const PeerBook& peers, Alarms& alarms, const Clock& own) {
  std::unique_ptr<NetworkTime> time(new NetworkTime(kv, peers, alarms, own));
  const auto stored = kv.Get(kRow);
  if (!stored.ok() && !absl::IsNotFound(stored.status()))
    return stored.status();
  MutexLock lock(time->mutex_);
  if (stored.ok() && stored->size() == 16) {
    const ByteView row(*stored);
    time->highest_ = TimeFromUnix(static_cast<int64_t>(ReadU64(row)));
    time->checkpoint_ =
        TimeFromUnix(static_cast<int64_t>(ReadU64(row.subspan(8))));
  }
  time->stored_at_ = time->highest_;
  return time;
}

absl::Time NetworkTime::Now() const {
  const absl::Time own = own_.Now();
  MutexLock lock(mutex_);
  return std::max(own, highest_);
}

absl::Time NetworkTime::NowFor(absl::Time logged) const {
  if (!IsWrong()) return Now();
  MutexLock lock(mutex_);
  return std::max(logged, highest_);
}

std::optional<absl::Duration> NetworkTime::AheadOfLog() const {
  // A leaf may have come since the comparison.
  const absl::Duration ahead_of_leaf = own_.Now() - peers_.Now()->newest_entry;
  MutexLock lock(mutex_);
  if (ahead_ && ahead_of_leaf < absl::ZeroDuration())
    return std::min(*ahead_, ahead_of_leaf);
  return ahead_;
}

// The broker says what time it is for its log, and may be wrong or lie. The
// witnesses' word stands for a while: behind them, this clock is behind. Ahead
// of them it may as well have been the last to cosign; then it is only ahead
// when the log says so, too.
std::optional<absl::Duration> NetworkTime::Ahead() const {
  const auto ahead = AheadOfLog();
  MutexLock lock(mutex_);
  if (!ahead || absl::AbsDuration(own_.Now() - witnessed_) > kWitnessesKnow)
    return ahead;
  if (ahead_of_witnesses_ < absl::ZeroDuration()) return ahead_of_witnesses_;
  return std::clamp(*ahead, absl::ZeroDuration(), ahead_of_witnesses_);
}

bool NetworkTime::IsWrong() const {
  const auto ahead = Ahead();
  return ahead && absl::AbsDuration(*ahead) > kClockStop;
}

absl::StatusOr<absl::Time> NetworkTime::TimeOf(const std::string& note) const {
  absl::Status refused =
      absl::PermissionDeniedError("the charter names no log key");
  const auto peers = peers_.Now();
  for (const NoteVerifier& log_key : peers->charter.charter.log_keys) {
    auto time = TimeOfCheckpoint(note, log_key);
    if (time.ok()) return time;
    refused = time.status();
  }
  return refused;
}

absl::Status NetworkTime::Ask(BrokerPort& broker) {
  const absl::Time asked = own_.Now();
  ASSIGN_OR_RETURN(const std::string note, broker.GetCheckpoint());
  return Compare(note, asked);
}

absl::Status NetworkTime::Compare(const std::string& note, absl::Time asked) {
  const absl::Time answered = own_.Now();
  ASSIGN_OR_RETURN(const absl::Time shown, TimeOf(note));
  // The log's time never falls: where it went ahead of the broker's own clock,
  // nothing new fits it until that has caught up.
  const absl::Time log = std::max(shown, peers_.Now()->newest_entry);
  // The answer was made between `asked` and `answered`, in whole seconds.
  const absl::Duration late = asked - log - absl::Seconds(1);
  const absl::Duration early = answered - log;
  absl::Duration ahead;
  if (late > absl::ZeroDuration()) ahead = late;
  if (early < absl::ZeroDuration()) ahead = early;
  {
    MutexLock lock(mutex_);
    ahead_ = ahead;
    if (absl::AbsDuration(ahead) <= kClockStop)
      highest_ = std::max(highest_, answered);
  }
  return Tick();
}

absl::Status NetworkTime::CompareWithWitnesses(absl::Time own,
                                               absl::Time median) {
  {
    MutexLock lock(mutex_);
    // An old note that is shown again says nothing new.
    if (own <= witnessed_ && own_.Now() >= witnessed_) return absl::OkStatus();
    ahead_of_witnesses_ = own - median;
    witnessed_ = own;
  }
  return Tick();
}

void NetworkTime::Followed(const std::string& note) {
  const auto shown = TimeOf(note);
  // A time that is to come would hide for ever that the log grows old.
  if (!shown.ok() || *shown > Now() + kClockStop) return;
  MutexLock lock(mutex_);
  checkpoint_ = std::max(checkpoint_, *shown);
}

absl::Status NetworkTime::Tick() {
  const absl::Time own = own_.Now();
  NoteAlarms();
  absl::Time highest, checkpoint;
  {
    MutexLock lock(mutex_);
    const bool wrong = ahead_ && absl::AbsDuration(*ahead_) > kClockStop;
    // Time passes. A leap may be the clock's fault: only a comparison that
    // bears it out makes it count.
    if (!wrong && own > highest_ && own <= highest_ + kClockStop)
      highest_ = own;
    if (highest_ < stored_at_ + kStoreEvery) return absl::OkStatus();
    highest = highest_;
    checkpoint = checkpoint_;
  }
  Bytes row;
  AppendU64(row, static_cast<uint64_t>(UnixSeconds(highest)));
  AppendU64(row, static_cast<uint64_t>(UnixSeconds(checkpoint)));
  Batch batch;
  batch.Put(kRow, row);
  RETURN_IF_ERROR(kv_.Write(batch));
  MutexLock lock(mutex_);
  stored_at_ = highest;
  return absl::OkStatus();
}

absl::Duration NetworkTime::LogAge() const {
  const auto peers = peers_.Now();
  const absl::Time now = Now();
  // Before anything was followed there is nothing that could be old.
  if (peers->size.value() == 0) return absl::ZeroDuration();
  // Before the very first quorum: since it is due, as far as this agent saw.
  if (peers->charter.charter.witness_quorum > 0)
    return now - (peers->witnessed_size.value() == 0
                      ? std::max(peers->charter_logged, opened_)
                      : peers->witnessed_at);
  // New entries are no news while one of them, a charter that the broker does
  // not serve, could not take effect.
  const bool in_effect = peers->enacted.value() >= peers->size.value();
  MutexLock lock(mutex_);
  return now -
         (in_effect ? std::max(checkpoint_, peers->newest_entry) : checkpoint_);
}

void NetworkTime::NoteAlarms() {
  const absl::Time now = own_.Now();
  const auto note = [&](bool raised, const char* code) {
    if (!raised) alarms_.Settle(code, std::nullopt);
    return raised;
  };
  // Before the first comparison: what this agent itself saw of the clock.
  const absl::Duration ahead = Ahead().value_or(now - Now());
  if (note(absl::AbsDuration(ahead) > kClockAlarm, "clock"))
    alarms_.Raise("clock", std::nullopt, now);
  // Witnesses say that it is not this one.
  const absl::Duration apart = AheadOfLog().value_or(absl::ZeroDuration());
  if (note(absl::AbsDuration(apart) > kClockAlarm &&
               absl::AbsDuration(ahead) <= kClockAlarm,
           "broker_clock"))
    alarms_.Raise("broker_clock", std::nullopt, now);
  // What a wrong clock says of ages and ends is not worth an alarm.
  if (IsWrong()) return;
  const auto peers = peers_.Now();
  const Charter& charter = peers->charter.charter;
  if (note(LogAge() > kCheckpointAgeAlarm, "log_stale"))
    alarms_.Raise("log_stale", std::nullopt, now);
  if (note(Now() >= charter.expires - kCharterExpiryAlarm, "charter_expires"))
    alarms_.Raise("charter_expires", std::nullopt, now);
  if (note(!charter.AllowsSuite(kSuite1), "suite"))
    alarms_.Raise("suite", std::nullopt, now);
}

absl::Status NetworkTime::MayPublish() const {
  const auto ahead = AheadOfLog();
  if (!ahead)
    return NotNow("clock", "the clock was not compared with the log's yet",
                  "it is as soon as the broker answers");
  if (absl::AbsDuration(*ahead) > kClockStop) return ClockIsOff(*ahead);
  return IsWrong() ? ClockIsOff(*Ahead()) : absl::OkStatus();
}

void NetworkTime::SealOnOldLog() {
  const absl::Time until = Now() + kOldLogConfirmed;
  MutexLock lock(mutex_);
  old_log_until_ = until;
}

bool NetworkTime::IsLogTooOld() const {
  if (LogAge() <= kCheckpointAgeStop) return false;
  const absl::Time now = Now();
  MutexLock lock(mutex_);
  return now >= old_log_until_;
}

absl::Status NetworkTime::MaySeal() const {
  RETURN_IF_ERROR(MayPublish());
  // The broker would refuse it.
  const absl::Duration ahead = *AheadOfLog();
  if (ahead > kCreatedAfter || ahead < -kCreatedBefore)
    return ClockIsOff(ahead);
  if (IsLogTooOld())
    return NotNow("log", "no checkpoint of the log was seen for 72 hours",
                  "tell the broker's operator; a supervisor can let mail go for "
                  "a day: amparo status --acknowledge log_stale");
  const auto peers = peers_.Now();
  const Charter& charter = peers->charter.charter;
  if (Now() >= charter.expires + kCharterGrace)
    return NotNow("charter", "the charter ran out over 30 days ago",
                  "the committee has to publish the next version");
  if (!charter.AllowsSuite(kSuite1))
    return NotNow("suite", "the charter does not allow this program's suite",
                  "update the agent");
  return absl::OkStatus();
}

std::string NetworkTime::InTheWay() const {
  const absl::Status status = MaySeal();
  if (status.ok()) return "";
  const auto detail = DetailOf(status);
  return detail ? detail->field : "clock";
}

}  // namespace amparo::agent

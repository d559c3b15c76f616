#include "broker/core/checkpointer.h"

#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "crypto/note.h"

namespace amparo::broker {
namespace {

// How often watchers hear of a log that does not grow.
constexpr absl::Duration kShowAgain = absl::Hours(1);

absl::Status Refuse(const char* code, const char* message) {
  LogEvent(EventLevel::kError, "checkpoint_refused", {{"code", code}});
  return MakeError(absl::StatusCode::kDataLoss, message, {.code = code});
}

}  // namespace

Checkpointer::Checkpointer(Store& store, std::string origin,
                           const SigningKey& log_key, WitnessBook& witnesses,
                           InboxFeed& watchers, const Clock& clock)
    : store_(store),
      origin_(std::move(origin)),
      log_key_(log_key),
      clock_(clock),
      witnesses_(witnesses),
      watchers_(watchers) {
  // What was stored before a restart was shown, or might have been.
  const absl::StatusOr<std::string> stored = store_.NewestCheckpoint();
  if (!stored.ok()) return;
  const absl::StatusOr<Checkpoint> checkpoint = PeekCheckpoint(*stored);
  if (!checkpoint.ok()) return;
  witnesses_.Show(*stored);
  MutexLock lock(mutex_);
  shown_ = {*stored, checkpoint->size, clock_.Now(), 1};
}

absl::Status Checkpointer::PublishNext() {
  const LogHead head = store_.Head();
  const TreeSize size = head.range.size();
  const absl::Time now = clock_.Now();
  const Shown before = shown();
  if (size < before.size)
    return Refuse("tampered", "the log is smaller than what was shown");
  if (size == before.size) {
    // Either way: the clock may have been set back.
    if (before.note.empty() || absl::AbsDuration(now - before.at) < kShowAgain)
      return absl::OkStatus();
    Show({before.note, size, now, 0});
    return absl::OkStatus();
  }
  const Checkpoint checkpoint{origin_, size, head.range.Root(), {}};
  ASSIGN_OR_RETURN(const std::string note, Sign(checkpoint));
  // Stored first: a crash must never leave the log behind what was shown.
  ASSIGN_OR_RETURN(const std::string first, store_.PutCheckpoint(size, note));
  ASSIGN_OR_RETURN(const Checkpoint stored, PeekCheckpoint(first));
  if (stored != checkpoint)
    return Refuse("forked", "another tree of this size was signed before");
  Show({first, size, now, 0});
  return absl::OkStatus();
}

absl::StatusOr<std::string> Checkpointer::Sign(
    const Checkpoint& checkpoint) const {
  ASSIGN_OR_RETURN(std::string encoded, SignCheckpoint(checkpoint, log_key_));
  if (second_key_ == nullptr) return encoded;
  ASSIGN_OR_RETURN(Note note, ParseNote(encoded));
  RETURN_IF_ERROR(SignNote(note, origin_, *second_key_));
  return FormatNote(note);
}

absl::StatusOr<std::string> Checkpointer::Newest() const {
  Shown newest = shown();
  if (!newest.note.empty()) return std::move(newest.note);
  return MakeError(absl::StatusCode::kNotFound, "nothing was logged yet",
                   {.code = "not_found"});
}

Checkpointer::Shown Checkpointer::shown() const {
  MutexLock lock(mutex_);
  return shown_;
}

absl::StatusOr<Checkpointer::Timed> Checkpointer::NewestNow() const {
  const Shown newest = shown();
  if (newest.note.empty())
    return MakeError(absl::StatusCode::kNotFound, "nothing was logged yet",
                     {.code = "not_found"});
  const absl::Time now = clock_.Now();
  {
    MutexLock lock(mutex_);
    if (timed_.showing == newest.showing && timed_s_ == UnixSeconds(now))
      return timed_;
  }
  ASSIGN_OR_RETURN(std::string note,
                   TimeCheckpoint(newest.note, log_key_, now));
  if (second_key_ != nullptr) {
    ASSIGN_OR_RETURN(note, TimeCheckpoint(note, *second_key_, now));
  }
  Timed timed{std::move(note), newest.showing};
  MutexLock lock(mutex_);
  timed_ = timed;
  timed_s_ = UnixSeconds(now);
  return timed;
}

void Checkpointer::Show(Shown shown) {
  witnesses_.Show(shown.note);
  {
    MutexLock lock(mutex_);
    shown.showing = shown_.showing + 1;
    shown_ = std::move(shown);
  }
  watchers_.NotifyAll();
}

}  // namespace amparo::broker

#include "proto/content/referral_state.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "base/error.h"
#include "proto/content/names.h"

namespace amparo {
namespace {

constexpr Names<ReferralState, 10> kStates = {{
    {ReferralState::kSent, "sent"},
    {ReferralState::kReceived, "received"},
    {ReferralState::kAccepted, "accepted"},
    {ReferralState::kCancelRequested, "cancel_requested"},
    {ReferralState::kCompleted, "completed"},
    {ReferralState::kNotCompleted, "not_completed"},
    {ReferralState::kDeclined, "declined"},
    {ReferralState::kCancelled, "cancelled"},
    {ReferralState::kExpired, "expired"},
    {ReferralState::kError, "error"},
}};

struct Row {
  ReferralState from;
  ReferralStep step;
  Actor actor;
  ReferralState to;
};

// T numbers: docs/PROTOCOL.md, States.
constexpr Row kTable[] = {
    // T2
    {ReferralState::kSent, ReferralStep::kDeliver, Actor::kRecipient,
     ReferralState::kReceived},
    // T4
    {ReferralState::kReceived, ReferralStep::kAccept, Actor::kRecipient,
     ReferralState::kAccepted},
    // T5
    {ReferralState::kReceived, ReferralStep::kDecline, Actor::kRecipient,
     ReferralState::kDeclined},
    {ReferralState::kAccepted, ReferralStep::kDecline, Actor::kRecipient,
     ReferralState::kDeclined},
    // T8
    {ReferralState::kSent, ReferralStep::kRecall, Actor::kSender,
     ReferralState::kCancelled},
    // T9
    {ReferralState::kReceived, ReferralStep::kRequestCancel, Actor::kSender,
     ReferralState::kCancelRequested},
    {ReferralState::kAccepted, ReferralStep::kRequestCancel, Actor::kSender,
     ReferralState::kCancelRequested},
    {ReferralState::kCancelRequested, ReferralStep::kCancel, Actor::kRecipient,
     ReferralState::kCancelled},
    {ReferralState::kCancelRequested, ReferralStep::kComplete,
     Actor::kRecipient, ReferralState::kCompleted},
    {ReferralState::kCancelRequested, ReferralStep::kNotComplete,
     Actor::kRecipient, ReferralState::kNotCompleted},
    // T10
    {ReferralState::kAccepted, ReferralStep::kComplete, Actor::kRecipient,
     ReferralState::kCompleted},
    {ReferralState::kAccepted, ReferralStep::kNotComplete, Actor::kRecipient,
     ReferralState::kNotCompleted},
    // T11
    {ReferralState::kSent, ReferralStep::kExpire, Actor::kSystem,
     ReferralState::kExpired},
    {ReferralState::kReceived, ReferralStep::kExpire, Actor::kSystem,
     ReferralState::kExpired},
    // What policy no longer allows when it is to be sealed.
    {ReferralState::kSent, ReferralStep::kFail, Actor::kSystem,
     ReferralState::kError},
};

struct DefaultDeadline {
  Priority priority;
  absl::Duration acknowledge;  // routine: working days instead
  absl::Duration decide;
};
constexpr int kRoutineWorkingDays = 3;

DefaultDeadline DefaultOf(Priority priority) {
  switch (priority) {
    case Priority::kImmediate:
      return {priority, absl::Minutes(15), absl::Hours(3)};
    case Priority::kEmergency:
      return {priority, absl::Hours(1), absl::Hours(24)};
    case Priority::kUrgent:
      return {priority, absl::Hours(24), absl::Hours(72)};
    case Priority::kRoutine:
      break;
  }
  return {priority, absl::ZeroDuration(), absl::Hours(14 * 24)};
}

bool IsWeekend(absl::CivilDay day) {
  const absl::Weekday weekday = absl::GetWeekday(day);
  return weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
}

// The same time of day `count` working days later. What is sent on a weekend
// counts as sent when Monday begins.
absl::Time AddWorkingDays(absl::Time start, int count,
                          const absl::TimeZone& zone) {
  absl::CivilSecond at = absl::ToCivilSecond(start, zone);
  while (IsWeekend(absl::CivilDay(at)))
    at = absl::CivilSecond(absl::CivilDay(at) + 1);
  absl::CivilDay day(at);
  for (int left = count; left > 0;)
    if (!IsWeekend(++day)) --left;
  const absl::CivilSecond due(day.year(), day.month(), day.day(), at.hour(),
                              at.minute(), at.second());
  return absl::FromCivil(due, zone);
}

}  // namespace

absl::string_view NameOf(ReferralState state) { return NameIn(kStates, state); }
std::optional<ReferralState> ParseReferralState(absl::string_view name) {
  return ValueIn(kStates, name);
}

bool IsEnd(ReferralState state) {
  return std::none_of(std::begin(kTable), std::end(kTable),
                      [&](const Row& row) { return row.from == state; });
}

absl::StatusOr<ReferralState> Next(ReferralState state, ReferralStep step,
                                   Actor actor) {
  for (const Row& row : kTable) {
    if (row.from != state || row.step != step) continue;
    if (row.actor == actor) return row.to;
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "this step is another member's to take",
                     {.code = "invalid_state"});
  }
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("not possible while the referral is ", NameOf(state)),
      {.code = "invalid_state"});
}

DueTimes DueTimesOf(const Charter& charter, Priority priority,
                    absl::Time sent_at, const absl::TimeZone& zone) {
  const DefaultDeadline standard = DefaultOf(priority);
  DueTimes due = {priority == Priority::kRoutine
                      ? AddWorkingDays(sent_at, kRoutineWorkingDays, zone)
                      : sent_at + standard.acknowledge,
                  sent_at + standard.decide};
  const auto own = charter.deadlines.find(std::string(NameOf(priority)));
  if (own == charter.deadlines.end()) return due;
  if (own->second.acknowledge)
    due.acknowledge_by = sent_at + *own->second.acknowledge;
  if (own->second.decide) due.decide_by = sent_at + *own->second.decide;
  return due;
}

bool IsOverdue(ReferralState state, Delivery delivery, const DueTimes& due,
               absl::Time now) {
  if (state != ReferralState::kSent && state != ReferralState::kReceived)
    return false;
  const bool opened =
      delivery == Delivery::kOpened || delivery == Delivery::kAcknowledged;
  return now > due.decide_by || (!opened && now > due.acknowledge_by);
}

bool MayExpire(Priority priority) { return priority == Priority::kRoutine; }

}  // namespace amparo

#include "proto/content/referral_state.h"

#include <map>
#include <tuple>

#include "base/clock.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using State = ReferralState;
using Step = ReferralStep;

constexpr State kStates[] = {State::kSent,      State::kReceived,
                             State::kAccepted,  State::kCancelRequested,
                             State::kCompleted, State::kNotCompleted,
                             State::kDeclined,  State::kCancelled,
                             State::kExpired,   State::kError};
constexpr Step kSteps[] = {
    Step::kDeliver,     Step::kAccept,        Step::kDecline, Step::kComplete,
    Step::kNotComplete, Step::kRequestCancel, Step::kCancel,  Step::kRecall,
    Step::kExpire,      Step::kFail};
constexpr Actor kActors[] = {Actor::kSender, Actor::kRecipient, Actor::kSystem};

// Everything that may happen, said again; whatever is not here may not.
const std::map<std::tuple<State, Step, Actor>, State>& Lawful() {
  static const auto& table =
      *new std::map<std::tuple<State, Step, Actor>, State>{
          {{State::kSent, Step::kDeliver, Actor::kRecipient}, State::kReceived},
          {{State::kSent, Step::kRecall, Actor::kSender}, State::kCancelled},
          {{State::kSent, Step::kExpire, Actor::kSystem}, State::kExpired},
          {{State::kSent, Step::kFail, Actor::kSystem}, State::kError},
          {{State::kReceived, Step::kAccept, Actor::kRecipient},
           State::kAccepted},
          {{State::kReceived, Step::kDecline, Actor::kRecipient},
           State::kDeclined},
          {{State::kReceived, Step::kRequestCancel, Actor::kSender},
           State::kCancelRequested},
          {{State::kReceived, Step::kExpire, Actor::kSystem}, State::kExpired},
          {{State::kAccepted, Step::kDecline, Actor::kRecipient},
           State::kDeclined},
          {{State::kAccepted, Step::kComplete, Actor::kRecipient},
           State::kCompleted},
          {{State::kAccepted, Step::kNotComplete, Actor::kRecipient},
           State::kNotCompleted},
          {{State::kAccepted, Step::kRequestCancel, Actor::kSender},
           State::kCancelRequested},
          {{State::kCancelRequested, Step::kCancel, Actor::kRecipient},
           State::kCancelled},
          {{State::kCancelRequested, Step::kComplete, Actor::kRecipient},
           State::kCompleted},
          {{State::kCancelRequested, Step::kNotComplete, Actor::kRecipient},
           State::kNotCompleted},
      };
  return table;
}

TEST(ReferralStates, EveryStepFromEveryStateByEveryActor) {
  size_t lawful = 0;
  for (const State state : kStates)
    for (const Step step : kSteps) {
      const bool anyone =
          std::any_of(std::begin(kActors), std::end(kActors), [&](Actor actor) {
            return Lawful().contains({state, step, actor});
          });
      for (const Actor actor : kActors) {
        const auto next = Next(state, step, actor);
        const auto expected = Lawful().find({state, step, actor});
        if (expected != Lawful().end()) {
          EXPECT_EQ(VALUE_OF(next), expected->second);
          ++lawful;
          continue;
        }
        EXPECT_THAT(next,
                    StatusIs(anyone ? absl::StatusCode::kPermissionDenied
                                    : absl::StatusCode::kFailedPrecondition));
        EXPECT_EQ(ErrorCodeOf(next.status()), "invalid_state");
      }
    }
  EXPECT_EQ(lawful, Lawful().size());
}

TEST(ReferralStates, NothingLeavesAnEnd) {
  for (const State state : kStates) {
    const bool open = state == State::kSent || state == State::kReceived ||
                      state == State::kAccepted ||
                      state == State::kCancelRequested;
    EXPECT_EQ(IsEnd(state), !open) << NameOf(state);
  }
}

TEST(ReferralStates, HaveNamesBothWays) {
  for (const State state : kStates)
    EXPECT_EQ(ParseReferralState(NameOf(state)), state);
  EXPECT_EQ(ParseReferralState("draft"), std::nullopt);
}

// ---- deadlines

absl::TimeZone Lisbon() {  // one hour ahead is enough to tell it from UTC
  return absl::FixedTimeZone(3600);
}

DueTimes DueOf(Priority priority, const char* sent_at) {
  return DueTimesOf(Charter{}, priority, VALUE_OF(ParseUtc(sent_at)), Lisbon());
}

TEST(Deadlines, FollowThePriority) {
  const char* sent = "2026-11-21T09:00:00Z";
  EXPECT_EQ(FormatUtc(DueOf(Priority::kImmediate, sent).acknowledge_by),
            "2026-11-21T09:15:00Z");
  EXPECT_EQ(FormatUtc(DueOf(Priority::kImmediate, sent).decide_by),
            "2026-11-21T12:00:00Z");
  EXPECT_EQ(FormatUtc(DueOf(Priority::kEmergency, sent).acknowledge_by),
            "2026-11-21T10:00:00Z");
  EXPECT_EQ(FormatUtc(DueOf(Priority::kEmergency, sent).decide_by),
            "2026-11-22T09:00:00Z");
  EXPECT_EQ(FormatUtc(DueOf(Priority::kUrgent, sent).acknowledge_by),
            "2026-11-22T09:00:00Z");
  EXPECT_EQ(FormatUtc(DueOf(Priority::kUrgent, sent).decide_by),
            "2026-11-24T09:00:00Z");
  EXPECT_EQ(FormatUtc(DueOf(Priority::kRoutine, sent).decide_by),
            "2026-12-05T09:00:00Z");
}

TEST(Deadlines, RoutineIsAcknowledgedInThreeWorkingDays) {
  const auto due = [](const char* sent) {
    return FormatUtc(DueOf(Priority::kRoutine, sent).acknowledge_by);
  };
  EXPECT_EQ(due("2026-11-23T09:00:00Z"), "2026-11-26T09:00:00Z");  // Monday
  EXPECT_EQ(due("2026-11-26T09:00:00Z"), "2026-12-01T09:00:00Z");  // Thursday
  EXPECT_EQ(due("2026-11-27T09:00:00Z"), "2026-12-02T09:00:00Z");  // Friday
  // A weekend counts from Monday's first second, there.
  EXPECT_EQ(due("2026-11-21T09:00:00Z"), "2026-11-25T23:00:00Z");
  EXPECT_EQ(due("2026-11-22T12:00:00Z"), "2026-11-25T23:00:00Z");
  // Friday night in UTC is Saturday there; Sunday night Monday.
  EXPECT_EQ(due("2026-11-20T23:30:00Z"), "2026-11-25T23:00:00Z");
  EXPECT_EQ(due("2026-11-22T23:30:00Z"), "2026-11-25T23:30:00Z");
}

TEST(Deadlines, TheCharterOverridesOneByOne) {
  Charter charter;
  charter.deadlines["urgent"].decide = absl::Hours(5);
  charter.deadlines["routine"].acknowledge = absl::Hours(1);
  const DueTimes urgent =
      DueTimesOf(charter, Priority::kUrgent, kNoon, Lisbon());
  EXPECT_EQ(urgent.acknowledge_by, kNoon + absl::Hours(24));
  EXPECT_EQ(urgent.decide_by, kNoon + absl::Hours(5));
  EXPECT_EQ(
      DueTimesOf(charter, Priority::kRoutine, kNoon, Lisbon()).acknowledge_by,
      kNoon + absl::Hours(1));
}

TEST(Deadlines, OverdueUntilOpenedAndThenUntilDecided) {
  const DueTimes due{kNoon, kNoon + absl::Hours(1)};
  const auto overdue = [&](State state, Delivery delivery,
                           absl::Duration after) {
    return IsOverdue(state, delivery, due, kNoon + after);
  };
  EXPECT_FALSE(
      overdue(State::kReceived, Delivery::kDelivered, absl::ZeroDuration()));
  EXPECT_TRUE(
      overdue(State::kReceived, Delivery::kDelivered, absl::Seconds(1)));
  EXPECT_FALSE(overdue(State::kReceived, Delivery::kOpened, absl::Seconds(1)));
  EXPECT_TRUE(
      overdue(State::kReceived, Delivery::kOpened, absl::Seconds(3601)));
  EXPECT_TRUE(overdue(State::kSent, Delivery::kQueued, absl::Seconds(1)));
  for (const State state :
       {State::kAccepted, State::kDeclined, State::kCancelled,
        State::kCancelRequested, State::kCompleted})
    EXPECT_FALSE(overdue(state, Delivery::kDelivered, absl::Hours(1000)));
}

TEST(Deadlines, OnlyRoutineReferralsExpire) {
  EXPECT_TRUE(MayExpire(Priority::kRoutine));
  for (const Priority priority :
       {Priority::kImmediate, Priority::kEmergency, Priority::kUrgent})
    EXPECT_FALSE(MayExpire(priority));
}

}  // namespace
}  // namespace amparo

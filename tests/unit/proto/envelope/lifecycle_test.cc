#include "proto/envelope/lifecycle.h"

#include <map>

#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using State = EnvelopeState;
using Event = EnvelopeEventKind;

TEST(Lifecycle, EveryEventFromEveryState) {
  const std::optional<State> states[] = {
      std::nullopt,          State::kPending,  State::kDelivered,
      State::kUndecryptable, State::kRecalled, State::kExpired};
  const Event events[] = {Event::kSubmitted, Event::kDelivered,
                          Event::kUndecryptable, Event::kRecalled,
                          Event::kExpired};
  const std::map<std::pair<std::optional<State>, Event>, State> legal = {
      {{std::nullopt, Event::kSubmitted}, State::kPending},
      {{State::kPending, Event::kDelivered}, State::kDelivered},
      {{State::kPending, Event::kUndecryptable}, State::kUndecryptable},
      {{State::kPending, Event::kRecalled}, State::kRecalled},
      {{State::kPending, Event::kExpired}, State::kExpired},
  };
  for (const auto& state : states) {
    for (const Event event : events) {
      const auto next = NextState(state, event);
      const auto found = legal.find({state, event});
      if (found == legal.end()) {
        EXPECT_THAT(next, StatusIs(absl::StatusCode::kFailedPrecondition));
      } else {
        EXPECT_EQ(VALUE_OF(next), found->second);
      }
    }
  }
}

}  // namespace
}  // namespace amparo

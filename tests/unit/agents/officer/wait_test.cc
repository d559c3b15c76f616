#include "agents/officer/wait.h"

#include <set>
#include <string>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "proto/content/referral_state.h"

namespace amparo::officer {
namespace {

v1::ReferralView With(
    std::initializer_list<std::pair<const char*, const char*>> recipients) {
  v1::ReferralView referral;
  int number = 0;
  for (const auto& [state, delivery] : recipients) {
    v1::RecipientState& to = *referral.add_recipients();
    to.set_member("m" + std::to_string(number++));
    to.set_state(state);
    to.set_delivery(delivery);
  }
  return referral;
}

WaitVerdict Judge(const char* state, const char* delivery, const char* stage) {
  return JudgeWait(With({{state, delivery}}), stage);
}

constexpr WaitVerdict kReached = WaitVerdict::kReached;
constexpr WaitVerdict kNotYet = WaitVerdict::kNotYet;
constexpr WaitVerdict kNever = WaitVerdict::kNever;

TEST(Wait, FollowsOneRecipient) {
  struct Case {
    const char* state;
    const char* delivery;
    const char* stage;
    WaitVerdict verdict;
  };
  constexpr Case kCases[] = {
      // deliveries
      {"sent", "queued", "submitted", kNotYet},
      {"sent", "submitted", "submitted", kReached},
      {"received", "delivered", "submitted", kReached},
      {"received", "delivered", "delivered", kReached},
      {"received", "delivered", "opened", kNotYet},
      {"received", "opened", "delivered", kReached},
      {"received", "opened", "opened", kReached},
      {"received", "acknowledged", "opened", kReached},
      {"sent", "queued", "recalled", kNotYet},
      {"received", "delivered", "recalled", kNever},
      {"cancelled", "recalled", "recalled", kReached},
      {"cancelled", "recalled", "delivered", kNever},
      {"sent", "queued", "failed", kNotYet},
      {"error", "failed", "failed", kReached},
      {"error", "failed", "delivered", kNever},
      // a person who answered has opened it, receipt or not
      {"accepted", "delivered", "opened", kReached},
      {"declined", "delivered", "opened", kReached},
      {"declined", "opened", "acknowledged", kNever},
      {"accepted", "opened", "acknowledged", kReached},
      {"cancel_requested", "delivered", "opened", kNotYet},
      {"expired", "delivered", "opened", kNever},
      // states
      {"sent", "queued", "sent", kReached},
      {"sent", "submitted", "received", kNotYet},
      {"received", "delivered", "received", kReached},
      {"declined", "opened", "received", kReached},
      {"cancelled", "opened", "received", kReached},
      {"cancelled", "recalled", "received", kNever},
      {"received", "opened", "accepted", kNotYet},
      {"accepted", "opened", "accepted", kReached},
      {"completed", "opened", "accepted", kReached},
      {"declined", "opened", "accepted", kNever},
      {"cancel_requested", "opened", "accepted", kNever},
      {"accepted", "opened", "declined", kNotYet},
      {"completed", "opened", "declined", kNever},
      {"accepted", "opened", "completed", kNotYet},
      {"not_completed", "opened", "completed", kNever},
      {"cancel_requested", "opened", "cancelled", kNotYet},
      {"cancelled", "opened", "cancel_requested", kReached},
      {"accepted", "opened", "expired", kNever},
      {"received", "delivered", "error", kNever},
  };
  for (const Case& c : kCases)
    EXPECT_EQ(Judge(c.state, c.delivery, c.stage), c.verdict)
        << c.state << " " << c.delivery << " -> " << c.stage;
}

TEST(Wait, NeedsEveryRecipientThereOrAtAnEndAndOneThere) {
  const auto judge = [](auto... recipients) {
    return JudgeWait(With({recipients...}), "accepted");
  };
  using P = std::pair<const char*, const char*>;
  const P accepted{"accepted", "opened"}, declined{"declined", "opened"},
      received{"received", "delivered"}, failed{"error", "failed"};
  EXPECT_EQ(judge(accepted, accepted), kReached);
  EXPECT_EQ(judge(accepted, declined), kReached);
  EXPECT_EQ(judge(failed, accepted), kReached);
  EXPECT_EQ(judge(accepted, received), kNotYet);
  EXPECT_EQ(judge(declined, received), kNotYet);
  EXPECT_EQ(judge(declined, failed), kNever);
}

TEST(Wait, CountsWhatWasSaidBeforeTheEnd) {
  v1::ReferralView referral = With({{"declined", "opened"}});
  v1::EventView& event = *referral.add_events();
  event.set_kind("accepted");
  event.set_by("m0");
  EXPECT_EQ(JudgeWait(referral, "accepted"), kReached);
  event.set_by("m1");  // somebody else's word
  EXPECT_EQ(JudgeWait(referral, "accepted"), kNever);
}

TEST(Wait, ForErasureNeedsEveryReceiptThatWasAskedFor) {
  v1::ReferralView referral = With({{"accepted", "opened"}});
  EXPECT_EQ(JudgeWait(referral, "erased"), kNotYet);
  referral.set_erasures_expected(2);
  referral.set_erasures_received(1);
  EXPECT_EQ(JudgeWait(referral, "erased"), kNotYet);
  referral.set_erasures_received(2);
  EXPECT_EQ(JudgeWait(referral, "erased"), kReached);
}

TEST(Wait, OfNobodyIsNotYet) {
  EXPECT_EQ(JudgeWait(v1::ReferralView(), "accepted"), kNotYet);
}

// The one table of states is proto/content's, which a view may not know.
TEST(Wait, AgreesWithTheTableOfStates) {
  std::vector<ReferralState> states;
  for (int i = 0; i <= static_cast<int>(ReferralState::kError); ++i)
    states.push_back(static_cast<ReferralState>(i));
  const auto reachable = [&](ReferralState from) {
    std::set<ReferralState> found;
    std::vector<ReferralState> open = {from};
    while (!open.empty()) {
      const ReferralState state = open.back();
      open.pop_back();
      for (int step = 0; step <= static_cast<int>(ReferralStep::kFail); ++step)
        for (Actor actor :
             {Actor::kSender, Actor::kRecipient, Actor::kSystem}) {
          const auto next = Next(state, static_cast<ReferralStep>(step), actor);
          if (next.ok() && found.insert(*next).second) open.push_back(*next);
        }
    }
    return found;
  };
  for (ReferralState from : states)
    for (ReferralState to : states)
      EXPECT_EQ(MayBecome(NameOf(from), NameOf(to)),
                reachable(from).contains(to))
          << NameOf(from) << " -> " << NameOf(to);
}

TEST(Wait, KnowsAWholeId) {
  EXPECT_TRUE(IsWholeReferralId("r-abcdefghijklmnopqrstuvwxyz"));
  EXPECT_FALSE(IsWholeReferralId("r-abcdefghijklmnopqrstuvwxy"));
  EXPECT_FALSE(IsWholeReferralId("c-abcdefghijklmnopqrstuvwxyz"));
  EXPECT_FALSE(IsWholeReferralId("r-abcdefghijklmnopqrstuvwxy1"));
  EXPECT_FALSE(IsWholeReferralId("r-k3vw"));
}

}  // namespace
}  // namespace amparo::officer

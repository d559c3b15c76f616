#include <memory>
#include <string>

#include "base/error.h"
#include "tests/adversary/victims.h"

// Two governance keys in the wrong hands, with the broker's help or without:
// they can stop a member for a week, and nothing else. What they do is seen by
// everybody and ends by itself.

namespace amparo::agent {
namespace {

class TwoKeys : public Victims {
 protected:
  absl::Status Suspend(const std::string& document) {
    const absl::Status logged = world_.broker().Suspend(document).status();
    world_.Settle();
    return logged;
  }
  // A broker that logs whatever it is given.
  void LogAsIs(const std::string& document) {
    LogAnyway(broker::Op{
        broker::Publish{document.substr(0, 40) + std::to_string(++slot_),
                        SuspensionEntry{document}, ""},
        Bytes()});
    world_.Settle();
  }
  Suspension Now(const char* member) {
    const AcceptedCharter charter = world_.broker().charter();
    const absl::Time now = TimeFromUnix(UnixSeconds(world_.clock().Now()));
    return {charter.network_id, charter.hash, world_.broker().Id(member), now,
            now + kSuspensionLifeMax};
  }
  absl::Status MaySendTo(TestAgent& agent, const char* member) {
    return agent.peers()
        .ActiveMember(world_.broker().Id(member), world_.clock().Now())
        .status();
  }

  int slot_ = 0;
};

TEST_F(TwoKeys, StopAMemberForAWeekAndNoLonger) {
  const std::string before = Refer();
  world_.Settle();
  ASSERT_TRUE(Knows(uls(), before));
  const std::string consent = RecordConsent();
  ASSERT_OK(Suspend(world_.broker().SuspensionOf("uls")));
  EXPECT_EQ(ErrorCodeOf(MaySendTo(ong(), "uls")), "member_suspended");
  EXPECT_TRUE(HasAlarmFor(gnr(), "suspended", world_.broker().Id("uls")));
  // Nothing is sent to it, and the officer is told why.
  SendRequest request;
  request.form_json = FormFor({"uls"});
  request.to = {"uls"};
  request.consent = consent;
  const SendOutcome sent =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  EXPECT_FALSE(sent.allowed);
  // It sends nothing itself.
  EXPECT_EQ(ErrorCodeOf(MaySendTo(uls(), "uls")), "member_suspended");
  // Others are none the worse for it.
  const std::string other = Refer({"gnr"});
  world_.Settle();
  EXPECT_TRUE(Knows(gnr(), other));
  world_.clock().Advance(kSuspensionLifeMax);
  world_.Settle();
  ExpectHonestTrafficFlows();
  EXPECT_FALSE(HasAlarm(gnr(), "suspended"));
}

TEST_F(TwoKeys, WhatIsDueToItWaitsForItsReturn) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  ASSERT_TRUE(Knows(uls(), referral));
  ASSERT_OK(Suspend(world_.broker().SuspensionOf("uls")));
  ASSERT_OK(ong().consents().Revoke(ong().officer(), consent, {}));
  world_.Settle();
  EXPECT_GT(ong().outbox().size(), 0u);
  world_.clock().Advance(kSuspensionLifeMax);
  world_.Settle();
  EXPECT_EQ(ong().outbox().size(), 0u);
  const ReferralView view =
      VALUE_OF(uls().referrals().Show(uls().officer(), referral, {}, false));
  EXPECT_FALSE(view.sections.empty());
  for (const SectionView& section : view.sections)
    EXPECT_EQ(section.status, SectionView::Status::kErased);
}

TEST_F(TwoKeys, ABrokerThatLogsABadSuspensionMovesNobody) {
  const TestCommittee& committee = world_.broker().committee();
  Suspension longer = Now("uls");
  longer.until += absl::Hours(1);
  Suspension foreign = Now("uls");
  foreign.net = Sha256("another network");
  Suspension old = Now("uls");
  old.charter_hash = Sha256("another charter");
  for (const std::string& document :
       {committee.Sign(Now("uls"), 1), committee.Sign(longer),
        committee.Sign(foreign), committee.Sign(old)}) {
    LogAsIs(document);
    EXPECT_OK(MaySendTo(ong(), "uls"));
  }
  ExpectHonestTrafficFlows();
}

TEST_F(TwoKeys, SuspendNobodyTwiceInThirtyDaysNorTwoOfFive) {
  const TestCommittee& committee = world_.broker().committee();
  ASSERT_OK(Suspend(world_.broker().SuspensionOf("uls")));
  LogAsIs(committee.Sign(Now("gnr")));
  EXPECT_OK(MaySendTo(ong(), "gnr"));
  world_.clock().Advance(kSuspensionLifeMax);
  world_.Settle();
  LogAsIs(committee.Sign(Now("uls")));
  EXPECT_OK(MaySendTo(ong(), "uls"));
  ExpectHonestTrafficFlows();
}

}  // namespace
}  // namespace amparo::agent

#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

class ReferralAnswer : public DeskTest {
 protected:
  ReferralState StateAt(TestAgent& agent, const Sent& sent) {
    return Status(agent, sent.referral).recipients.at(0).state;
  }
};

TEST_F(ReferralAnswer, ReachesTheSender) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  const ReferralChange accepted =
      VALUE_OF(uls.referrals().Accept(uls.officer(), sent.referral));
  EXPECT_EQ(accepted.recipients.at(0).state, ReferralState::kAccepted);
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kReceived);
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kAccepted);
  VALUE_OF(
      uls.referrals().Close(uls.officer(), sent.referral, "service_delivered"));
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kCompleted);
  EXPECT_EQ(Status(ong(), sent.referral).recipients.at(0).outcome,
            "service_delivered");
  EXPECT_EQ(CountOf(uls, "referral_accept"), 1u);
  EXPECT_EQ(CountOf(uls, "referral_close"), 1u);
}

TEST_F(ReferralAnswer, ClosesAsNotCompletedByItsOutcome) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  VALUE_OF(uls.referrals().Accept(uls.officer(), sent.referral));
  VALUE_OF(uls.referrals().Close(uls.officer(), sent.referral, "unreachable"));
  EXPECT_EQ(StateAt(uls, sent), ReferralState::kNotCompleted);
}

TEST_F(ReferralAnswer, IsRefusedWhereTheTableHasNoSuchStep) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  const Officer& officer = uls.officer();
  EXPECT_THAT(
      uls.referrals().Close(officer, sent.referral, "service_delivered"),
      HasErrorCode("invalid_state"));
  VALUE_OF(uls.referrals().Decline(officer, sent.referral, "outside_area"));
  EXPECT_THAT(uls.referrals().Accept(officer, sent.referral),
              HasErrorCode("invalid_state"));
  EXPECT_THAT(uls.referrals().Decline(officer, sent.referral, "outside_area"),
              HasErrorCode("invalid_state"));
  EXPECT_EQ(uls.outbox().size(), 1u);
}

TEST_F(ReferralAnswer, BelongsToTheRecipientAlone) {
  const Sent sent = Delivered({"uls"});
  EXPECT_THAT(ong().referrals().Accept(ong().officer(), sent.referral),
              HasErrorCode("invalid_state"));
  EXPECT_THAT(
      ong().referrals().Decline(ong().officer(), sent.referral, "duplicate"),
      HasErrorCode("invalid_state"));
  EXPECT_THAT(
      at("uls").referrals().Withdraw(at("uls").officer(), sent.referral),
      HasErrorCode("invalid_state"));
  EXPECT_THAT(at("mp").referrals().Accept(at("mp").officer(), sent.referral),
              HasErrorCode("not_found"));
}

TEST_F(ReferralAnswer, TakesCodesOfTheListsOnly) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  EXPECT_THAT(uls.referrals().Decline(uls.officer(), sent.referral, "tired"),
              HasErrorCode("usage"));
  EXPECT_THAT(uls.referrals().Close(uls.officer(), sent.referral, ""),
              HasErrorCode("usage"));
}

TEST_F(ReferralAnswer, NeedsTheRole) {
  const Sent sent = Delivered({"uls"});
  const Officer admin = AddOfficer(at("uls"), "root", {Role::kAdmin}, 0);
  ReferralDesk& desk = at("uls").referrals();
  EXPECT_THAT(desk.Accept(admin, sent.referral), HasErrorCode("role_missing"));
  EXPECT_THAT(desk.Decline(admin, sent.referral, "duplicate"),
              HasErrorCode("role_missing"));
  EXPECT_THAT(desk.Close(admin, sent.referral, "goals_met"),
              HasErrorCode("role_missing"));
  EXPECT_THAT(desk.Withdraw(admin, sent.referral),
              HasErrorCode("role_missing"));
}

TEST_F(ReferralAnswer, IsNotGivenWhenTheAccessLogCannotBeWritten) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  uls.kv().FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(uls.referrals().Accept(uls.officer(), sent.referral).ok());
  uls.kv().FailWrites(absl::OkStatus());
  EXPECT_EQ(StateAt(uls, sent), ReferralState::kReceived);
  EXPECT_EQ(uls.outbox().size(), 0u);
}

TEST_F(ReferralAnswer, AWithdrawalBeforeSealingLeavesNothingBehind) {
  const Sent sent = Send({"uls"});
  const ReferralChange change =
      VALUE_OF(ong().referrals().Withdraw(ong().officer(), sent.referral));
  EXPECT_EQ(change.recipients.at(0).state, ReferralState::kCancelled);
  EXPECT_EQ(change.recipients.at(0).delivery, Delivery::kRecalled);
  EXPECT_TRUE(change.recipients.at(0).slots.empty());
  EXPECT_EQ(ong().outbox().size(), 0u);
  world_.Settle();
  EXPECT_TRUE(
      VALUE_OF(at("uls").referrals().List(at("uls").officer(), {})).empty());
  EXPECT_THAT(ong().referrals().Withdraw(ong().officer(), sent.referral),
              HasErrorCode("invalid_state"));
}

TEST_F(ReferralAnswer, AWithdrawalWhileTheCourierIsAtWorkIsInTime) {
  const Sent sent = Send({"uls"});
  bool withdrawn = false;
  ong().port().before_anchor = [&] {
    if (std::exchange(withdrawn, true)) return;
    EXPECT_OK(ong().referrals().Withdraw(ong().officer(), sent.referral));
  };
  world_.Settle();
  EXPECT_TRUE(withdrawn);
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kCancelled);
  EXPECT_TRUE(at("uls").cases().All().empty());
}

TEST_F(ReferralAnswer, AWithdrawalBeforeDeliveryRecallsTheEnvelope) {
  at("uls").port().down = true;
  const Sent sent = Delivered({"uls"});
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), sent.referral));
  // Recalled when the broker says so, not before.
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kSent);
  EXPECT_EQ(VALUE_OF(ong().outbox().Recalls()).size(), 1u);
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kCancelled);
  at("uls").port().down = false;
  world_.Settle();
  EXPECT_TRUE(
      VALUE_OF(at("uls").referrals().List(at("uls").officer(), {})).empty());
}

TEST_F(ReferralAnswer, AWithdrawalAfterDeliveryAsksTheRecipient) {
  const Sent sent = Delivered({"uls"});
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), sent.referral));
  world_.Settle();
  TestAgent& uls = at("uls");
  EXPECT_EQ(StateAt(uls, sent), ReferralState::kCancelRequested);
  EXPECT_EQ(VALUE_OF(uls.referrals().Inbox(uls.officer())).items.at(0).next,
            (std::vector<std::string>{"accept", "close"}));
  // To accept a request to cancel is to cancel.
  VALUE_OF(uls.referrals().Accept(uls.officer(), sent.referral));
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), sent), ReferralState::kCancelled);
}

TEST_F(ReferralAnswer, AWithdrawalTreatsEachRecipientByWhereItStands) {
  at("gnr").port().down = true;
  const Sent sent = Delivered({"uls", "gnr"});
  const ReferralChange change =
      VALUE_OF(ong().referrals().Withdraw(ong().officer(), sent.referral));
  EXPECT_EQ(VALUE_OF(ong().outbox().Recalls()).size(), 1u);
  EXPECT_EQ(ong().outbox().size(), 1u);
  EXPECT_EQ(change.recipients.at(1).state, ReferralState::kCancelRequested);
}

TEST_F(ReferralAnswer, AWithdrawalTakesWaitingUpdatesAlong) {
  const Sent sent = Send({"uls"});
  VALUE_OF(ong().referrals().Update(
      ong().officer(), sent.referral,
      R"({"schema":"update_form/1","sections":{"identity":{"given_name":"M"}}})"));
  EXPECT_EQ(ong().outbox().size(), 2u);
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), sent.referral));
  EXPECT_EQ(ong().outbox().size(), 0u);
}

}  // namespace
}  // namespace amparo::agent

#include <algorithm>
#include <string>
#include <vector>

#include "agents/institution/core/confirm_key.h"
#include "base/error.h"
#include "tests/adversary/victims.h"

// A network whose charter says that new keys wait: between two institutions
// nothing counts until each compared the other's key words by phone.

namespace amparo::agent {
namespace {

class Trust : public Victims {
 protected:
  Trust() {
    const TestCommittee& committee = world_.broker().committee();
    Charter next = committee.Successor(world_.broker().charter());
    next.trust_delay = absl::Hours(24);
    VALUE_OF(world_.broker().PublishCharter(committee.Sign(next)));
    world_.Settle();
  }

  absl::Status Confirm(TestAgent& agent, const std::string& member) {
    const MemberId& id = world_.broker().Id(member);
    return ConfirmKey(agent.desk(), agent.officer(), id,
                      agent.peers().KeyWordsOf(id));
  }
  // ong sends to uls, where nobody knows ong's words yet.
  std::string ReferUnconfirmed() {
    EXPECT_OK(Confirm(ong(), "uls"));
    const std::string referral = Refer();
    world_.Settle();
    return referral;
  }
  InboxView InboxOf(TestAgent& agent) {
    return VALUE_OF(agent.referrals().Inbox(agent.officer()));
  }
};

TEST_F(Trust, NothingGoesToAKeyThatNobodyComparedTheWordsOf) {
  SendRequest request;
  request.to = {"uls"};
  request.form_json = FormFor({"uls"});
  request.consent = RecordConsent();
  const auto refused = ong().referrals().Send(ong().officer(), request);
  EXPECT_EQ(ErrorCodeOf(refused.status()), "key_too_new");
  EXPECT_EQ(ong().outbox().size(), 0u);
  // Nor is it written down as sent: nobody could ever review it.
  const auto sent = [this] {
    const auto records = VALUE_OF(ong().access_log().Read(std::nullopt, 10000));
    return std::count_if(records.begin(), records.end(),
                         [](const AccessRecord& record) {
                           return record.action == "referral_send";
                         });
  };
  EXPECT_EQ(sent(), 0);
  request.confirm_key = {"uls"};
  EXPECT_OK(ong().referrals().Send(ong().officer(), request));
  EXPECT_EQ(sent(), 1);
}

TEST_F(Trust, WhatComesUnderSuchAKeyWaitsWithoutEffect) {
  const std::string referral = ReferUnconfirmed();
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(Cases(uls()), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  // Its sender knows that it arrived, the recipient whom to call.
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  const InboxView inbox = InboxOf(uls());
  EXPECT_TRUE(inbox.items.empty());
  ASSERT_EQ(inbox.held.size(), 1u);
  EXPECT_EQ(inbox.held[0].member.text(), "ong");
  EXPECT_EQ(inbox.held[0].priority, Priority::kUrgent);
  EXPECT_EQ(inbox.held[0].messages, uls().held().size());
}

TEST_F(Trust, TheCallLetsItIn) {
  const std::string referral = ReferUnconfirmed();
  ASSERT_OK(Confirm(uls(), "ong"));
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(uls().held().size(), 0u);
  EXPECT_TRUE(InboxOf(uls()).held.empty());
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
  EXPECT_OK(uls().referrals().Accept(uls().officer(), referral));
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kOpened);
  ExpectHonestTrafficFlows();
}

TEST_F(Trust, ItWaitsBeyondRestartsAndTheEndOfThePrekey) {
  const std::string referral = ReferUnconfirmed();
  for (int day = 0; day < 9; ++day) {
    world_.clock().Advance(absl::Hours(24));
    world_.Settle();
  }
  uls().Restart();
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), referral));
  ASSERT_OK(Confirm(uls(), "ong"));
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(Trust, OnlyTheWordsOfTheKeysOfNowConfirm) {
  const MemberId& id = world_.broker().Id("ong");
  const std::string referral = ReferUnconfirmed();
  EXPECT_EQ(
      ErrorCodeOf(ConfirmKey(uls().desk(), uls().officer(), id,
                             "eight other words that were read by phone")),
      "conflict");
  EXPECT_EQ(ErrorCodeOf(ConfirmKey(uls().desk(), uls().officer(), id, "")),
            "conflict");
  EXPECT_FALSE(Knows(uls(), referral));
}

TEST_F(Trust, AMachineDoesNotConfirm) {
  const Officer machine = VALUE_OF(uls().officers().Add(
      VALUE_OF(Handle::Parse("system")), {Role::kItSystem, Role::kAdmin},
      {1002}, std::nullopt));
  const MemberId& id = world_.broker().Id("ong");
  EXPECT_EQ(ErrorCodeOf(ConfirmKey(uls().desk(), machine, id,
                                   uls().peers().KeyWordsOf(id))),
            "role_missing");
  EXPECT_FALSE(uls().peers().KeysConfirmed(id));
}

TEST_F(Trust, AnswersWaitForAKeyThatBecameNewMeanwhile) {
  const std::string referral = ReferUnconfirmed();
  ASSERT_OK(Confirm(uls(), "ong"));
  // ong starts over with its identity key alone, as after a restored backup.
  TestAgent restored(world_.broker(), "ong");
  restored.Turn(world_.Shown());
  world_.agent("ong").port().down = true;
  restored.Turn(world_.Shown());
  world_.Settle();
  EXPECT_OK(uls().referrals().Accept(uls().officer(), referral));
  world_.Settle();
  EXPECT_EQ(uls().outbox().size(), 1u);  // it waits, and is not lost
  ASSERT_OK(Confirm(uls(), "ong"));
  world_.Settle();
  EXPECT_EQ(uls().outbox().size(), 0u);
}

}  // namespace
}  // namespace amparo::agent

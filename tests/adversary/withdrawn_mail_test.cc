#include <string>
#include <vector>

#include "base/error.h"
#include "proto/envelope/log_entry.h"
#include "tests/adversary/victims.h"

// A referral that its officer took back before it was delivered: whoever wants
// it all the same. And what the officer sees of it stays true.

namespace amparo::agent {
namespace {

class WithdrawnMail : public Victims {
 protected:
  // At the broker, and not delivered.
  std::string Waiting() {
    uls().port().down = true;
    const std::string referral = Refer();
    world_.Settle();
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
    return referral;
  }
  void Withdraw(const std::string& referral) {
    EXPECT_OK(ong().referrals().Withdraw(ong().officer(), referral));
  }
  static ReferralState StateAt(TestAgent& agent, const std::string& referral) {
    return VALUE_OF(agent.referrals().Show(agent.officer(), referral, {}, true))
        .recipients.at(0)
        .state;
  }
  // The broker logs the end of its envelope, and tells before all else.
  void Expire(const std::string& referral) {
    const auto entry = ong().cases().FindByReferral(
        VALUE_OF(ong().cases().ResolveReferral(referral)));
    const Digest envelope = *entry->state.referrals.begin()->second.envelope;
    for (TestAgent* agent : {&ong(), &uls()}) agent->beats = false;
    const LeafReceipt leaf = LogAnyway(EncodeAuditEvent(ExpiryEvent{envelope}));
    world_.Settle();
    EXPECT_OK(ong().intake().Take({leaf, ExpiredNotice{envelope}}));
  }
  void UlsComesBack() {
    uls().port().down = false;
    world_.Settle();
    LetResendsHappen();
  }
  void ExpectItNeverArrives(const std::string& referral) {
    UlsComesBack();
    EXPECT_FALSE(Knows(uls(), referral));
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
    EXPECT_EQ(ong().outbox().size(), 0u);
    EXPECT_TRUE(VALUE_OF(ong().outbox().Recalls()).empty());
    ExpectHonestTrafficFlows();
  }
};

// A restored agent asks by itself, from the newest link that it knows.
TEST_F(WithdrawnMail, AttackWhoAsksForEveryLinkAgainGetsNone) {
  const auto backup = uls().Backup();
  const std::string referral = Waiting();
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  uls().Restore(backup);
  ExpectItNeverArrives(referral);
}

// The broker keeps the first envelope back until another was sent instead, and
// that one was taken back.
TEST_F(WithdrawnMail, AttackAnEnvelopeHeldBackIsRecalledWithTheOnesAfterIt) {
  std::vector<Digest> held;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    const auto* envelope = std::get_if<Envelope>(&item.event);
    if (envelope == nullptr || held.empty()) {
      if (envelope != nullptr) held.push_back(EnvelopeDigest(*envelope));
      return envelope == nullptr ? std::optional(item) : std::nullopt;
    }
    return std::nullopt;
  };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_EQ(held.size(), 1u);
  // As if it had been asked for: a second envelope of the same event.
  const Sent first = VALUE_OF(ong().outbox().SentAs(held[0]));
  Batch rows;
  ong().outbox().Add(first.draft, rows);
  EXPECT_OK(ong().kv().Write(rows));
  world_.Settle();
  EXPECT_EQ(VALUE_OF(ong().outbox().EnvelopesOf(first.draft.event_id,
                                                first.draft.recipient))
                .size(),
            2u);
  Withdraw(referral);
  world_.Settle();
  uls().port().tamper = nullptr;
  ExpectItNeverArrives(referral);
}

TEST_F(WithdrawnMail, AttackASuspendedSendersRecallIsNotForgotten) {
  const std::string referral = Waiting();
  ASSERT_OK(
      world_.broker().Suspend(world_.broker().SuspensionOf("ong")).status());
  world_.Settle();
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(VALUE_OF(ong().outbox().Recalls()).size(), 1u);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  world_.clock().Advance(kSuspensionLifeMax);
  world_.Settle();
  ExpectItNeverArrives(referral);
}

// The key that signed the recall ended with the restore.
TEST_F(WithdrawnMail, ARestoredSenderTakesBackWhatItWasTakingBack) {
  const std::string referral = Waiting();
  Withdraw(referral);
  const auto backup = ong().Backup();
  ong().Restore(backup);
  world_.Settle();
  ExpectItNeverArrives(referral);
}

// Suspended with the broker's answer not here: neither is it given up nor sent.
TEST_F(WithdrawnMail, WaitsWhileItsRecallIsRefused) {
  uls().port().down = true;
  ong().port().lose_answers = true;
  const std::string referral = Refer();
  world_.Settle();
  ong().port().lose_answers = false;
  Withdraw(referral);
  ong().port().answer_recall = [] {
    return absl::PermissionDeniedError("not now");
  };
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kQueued);
  ong().port().answer_recall = nullptr;
  ExpectItNeverArrives(referral);
}

// A broker that says that it has nothing, and delivers: it is believed until
// the recipient's signature comes.
TEST_F(WithdrawnMail, AttackAFalseWordOnARecallIsSeenByTheReceipt) {
  const std::string referral = Waiting();
  ong().port().answer_recall = [] {
    return absl::NotFoundError("no such envelope");
  };
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  UlsComesBack();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  // And its recipient is asked to cancel.
  EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelRequested);
  EXPECT_EQ(StateAt(uls(), referral), ReferralState::kCancelRequested);
}

// It came while its officer took it back, who did not know.
TEST_F(WithdrawnMail, ThatHadJustComeIsToBeCancelled) {
  const std::string referral = Refer();
  ong().port().tamper = [](MailboxItem) { return std::nullopt; };
  world_.Settle();
  ASSERT_TRUE(Knows(uls(), referral));
  Withdraw(referral);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  world_.Settle();
  ong().port().tamper = nullptr;
  ong().Restart();
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelRequested);
  EXPECT_EQ(StateAt(uls(), referral), ReferralState::kCancelRequested);
  EXPECT_OK(uls().referrals().Accept(uls().officer(), referral));
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelled);
}

// Ran out, then withdrawn: whoever asks for it gets nothing.
TEST_F(WithdrawnMail, WhatRanOutAndWasWithdrawnGoesToNobody) {
  uls().port().down = true;
  const std::string referral = Refer();
  world_.Settle();
  world_.clock().Advance(kEnvelopeLifeMax + absl::Hours(1));
  Expire(referral);
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelled);
  uls().port().tamper = [](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event) &&
        std::get<Envelope>(item.event).header.link_seq == 1)
      return std::nullopt;
    return item;
  };
  UlsComesBack();
  Refer();
  world_.Settle();
  LetResendsHappen();
  EXPECT_FALSE(Knows(uls(), referral));
}

// However late: a broker may keep the recipient's word back.
TEST_F(WithdrawnMail, AttackAWordKeptBackForWeeksIsAskedToCancelAllTheSame) {
  const std::string referral = Refer();
  ong().port().tamper = [](MailboxItem) { return std::nullopt; };
  world_.Settle();
  Withdraw(referral);
  world_.Settle();
  world_.clock().Advance(kEnvelopeLifeMax + absl::Hours(20 * 24));
  world_.Settle();
  ong().port().tamper = nullptr;
  ong().Restart();
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelRequested);
  EXPECT_EQ(StateAt(uls(), referral), ReferralState::kCancelRequested);
}

// Its time ran out at the broker, who has nothing more to give back; whether
// the sender heard so before its officer took it back, or after.
TEST_F(WithdrawnMail, ThatRanOutAtTheBrokerIsCancelled) {
  for (const bool heard : {true, false}) {
    const std::string referral = Waiting();
    world_.clock().Advance(kEnvelopeLifeMax + absl::Hours(1));
    while (VALUE_OF(world_.broker().retention().Step())) continue;
    if (!heard) ong().port().tamper = [](MailboxItem) { return std::nullopt; };
    world_.Settle();
    Withdraw(referral);
    world_.Settle();
    if (!heard) {
      EXPECT_NE(StateAt(ong(), referral), ReferralState::kCancelled);
      ong().port().tamper = nullptr;
      ong().Restart();
      world_.Settle();
    }
    EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelled) << heard;
    EXPECT_TRUE(VALUE_OF(ong().outbox().Recalls()).empty()) << heard;
    UlsComesBack();
    EXPECT_FALSE(Knows(uls(), referral));
  }
}

// Nobody could open it, which its sender hears after it took it back: that ends
// what the broker does not give back.
TEST_F(WithdrawnMail, ThatNobodyCouldOpenIsCancelled) {
  const std::string referral = Waiting();
  uls().Restore(uls().Backup());
  ong().port().tamper = [](MailboxItem) { return std::nullopt; };
  uls().port().down = false;
  world_.Settle();
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(VALUE_OF(ong().outbox().Recalls()).size(), 1u);
  ong().port().tamper = nullptr;
  ong().Restart();
  world_.Settle();
  EXPECT_EQ(StateAt(ong(), referral), ReferralState::kCancelled);
  EXPECT_TRUE(VALUE_OF(ong().outbox().Recalls()).empty());
  EXPECT_FALSE(Knows(uls(), referral));
}

// What one officer takes back, another adds nothing to, whatever the broker
// answers.
TEST_F(WithdrawnMail, GetsNothingMoreWhileTheBrokerDoesNotGiveItBack) {
  const std::string referral = Waiting();
  ong().port().answer_recall = [] {
    return absl::PermissionDeniedError("not now");
  };
  const auto update = [&] {
    return ong()
        .referrals()
        .Update(ong().officer(), referral, kExampleUpdateForm)
        .status();
  };
  EXPECT_OK(update());
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(ErrorCodeOf(update()), "invalid_state");
}

// Who never had it is asked, and has nothing to answer.
TEST_F(WithdrawnMail, NobodyWaitsForAnAnswerOfWhoNeverHadIt) {
  const std::string consent = RecordConsent();
  uls().port().down = true;
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  EXPECT_OK(
      ong().consents().Revoke(ong().officer(), consent, {.member = "uls"}));
  world_.Settle();
  UlsComesBack();
  EXPECT_FALSE(Knows(uls(), referral));
  for (const RevokedRecipient& one :
       VALUE_OF(ong().consents().Show(ong().officer(), consent)).recipients)
    ADD_FAILURE() << one.answer;
}

// The line dropped after the mail came, and before its receipt left: the broker
// gives it back to its sender, and nobody here keeps it.
TEST_F(WithdrawnMail, IsClosedWhereItCameWithoutAReceipt) {
  uls().port().answer_receipt = [] {
    return absl::UnavailableError("the line is down");
  };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(Knows(uls(), referral));
  Withdraw(referral);
  world_.Settle();
  uls().port().answer_receipt = nullptr;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  const ReferralView closed =
      VALUE_OF(uls().referrals().Show(uls().officer(), referral, {}, false));
  EXPECT_EQ(closed.recipients.at(0).state, ReferralState::kCancelled);
  EXPECT_TRUE(closed.sections.empty());
  EXPECT_FALSE(uls()
                   .referrals()
                   .Show(uls().officer(), referral, {"identity"}, false)
                   .ok());
  EXPECT_FALSE(uls().referrals().Accept(uls().officer(), referral).ok());
  // Nothing was told as opened by looking at what is closed.
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  ExpectHonestTrafficFlows();
}

// The same, where the key that it went under ended before it was taken back:
// the word of a key that is trusted will do, and no other.
TEST_F(WithdrawnMail, IsClosedByARestoredSenderWhoseNewKeyIsTrusted) {
  for (const bool trusted : {true, false}) {
    uls().port().answer_receipt = [] {
      return absl::UnavailableError("the line is down");
    };
    const std::string referral = Refer();
    world_.Settle();
    ASSERT_TRUE(Knows(uls(), referral));
    if (!trusted) {
      Charter next =
          world_.broker().committee().Successor(world_.broker().charter());
      next.trust_delay = absl::Hours(24);
      VALUE_OF(world_.broker().PublishCharter(
          world_.broker().committee().Sign(next)));
      world_.Settle();
    }
    ong().port().answer_recall = [] {
      return absl::PermissionDeniedError("not now");
    };
    Withdraw(referral);
    const auto backup = ong().Backup();
    ong().Restore(backup);  // signs the recall anew
    ong().port().answer_recall = nullptr;
    world_.Settle();
    EXPECT_EQ(StateAt(uls(), referral) == ReferralState::kCancelled, trusted);
  }
}

// The same, and somebody had read it by then: so its sender hears.
TEST_F(WithdrawnMail, ThatWasReadBeforeItsReceiptStaysAndItsSenderHears) {
  uls().port().answer_receipt = [] {
    return absl::UnavailableError("the line is down");
  };
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
  Withdraw(referral);
  world_.Settle();
  uls().port().answer_receipt = nullptr;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kOpened);
  // And whoever withdrew it did so before.
  EXPECT_EQ(StateAt(uls(), referral), ReferralState::kCancelRequested);
}

// A broker that denies what it delivered, to both ends: who holds the sections
// is told of the revocation all the same.
class DeniedMail : public WithdrawnMail {
 protected:
  // Delivered, and its receipt refused.
  std::string Denied(const std::string& consent) {
    uls().port().answer_receipt = [] {
      return absl::FailedPreconditionError("it does not wait");
    };
    const std::string referral = ReferUnder(consent);
    world_.Settle();
    EXPECT_TRUE(Knows(uls(), referral));
    return referral;
  }
  void ExpectRevocationDestroys(const std::string& consent,
                                const std::string& referral) {
    EXPECT_OK(
        uls().referrals().Show(uls().officer(), referral, {"identity"}, false));
    EXPECT_OK(ong().consents().Revoke(ong().officer(), consent, {}));
    world_.Settle();
    const auto held = uls().cases().FindByReferral(
        VALUE_OF(uls().cases().ResolveReferral(referral)));
    for (const auto& [key, kept] : held->state.referrals)
      for (const auto& [slot, shared] : kept.shared) EXPECT_TRUE(shared.erased);
    const auto again =
        VALUE_OF(ong().consents().Revoke(ong().officer(), consent, {}));
    ASSERT_EQ(again.recipients.size(), 1u);
    EXPECT_EQ(again.recipients[0].answer, "deleted");
  }
};

TEST_F(DeniedMail, AttackByAFalseWordOnARecallStillLosesItsSections) {
  const std::string consent = RecordConsent();
  const std::string referral = Denied(consent);
  ong().port().answer_recall = [] {
    return absl::NotFoundError("no such envelope");
  };
  Withdraw(referral);
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  ExpectRevocationDestroys(consent, referral);
}

// What the broker would log when its time ran out.
TEST_F(DeniedMail, AttackByAnExpiryStillLosesItsSections) {
  const std::string consent = RecordConsent();
  const std::string referral = Denied(consent);
  world_.clock().Advance(kEnvelopeLifeMax + absl::Hours(1));
  Expire(referral);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kFailed);
  EXPECT_FALSE(HasAlarm(ong(), "expired_early"));
  ExpectRevocationDestroys(consent, referral);
}

TEST_F(DeniedMail, AttackByAnExpiryBeforeItsTimeEndsNothingAndRings) {
  const std::string consent = RecordConsent();
  const std::string referral = Denied(consent);
  Expire(referral);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  EXPECT_TRUE(HasAlarmFor(ong(), "expired_early", world_.broker().Id("uls")));
}

// It had never come, and was urgent: it goes as soon as its recipient asks.
TEST_F(WithdrawnMail, WhatIsUrgentGoesAgainThoughItRanOut) {
  uls().port().down = true;
  const std::string referral = Refer();
  world_.Settle();
  world_.clock().Advance(kEnvelopeLifeMax + absl::Hours(1));
  Expire(referral);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kFailed);
  uls().port().tamper = [](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event) &&
        std::get<Envelope>(item.event).header.link_seq == 1)
      return std::nullopt;
    return item;
  };
  UlsComesBack();
  Refer();
  world_.Settle();
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_GE(DeliveryTo("uls", referral), Delivery::kDelivered);
}

}  // namespace
}  // namespace amparo::agent

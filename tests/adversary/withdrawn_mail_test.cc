#include <string>
#include <vector>

#include "base/error.h"
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
  const ReferralView view =
      VALUE_OF(ong().referrals().Show(ong().officer(), referral, {}, true));
  EXPECT_EQ(view.recipients.at(0).state, ReferralState::kReceived);
  // Now its officer can ask to cancel.
  Withdraw(referral);
}

}  // namespace
}  // namespace amparo::agent

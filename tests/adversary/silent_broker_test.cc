#include <string>
#include <utility>
#include <vector>

#include "proto/envelope/receipt.h"
#include "tests/adversary/victims.h"

// A broker that keeps mail back, changes its order, hands over what was taken
// back, or tells a sender of deliveries that never were.

namespace amparo::agent {
namespace {

class SilentBroker : public Victims {
 protected:
  static bool IsEnvelope(const MailboxItem& item) {
    return std::holds_alternative<Envelope>(item.event);
  }
  // Keeps back the next envelope to uls, however often uls asks.
  void DropNextForUls() {
    uls().port().tamper = [dropped = std::optional<EnvelopeId>()](
                              MailboxItem item) mutable {
      std::optional<MailboxItem> kept(std::move(item));
      if (!IsEnvelope(*kept)) return kept;
      const EnvelopeId id = std::get<Envelope>(kept->event).header.envelope_id;
      if (!dropped) dropped = id;
      if (id == *dropped) kept.reset();
      return kept;
    };
  }
  size_t ReferralsAtUls() {
    return VALUE_OF(uls().referrals().List(uls().officer(), {})).size();
  }
};

TEST_F(SilentBroker, ADroppedMiddleEnvelopeShowsAndComesBackOnce) {
  // Past the first envelope, so that there is a middle.
  const std::string first = Refer();
  world_.Settle();
  DropNextForUls();
  const std::string dropped = Refer();
  const std::string after = Refer();
  world_.Settle();
  // The gap blocks nothing.
  EXPECT_TRUE(Knows(uls(), after));
  EXPECT_FALSE(Knows(uls(), dropped));
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  EXPECT_EQ(DeliveryTo("uls", dropped), Delivery::kSubmitted);

  uls().port().tamper = nullptr;
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), dropped));  // not before a minute
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), dropped));
  EXPECT_EQ(DeliveryTo("uls", dropped), Delivery::kDelivered);
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
  EXPECT_EQ(ReferralsAtUls(), 3u);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  ExpectHonestTrafficFlows();
}

TEST_F(SilentBroker, ADroppedNewestEnvelopeShowsWithTheNextOne) {
  const std::string first = Refer();
  world_.Settle();
  uls().port().tamper = [](MailboxItem item) -> std::optional<MailboxItem> {
    if (IsEnvelope(item)) return std::nullopt;
    return item;
  };
  const std::string newest = Refer();
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), newest));
  EXPECT_EQ(DeliveryTo("uls", newest),
            Delivery::kSubmitted);  // nobody is fooled
  uls().port().tamper = nullptr;
  // The mailbox still has it: an honest broker hands it over, once.
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), first));
  ExpectHonestTrafficFlows();
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), newest));
  EXPECT_EQ(ReferralsAtUls(), 3u);
}

TEST_F(SilentBroker, ADropBeforeACrashIsStillRemembered) {
  DropNextForUls();
  const std::string dropped = Refer();
  Refer();
  world_.Settle();
  uls().port().tamper = nullptr;
  uls().Restart();
  EXPECT_TRUE(HasAlarm(uls(), "gap"));
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), dropped));
  EXPECT_EQ(ReferralsAtUls(), 2u);
}

TEST_F(SilentBroker, ADropRightBeforeANewKeyIsAGapAndBlamesNobody) {
  const std::string first = Refer();
  world_.Settle();
  DropNextForUls();
  const std::string dropped = Refer();
  world_.Settle();
  const Digest old_kid = VALUE_OF(ong().keys().Signer()).verify_key().Thumbprint();
  world_.clock().Advance(kSigningKeyRotateAfter + absl::Hours(1));
  world_.Settle();
  ASSERT_NE(VALUE_OF(ong().keys().Signer()).verify_key().Thumbprint(), old_kid);
  // The new key's first link names an envelope that uls never saw.
  const std::string after = Refer();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), after));
  EXPECT_FALSE(HasAlarm(uls(), "link_fork"));
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  uls().port().tamper = nullptr;
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), dropped));
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
  EXPECT_FALSE(HasAlarm(uls(), "link_fork"));
  EXPECT_EQ(ReferralsAtUls(), 3u);
  ExpectHonestTrafficFlows();
}

TEST_F(SilentBroker, AnotherOrderLosesNothing) {
  // The second envelope is handed over first; by then the first is behind the
  // cursor, and comes back as a resend.
  uls().port().down = true;
  const std::string one = Refer();
  const std::string two = Refer();
  world_.Settle();
  std::vector<MailboxItem> items;
  uls().port().down = false;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    items.push_back(std::move(item));
    return std::nullopt;
  };
  world_.Settle();
  ASSERT_GE(items.size(), 2u);
  EXPECT_OK(uls().intake().Take(items[1]));
  EXPECT_OK(uls().intake().Take(items[0]));
  EXPECT_TRUE(Knows(uls(), two));
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  uls().port().tamper = nullptr;
  world_.Settle();
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), one));
  EXPECT_EQ(ReferralsAtUls(), 2u);
  EXPECT_FALSE(HasAlarm(uls(), "link_fork"));
  ExpectHonestTrafficFlows();
}

TEST_F(SilentBroker, RecalledMailServedAllTheSameStaysClosed) {
  std::optional<MailboxItem> kept;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (!IsEnvelope(item)) return item;
    kept = std::move(item);
    return std::nullopt;
  };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(kept);
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), referral));
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  // Behind the cursor, and under a leaf beyond it.
  EXPECT_OK(uls().intake().Take(*kept));
  EXPECT_FALSE(Knows(uls(), referral));
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (IsEnvelope(item)) item.event = kept->event;
    return item;
  };
  const std::string next = Refer();
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_FALSE(Knows(uls(), next));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  uls().port().tamper = nullptr;
  ExpectHonestTrafficFlows();
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), next));
  EXPECT_FALSE(Knows(uls(), referral));
}

TEST_F(SilentBroker, AForgedDeliveredReceiptIsNotBelieved) {
  uls().port().down = true;
  const std::string referral = Refer();
  world_.Settle();
  const std::shared_ptr<const Case> entry = ong().cases().FindByReferral(
      VALUE_OF(ong().cases().ResolveReferral(referral)));
  std::optional<Digest> digest;
  std::optional<LeafIndex> leaf;
  for (const CaseEvent& event : entry->events)
    if (event.envelope && event.to.text() == "uls")
      digest = event.envelope, leaf = event.leaf;
  ASSERT_TRUE(digest && leaf);
  // Signed by the broker's log key, and by gnr, which got its own mail.
  const auto forged = [&](const SigningKey& key) {
    return SignReceipt(Receipt{.net = ong().peers().Now()->charter.network_id,
                               .issuer = world_.broker().Id("uls"),
                               .audience = world_.broker().Id("ong"),
                               .at = world_.clock().Now(),
                               .jti = EventId::New(),
                               .kind = ReceiptKind::kDelivered,
                               .digest = *digest,
                               .leaf = *leaf},
                       key);
  };
  for (const std::string& token : {forged(world_.broker().log_key()),
                                   forged(VALUE_OF(gnr().keys().Signer()))}) {
    // At a leaf of the log's that says something else.
    LogAnyway(ToBytes(AsBytes("not " + token)));
    world_.Settle();
    const LeafReceipt at{LeafIndex(ong().log().size().value() - 1),
                         world_.clock().Now(),
                         Bytes(32, 1),
                         {}};
    EXPECT_FALSE(ong().intake().Take({at, ReceiptNotice{token}}).ok());
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
    EXPECT_TRUE(HasAlarm(ong(), "log_fork"));
    // At a leaf of its own: the broker may log what it likes.
    const LeafReceipt logged = LogAnyway(EncodeAuditEvent(ReceiptEvent{token}));
    world_.Settle();
    EXPECT_OK(ong().intake().Take({logged, ReceiptNotice{token}}));
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  }
  uls().port().down = false;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  ExpectHonestTrafficFlows();
}

}  // namespace
}  // namespace amparo::agent

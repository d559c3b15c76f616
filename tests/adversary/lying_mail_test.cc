#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "proto/envelope/codec.h"
#include "tests/adversary/lying_broker.h"

// Lies about mail, one a test: what the agents show, and what an auditor finds
// in the log of the broker that told it.

namespace amparo::agent {
namespace {

class LyingAboutMail : public LyingBroker {
 protected:
  static bool IsEnvelope(const MailboxItem& item) {
    return std::holds_alternative<Envelope>(item.event);
  }
  void KeepBackMailToUls() {
    uls().port().tamper =
        [this](MailboxItem item) -> std::optional<MailboxItem> {
      if (!IsEnvelope(item)) return item;
      kept_.push_back(std::move(item));
      return std::nullopt;
    };
  }
  // It never comes; what follows it does.
  void DropTheFirstKept() {
    uls().port().tamper =
        [id = std::get<Envelope>(kept_.at(0).event).header.envelope_id](
            MailboxItem item) -> std::optional<MailboxItem> {
      if (IsEnvelope(item) &&
          std::get<Envelope>(item.event).header.envelope_id == id)
        return std::nullopt;
      return item;
    };
  }
  static Bytes EventOf(const Envelope& envelope) {
    return EncodeAuditEvent(EnvelopeEvent{
        envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
        envelope.signature});
  }

  std::vector<MailboxItem> kept_;
};

TEST_F(LyingAboutMail, AnHonestDayHasNoFindingAndNoAlarm) {
  Sent();
  Sent();
  world_.Settle();
  EXPECT_TRUE(Audited().ok());
  EXPECT_EQ(UndeliveredToUls(), 0u);
  EXPECT_TRUE(uls().alarms().List().empty());
  EXPECT_TRUE(ong().alarms().List().empty());
  LieIsOver();
}

TEST_F(LyingAboutMail, DroppedMailStaysOpenAtTheSenderAndInTheLog) {
  KeepBackMailToUls();
  const std::string dropped = Sent();
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", dropped), Delivery::kSubmitted);
  // It was logged: that it never arrived is there for the auditor to see.
  EXPECT_TRUE(Audited().ok());
  EXPECT_EQ(UndeliveredToUls(), 1u);
  ExpectNothingRead();

  DropTheFirstKept();
  Sent();
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  LieIsOver();
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
}

TEST_F(LyingAboutMail,
       MailTakenWithAPromiseAndNeverLoggedIsProvenByThePromise) {
  // The broker signs that the envelope is the next leaf, and throws it away.
  ong().port().swallow = [this](const Envelope& envelope) {
    const LeafIndex leaf(world_.broker().store().Head().range.size().value());
    LeafReceipt receipt{leaf, world_.clock().Now(), Bytes(32, 7), {}};
    receipt.time = TimeFromUnix(UnixSeconds(receipt.time));
    receipt.signature = SignLeafReceipt(
        world_.broker().log_key(), ong().peers().Now()->charter.network_id,
        leaf,
        LogEntry{receipt.time, CommitmentEntry{LeafCommitment(
                                   receipt.salt, EventOf(envelope))}});
    return receipt;
  };
  const std::string lost = Sent();
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", lost), Delivery::kSubmitted);
  world_.clock().Advance(absl::Seconds(61));
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "inclusion_late"));
  ong().port().swallow = nullptr;
  // Something else stands at that leaf by now.
  Sent();
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "log_fork"));
  // What comes after is chained to what the log does not have.
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  EXPECT_TRUE(Finds(Audited(), FindingCode::kLinkGap));
  LieIsOver();
}

TEST_F(LyingAboutMail, TheLastMessageDroppedIsMissedAndAskedForWithinADay) {
  Sent();
  world_.Settle();
  KeepBackMailToUls();
  const std::string dropped = Sent();
  world_.Settle();
  // The broker says it was delivered long ago: nothing more is served.
  DropTheFirstKept();
  world_.Settle();
  EXPECT_FALSE(HasAlarm(uls(), "gap"));  // nothing came after it
  world_.clock().Advance(kHeartbeatEvery);
  world_.Settle();
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  world_.clock().Advance(kResendAfterGap + absl::Seconds(1));
  world_.Settle();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), dropped));
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
}

TEST_F(LyingAboutMail, DelayedMailIsSeenToWaitAndArrivesAsItWas) {
  KeepBackMailToUls();
  const std::string delayed = Sent();
  world_.Settle();
  world_.clock().Advance(absl::Hours(20));
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", delayed), Delivery::kSubmitted);
  EXPECT_TRUE(Audited().ok());
  EXPECT_EQ(UndeliveredToUls(), 1u);
  uls().port().tamper = nullptr;
  EXPECT_OK(uls().intake().Take(kept_.at(0)));
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), delayed));
  EXPECT_EQ(DeliveryTo("uls", delayed), Delivery::kDelivered);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  EXPECT_TRUE(Audited().ok());
  EXPECT_EQ(UndeliveredToUls(), 0u);
  LieIsOver();
}

TEST_F(LyingAboutMail, ReorderedMailIsAGapThatClosesAndTheLogKeepsItsOrder) {
  KeepBackMailToUls();
  const std::string one = Sent();
  const std::string two = Sent();
  world_.Settle();
  ASSERT_GE(kept_.size(), 2u);
  EXPECT_OK(uls().intake().Take(kept_[1]));
  EXPECT_TRUE(HasAlarmFor(uls(), "gap", world_.broker().Id("ong")));
  EXPECT_OK(uls().intake().Take(kept_[0]));
  EXPECT_TRUE(Knows(uls(), two));
  world_.Settle();
  const auditor::Report report = Audited();
  EXPECT_TRUE(report.ok());
  EXPECT_FALSE(HasAlarm(uls(), "link_fork"));
  LieIsOver();
  EXPECT_FALSE(HasAlarm(uls(), "gap"));
}

TEST_F(LyingAboutMail, ReplayedMailAddsNothingAndItsSecondLeafIsAFinding) {
  KeepBackMailToUls();
  const std::string referral = Sent();
  world_.Settle();
  const MailboxItem first = kept_.at(0);
  uls().port().tamper = nullptr;
  EXPECT_OK(uls().intake().Take(first));
  world_.Settle();
  const size_t cases = Cases(uls());
  // Logged once more, and handed over with the true proof of that leaf.
  const LeafReceipt again = LogAnyway(EventOf(std::get<Envelope>(first.event)));
  world_.Settle();
  const auto events = [&] {
    return uls()
        .cases()
        .FindByReferral(VALUE_OF(uls().cases().ResolveReferral(referral)))
        ->events.size();
  };
  const size_t before = events();
  EXPECT_OK(uls().intake().Take({again, first.event}));
  EXPECT_OK(uls().intake().Take(first));
  EXPECT_EQ(events(), before);
  EXPECT_EQ(Cases(uls()), cases);
  EXPECT_TRUE(Finds(Audited(), FindingCode::kLinkFork, again.leaf));
  LieIsOver();
}

TEST_F(LyingAboutMail, AnothersMailboxOpensNothing) {
  // All that uls is owed goes to gnr, and nothing to uls.
  KeepBackMailToUls();
  const std::string referral = Sent();
  world_.Settle();
  EXPECT_OK(gnr().intake().Take(kept_.at(0)));
  EXPECT_FALSE(Knows(gnr(), referral));
  EXPECT_EQ(Cases(gnr()), 0u);
  EXPECT_EQ(gnr().intake().quarantined(), 1u);
  world_.Settle();
  // No receipt of gnr's counts for it: the log shows it open.
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
  EXPECT_TRUE(Audited().ok());
  EXPECT_EQ(UndeliveredToUls(), 1u);
  LieIsOver();
}

TEST_F(LyingAboutMail, MailWithAnothersProofIsQuarantined) {
  std::optional<LeafReceipt> old;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (!IsEnvelope(item)) return item;
    if (!old) old = item.receipt;
    const LeafIndex leaf = item.receipt.leaf;
    item.receipt = *old;
    item.receipt.leaf = leaf;
    return item;
  };
  const std::string honest = Sent();
  world_.Settle();
  const std::string misproven = Sent();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), honest));
  EXPECT_FALSE(Knows(uls(), misproven));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
  // The same to the auditor: an opening with another leaf's salt.
  ShownLog log = Shown();
  const uint64_t leaf = log.openings.rbegin()->first;
  log.openings[leaf].salt = old->salt;
  EXPECT_TRUE(
      Finds(Audited(log), FindingCode::kOpeningMismatch, LeafIndex(leaf)));
  LieIsOver();
}

TEST_F(LyingAboutMail, ABrokerThatFallsSilentLosesNothingAndHasNoVerdict) {
  // In the middle: what was submitted, and its answer is lost.
  ong().port().lose_answers = true;
  const std::string unanswered = Sent();
  world_.Settle();
  ong().port().down = uls().port().down = true;
  const std::string queued = Sent();
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", queued), Delivery::kQueued);
  ong().Restart();
  uls().Restart();
  for (uint64_t answers = 0; answers < 4; ++answers) {
    ShownLog log = Shown();
    log.answers_left = answers;
    EXPECT_THAT(auditor::Replay(log, {.root = Root()}).status(),
                StatusIs(absl::StatusCode::kUnavailable));
  }
  ong().port().lose_answers = false;
  LieIsOver();
  EXPECT_EQ(VALUE_OF(uls().referrals().List(uls().officer(), {})).size(), 3u);
  EXPECT_TRUE(Audited().ok());
  EXPECT_EQ(UndeliveredToUls(), 0u);
}

}  // namespace
}  // namespace amparo::agent

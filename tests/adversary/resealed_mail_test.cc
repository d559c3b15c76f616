#include <algorithm>
#include <string>
#include <vector>

#include "tests/adversary/victims.h"

// Mail that goes out once more, because its recipient asked, or because the
// broker says that it lost it: what was answered, cancelled or erased meanwhile
// stays so, whatever leaf the second envelope has.

namespace amparo::agent {
namespace {

class ResealedMail : public Victims {
 protected:
  // The sender hears nothing.
  void KeepFromOng() {
    ong().port().tamper = [](MailboxItem) { return std::nullopt; };
  }
  void OngHearsAll() {
    ong().port().tamper = nullptr;
    world_.Settle();
  }
  // Whoever answers as broker says so.
  void TellOngOfARebuild() {
    EXPECT_OK(ong().intake().SendLostAgain(LeafIndex(0), ong().log().size()));
    world_.Settle();
  }
  // As when its recipient asked for the link under which it went.
  void SendAgain(TestAgent& from, const CaseEvent& event) {
    const Sent sent = VALUE_OF(from.outbox().SentAs(*event.envelope));
    Batch rows;
    from.outbox().Add(sent.draft, rows);
    EXPECT_OK(from.kv().Write(rows));
    world_.Settle();
  }
  void SendAgain(const std::string& referral) {
    const auto entry = CaseOf(ong(), referral);
    for (const CaseEvent& event : entry->events)
      if (std::holds_alternative<DocumentSent>(event.body))
        return SendAgain(ong(), event);
    ADD_FAILURE();
  }
  static std::shared_ptr<const Case> CaseOf(TestAgent& agent,
                                            const std::string& referral) {
    return agent.cases().FindByReferral(
        VALUE_OF(agent.cases().ResolveReferral(referral)));
  }
  static std::optional<CaseEvent> EventWithGrants(TestAgent& agent,
                                                  const std::string& referral) {
    for (const CaseEvent& event : CaseOf(agent, referral)->events)
      if (const auto* sent = std::get_if<DocumentSent>(&event.body);
          sent != nullptr && !sent->grants.empty())
        return event;
    return std::nullopt;
  }
  static ReferralState StateAt(TestAgent& agent, const std::string& referral) {
    return VALUE_OF(agent.referrals().Show(agent.officer(), referral, {}, true))
        .recipients.at(0)
        .state;
  }
  // Confirms, where the sender asked to cancel.
  void Accept(const std::string& referral) {
    EXPECT_OK(uls().referrals().Accept(uls().officer(), referral));
    world_.Settle();
  }
  void ExpectAt(ReferralState state, const std::string& referral) {
    EXPECT_EQ(StateAt(ong(), referral), state);
    EXPECT_EQ(StateAt(uls(), referral), state);
  }
};

TEST_F(ResealedMail, AttackAStoryOfARebuildUndoesNoAnswer) {
  const std::string referral = Refer();
  KeepFromOng();
  world_.Settle();
  Accept(referral);
  TellOngOfARebuild();
  OngHearsAll();
  ExpectAt(ReferralState::kAccepted, referral);
  EXPECT_GE(DeliveryTo("uls", referral), Delivery::kDelivered);
}

TEST_F(ResealedMail, WhoAsksForItAgainUndoesNoAnswer) {
  const std::string referral = Refer();
  world_.Settle();
  Accept(referral);
  SendAgain(referral);
  ExpectAt(ReferralState::kAccepted, referral);
  uls().Restart();
  ong().Restart();
  ExpectAt(ReferralState::kAccepted, referral);
}

// Else staff might go to the house.
TEST_F(ResealedMail, WhatWasCancelledDoesNotComeBack) {
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_OK(ong().referrals().Withdraw(ong().officer(), referral));
  world_.Settle();
  Accept(referral);
  ExpectAt(ReferralState::kCancelled, referral);
  for (const CaseEvent& event : CaseOf(ong(), referral)->events)
    if (event.from == ong().cases().self() && event.envelope)
      SendAgain(ong(), event);
  ExpectAt(ReferralState::kCancelled, referral);
}

TEST_F(ResealedMail, OpenedStaysOpenedWhateverEnvelopeCameLast) {
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
  world_.Settle();
  ASSERT_EQ(DeliveryTo("uls", referral), Delivery::kOpened);
  SendAgain(referral);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kOpened);
}

TEST_F(ResealedMail, ARevocationSentAgainLeavesErasedWhatWasErased) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  EXPECT_OK(ong().consents().Revoke(ong().officer(), consent, {}));
  world_.Settle();
  const auto expect_erased = [&] {
    for (TestAgent* agent : {&ong(), &uls()})
      for (const auto& [key, kept] : CaseOf(*agent, referral)->state.referrals)
        for (const auto& [slot, shared] : kept.shared)
          EXPECT_TRUE(shared.erased) << NameOf(slot);
  };
  expect_erased();
  for (const CaseEvent& event : CaseOf(ong(), referral)->events)
    if (std::holds_alternative<Revoked>(event.body) &&
        event.to != ong().cases().self())
      SendAgain(ong(), event);
  expect_erased();
}

// The consent that it went by first, and not along with it again.
TEST_F(ResealedMail, AConsentThatDoesNotComeAgainIsStillKnown) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  CaseEvent again = *EventWithGrants(uls(), referral);
  const CaseId id = again.case_id;
  std::get<DocumentSent>(again.body).grants.clear();
  EXPECT_OK(
      uls().cases().Change(id, [&](const Case*) -> absl::StatusOr<CaseChange> {
        return CaseChange{{again}, {}, {}};
      }));
  EXPECT_OK(uls().consents().Show(uls().officer(), consent));
}

// Erased, agreed to again, and sent again before its erasure was answered by
// the broker: it is there, or it is gone from the disk, as the log has their
// order.
class ErasedOnTheWay : public ResealedMail {
 protected:
  ErasedOnTheWay() {
    consent_ = RecordConsent();
    referral_ = ReferUnder(consent_);
    world_.Settle();
  }
  void RevokeAndAgreeAgain() {
    EXPECT_OK(ong().consents().Revoke(ong().officer(), consent_, {}));
    world_.Settle();
    world_.clock().Advance(absl::Minutes(2));
    Json form = VALUE_OF(ParseJson(kExampleConsentForm));
    form["case"] = CaseOf(ong(), referral_)->state.case_id.text();
    EXPECT_OK(ong().consents().Record(ong().officer(), DumpJson(form), {}, ""));
  }
  size_t OpenAtUls() {
    const ReferralView view =
        VALUE_OF(uls().referrals().Show(uls().officer(), referral_, {}, false));
    return static_cast<size_t>(std::count_if(
        view.sections.begin(), view.sections.end(), [](const auto& section) {
          return section.status == SectionView::Status::kOpen;
        }));
  }
  size_t KeptAtUls() {
    const auto entry = CaseOf(uls(), referral_);
    size_t kept = 0;
    for (const CaseEvent& event : entry->events)
      if (std::holds_alternative<DocumentSent>(event.body))
        kept += VALUE_OF(uls().cases().ContentOf(entry->state.case_id, event.id,
                                                 event.from))
                    .disclosures.size();
    return kept;
  }
  std::string consent_, referral_;
};

TEST_F(ErasedOnTheWay, AttackAnAnswerKeptBackLosesNothingThatCameAfter) {
  uls().port().lose_answers = true;  // logged, and uls does not know where
  ong().port().answer_receipt = [] {
    return absl::UnavailableError("the line is down");
  };
  RevokeAndAgreeAgain();
  EXPECT_OK(
      ong().referrals().Disclose(ong().officer(), referral_, "uls", {"needs"}));
  world_.Settle();
  EXPECT_GT(KeptAtUls(), 0u);
  uls().port().lose_answers = false;
  ong().port().answer_receipt = nullptr;
  world_.Settle();
  EXPECT_EQ(OpenAtUls(), 1u);
}

TEST_F(ErasedOnTheWay, WhatCameBeforeItIsGoneFromTheDisk) {
  uls().port().refuse_submit = [] { return absl::UnavailableError("not now"); };
  RevokeAndAgreeAgain();
  EXPECT_EQ(KeptAtUls(), 0u);
  SendAgain(referral_);
  EXPECT_GT(KeptAtUls(), 0u);
  uls().port().refuse_submit = nullptr;
  world_.Settle();
  EXPECT_EQ(KeptAtUls(), 0u);
  EXPECT_EQ(OpenAtUls(), 0u);
}

// Intake refuses what would bring more than kAuthoritiesMax; each is counted
// once, however often it comes.
TEST_F(ResealedMail, AttackConsentsWithoutEndForOneEventAreCounted) {
  RecordConsent();
  const std::string referral = Refer();
  world_.Settle();
  const CaseEvent stored = *EventWithGrants(uls(), referral);
  EXPECT_EQ(BroughtBy(stored, stored).added, 0u);
  CaseEvent again = stored;
  auto& grants = std::get<DocumentSent>(again.body).grants;
  const size_t had = grants.size();
  const Grant one = grants.front();
  for (size_t i = 0; i < kAuthoritiesMax; ++i) {
    grants.push_back(one);
    grants.back().digest = Sha256(std::to_string(i));
  }
  const Brought brought = BroughtBy(stored, again);
  EXPECT_EQ(brought.added, kAuthoritiesMax);
  EXPECT_EQ(brought.in_all, had + kAuthoritiesMax);
  EXPECT_EQ(
      BroughtBy(InPlaceOf(stored, again, uls().cases().self()), again).added,
      0u);
}

}  // namespace
}  // namespace amparo::agent

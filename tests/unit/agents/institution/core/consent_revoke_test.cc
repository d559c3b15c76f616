#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

class ConsentRevoke : public DeskTest {
 protected:
  RevokeOutcome Revoke(const std::string& consent,
                       const ConsentDesk::Part& part = {}) {
    return VALUE_OF(ong().consents().Revoke(ong().officer(), consent, part));
  }
  void ExpectErased(TestAgent& agent, const std::string& referral) {
    for (const SectionView& section : Look(agent, referral).sections) {
      EXPECT_EQ(section.status, SectionView::Status::kErased)
          << NameOf(section.slot);
      EXPECT_EQ(section.fields_json, "");
    }
  }
};

TEST_F(ConsentRevoke, DestroysWhatMembersHaveAndBringsTheirReceipts) {
  const Sent sent = Delivered({"uls", "gnr"});
  const RevokeOutcome revoked = Revoke(sent.consent);
  EXPECT_EQ(revoked.status, GrantStatus::kRevoked);
  EXPECT_EQ(revoked.revoked_by, "subject");
  EXPECT_TRUE(revoked.recalled.empty());
  ASSERT_EQ(revoked.recipients.size(), 2u);
  for (const RevokedRecipient& recipient : revoked.recipients)
    EXPECT_EQ(recipient.answer, "pending");
  EXPECT_EQ(Status(ong(), sent.referral).erasures_expected, 2u);
  EXPECT_EQ(Status(ong(), sent.referral).erasures_received, 0u);
  world_.Settle();
  ExpectErased(at("uls"), sent.referral);
  ExpectErased(at("gnr"), sent.referral);
  EXPECT_EQ(Status(ong(), sent.referral).erasures_received, 2u);
  const auto inbox = VALUE_OF(at("uls").referrals().Inbox(at("uls").officer()));
  ASSERT_EQ(inbox.items.size(), 1u);
  EXPECT_TRUE(inbox.items[0].row.emptied);
  const ConsentView view =
      VALUE_OF(ong().consents().Show(ong().officer(), sent.consent));
  EXPECT_EQ(view.status, GrantStatus::kRevoked);
  EXPECT_TRUE(view.access.empty());
  ASSERT_EQ(view.recipients.size(), 2u);
  for (const RevokedRecipient& recipient : view.recipients)
    EXPECT_EQ(recipient.answer, "deleted");
  // The disclosures are gone from the recipient's disk, not only from view.
  const auto there = at("uls").cases().All().at(0);
  for (const CaseEvent& event : there->events) {
    if (!std::holds_alternative<DocumentSent>(event.body)) continue;
    const Content content = VALUE_OF(at("uls").cases().ContentOf(
        there->state.case_id, event.id, event.from));
    EXPECT_TRUE(content.disclosures.empty());
  }
}

TEST_F(ConsentRevoke, RemovesDraftsThatHaveNotLeft) {
  const Sent sent = Send({"uls", "gnr"});
  EXPECT_EQ(ong().outbox().size(), 2u);
  const RevokeOutcome revoked = Revoke(sent.consent);
  EXPECT_TRUE(revoked.recipients.empty());
  EXPECT_EQ(ong().outbox().size(), 0u);
  for (const RecipientState& state : Status(ong(), sent.referral).recipients) {
    EXPECT_EQ(state.state, ReferralState::kError);
    EXPECT_EQ(state.delivery, Delivery::kFailed);
    EXPECT_EQ(state.failure, "consent_revoked");
    EXPECT_TRUE(state.slots.empty());
  }
  world_.Settle();
  EXPECT_TRUE(at("uls").cases().All().empty());
  EXPECT_TRUE(at("gnr").cases().All().empty());
}

TEST_F(ConsentRevoke, RecallsEnvelopesThatWereNotDelivered) {
  at("uls").port().down = true;
  const Sent sent = Delivered({"uls"});
  const RevokeOutcome revoked = Revoke(sent.consent);
  ASSERT_EQ(revoked.recalled.size(), 1u);
  EXPECT_EQ(Status(ong(), sent.referral).recipients[0].envelope_id,
            revoked.recalled[0]);
  world_.Settle();
  EXPECT_EQ(Status(ong(), sent.referral).recipients[0].delivery,
            Delivery::kRecalled);
  at("uls").port().down = false;
  world_.Settle();
  EXPECT_TRUE(
      VALUE_OF(at("uls").referrals().List(at("uls").officer(), {})).empty());
  // What came is a revocation of nothing: no case to look at.
  EXPECT_TRUE(
      VALUE_OF(at("uls").consents().ListCases(at("uls").officer())).empty());
  EXPECT_EQ(Status(ong(), sent.referral).erasures_expected, 0u);
}

TEST_F(ConsentRevoke, RecallsAnEnvelopeWhoseAnswerIsNotHereYet) {
  ong().port().lose_answers = true;
  at("uls").port().down = true;
  const Sent sent = Delivered({"uls"});
  const RevokeOutcome revoked = Revoke(sent.consent);
  EXPECT_EQ(revoked.recalled.size(), 1u);
  ong().port().lose_answers = false;
  world_.Settle();
  at("uls").port().down = false;
  world_.Settle();
  EXPECT_EQ(Status(ong(), sent.referral).recipients[0].delivery,
            Delivery::kRecalled);
  EXPECT_TRUE(
      VALUE_OF(at("uls").referrals().List(at("uls").officer(), {})).empty());
}

TEST_F(ConsentRevoke, IsInTimeForWhoeverTakesItsMailLater) {
  // Delivered before the recall arrives: the revocation follows.
  const Sent sent = Send({"uls"});
  world_.Settle();
  Revoke(sent.consent);
  world_.Settle();
  ExpectErased(at("uls"), sent.referral);
}

TEST_F(ConsentRevoke, EndsTheWholeChain) {
  const Sent sent = Delivered({"uls"});
  const ConsentView extended = VALUE_OF(
      ong().consents().Extend(ong().officer(), sent.consent,
                              MoreConsent("\"health\"", "uls", "health_care")));
  VALUE_OF(ong().referrals().Disclose(ong().officer(), sent.referral, "uls",
                                      {"health"}));
  world_.Settle();
  // By the old id: whoever has the paper of the first day can use it.
  EXPECT_EQ(Revoke(sent.consent).status, GrantStatus::kRevoked);
  world_.Settle();
  EXPECT_EQ(
      VALUE_OF(ong().consents().Show(ong().officer(), extended.grant_id.text()))
          .status,
      GrantStatus::kRevoked);
  ExpectErased(at("uls"), sent.referral);
  EXPECT_EQ(at("uls").intake().quarantined(), 0u);
  EXPECT_EQ(Status(ong(), sent.referral).erasures_expected, 1u);
  EXPECT_EQ(Status(ong(), sent.referral).erasures_received, 1u);
}

TEST_F(ConsentRevoke, DropsGrantsThatWaitToBeSent) {
  const Sent sent = Delivered({"uls"});
  VALUE_OF(
      ong().consents().Extend(ong().officer(), sent.consent,
                              MoreConsent("\"health\"", "uls", "health_care")));
  EXPECT_EQ(ong().outbox().size(), 1u);
  Revoke(sent.consent);
  // One revocation, of the grant that uls has.
  const auto drafts = VALUE_OF(ong().outbox().Drafts());
  ASSERT_EQ(drafts.size(), 1u);
  EXPECT_EQ(drafts[0].kind, EventKind::kRevoked);
  world_.Settle();
  ExpectErased(at("uls"), sent.referral);
  EXPECT_EQ(Status(ong(), sent.referral).erasures_received, 1u);
}

TEST_F(ConsentRevoke, TwiceIsOnce) {
  const Sent sent = Delivered({"uls"});
  const RevokeOutcome first = Revoke(sent.consent);
  world_.Settle();
  const RevokeOutcome again = Revoke(sent.consent);
  EXPECT_EQ(again.revoked_at, first.revoked_at);
  ASSERT_EQ(again.recipients.size(), 1u);
  EXPECT_EQ(again.recipients[0].answer, "deleted");
  EXPECT_EQ(ong().outbox().size(), 0u);
}

TEST_F(ConsentRevoke, OfASectionTakesThatSectionOnly) {
  const Sent sent = Delivered({"uls", "gnr"});
  const RevokeOutcome revoked = Revoke(sent.consent, {.section = "identity"});
  EXPECT_EQ(revoked.status, GrantStatus::kSuperseded);
  // Where what is left went, in the answer and on record.
  ASSERT_TRUE(revoked.superseded_by.has_value());
  const AccessRecord record =
      VALUE_OF(ong().access_log().Read(std::nullopt, 100)).back();
  EXPECT_EQ(record.action, "consent_revoke");
  EXPECT_EQ(record.supersedes, sent.consent);
  EXPECT_EQ(record.grant_or_basis, revoked.superseded_by->text());
  ASSERT_EQ(revoked.recipients.size(), 2u);
  EXPECT_EQ(Names(revoked.recipients[0].slots), "identity");
  world_.Settle();
  for (const char* member : {"uls", "gnr"}) {
    SCOPED_TRACE(member);
    const ReferralView view = Look(at(member), sent.referral);
    EXPECT_EQ(Find(view, "identity")->status, SectionView::Status::kErased);
    EXPECT_EQ(Find(view, "needs_summary")->status, SectionView::Status::kOpen);
    EXPECT_EQ(at(member).intake().quarantined(), 0u);
  }
  EXPECT_EQ(Status(ong(), sent.referral).erasures_received, 2u);
  const auto consents =
      VALUE_OF(ong().consents().List(ong().officer(), sent.case_id));
  ASSERT_EQ(consents.size(), 2u);
}

TEST_F(ConsentRevoke, OfAMemberLeavesTheOthers) {
  const Sent sent = Delivered({"uls", "gnr"});
  const RevokeOutcome revoked = Revoke(sent.consent, {.member = "gnr"});
  ASSERT_EQ(revoked.recipients.size(), 1u);
  EXPECT_EQ(revoked.recipients[0].member.text(), "gnr");
  world_.Settle();
  ExpectErased(at("gnr"), sent.referral);
  EXPECT_EQ(Find(Look(at("uls"), sent.referral), "identity")->status,
            SectionView::Status::kOpen);
}

TEST_F(ConsentRevoke, OfAPurposeTakesWhatWasSentForIt) {
  const Sent sent = Delivered({"uls", "gnr"});
  const RevokeOutcome revoked = Revoke(sent.consent, {.purpose = "safety"});
  ASSERT_EQ(revoked.recipients.size(), 1u);
  EXPECT_EQ(revoked.recipients[0].member.text(), "gnr");
}

TEST_F(ConsentRevoke, OfAPartKeepsDraftsThatAreStillAllowedSomething) {
  const Sent sent = Send({"uls"});
  const RevokeOutcome revoked = Revoke(sent.consent, {.section = "identity"});
  EXPECT_TRUE(revoked.recipients.empty());  // nobody has anything yet
  EXPECT_EQ(ong().outbox().size(), 1u);
  world_.Settle();
  const ReferralView view = Look(at("uls"), sent.referral);
  EXPECT_EQ(Find(view, "identity"), nullptr);
  EXPECT_NE(Find(view, "needs_summary"), nullptr);
}

TEST_F(ConsentRevoke, OfAPartThatIsNotThereIsRefused) {
  const Sent sent = Delivered({"uls"});
  const auto revoke = [&](const ConsentDesk::Part& part) {
    return ong().consents().Revoke(ong().officer(), sent.consent, part);
  };
  EXPECT_THAT(revoke({.section = "gossip"}), HasErrorCode("usage"));
  EXPECT_THAT(revoke({.member = "mp"}), HasErrorCode("usage"));
  EXPECT_THAT(revoke({.purpose = "fun"}), HasErrorCode("usage"));
}

TEST_F(ConsentRevoke, BelongsToTheIssuer) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  EXPECT_THAT(uls.consents().Revoke(uls.officer(), sent.consent, {}),
              HasErrorCode("invalid_state"));
  EXPECT_THAT(at("mp").consents().Revoke(at("mp").officer(), sent.consent, {}),
              HasErrorCode("not_found"));
}

TEST_F(ConsentRevoke, LeavesWhatAnotherConsentThatTheMemberHasCovers) {
  const Sent sent = Delivered({"uls"});
  const ConsentView second = Record(PlainConsent(sent.case_id));
  SendRequest request = RequestTo({"uls"}, second.grant_id.text());
  request.form_json = FormFor({"uls"});
  VALUE_OF(ong().referrals().Send(ong().officer(), request));
  world_.Settle();
  // Both referrals rest on the grant that policy found first; uls has that one.
  const std::string used =
      Find(Look(ong(), sent.referral), "identity")->authority;
  const std::string other =
      used == sent.consent ? second.grant_id.text() : sent.consent;
  EXPECT_TRUE(Revoke(other).recipients.empty());
  world_.Settle();
  EXPECT_EQ(Find(Look(at("uls"), sent.referral), "identity")->status,
            SectionView::Status::kOpen);
}

TEST_F(ConsentRevoke, CountsOnNoConsentThatTheMemberWasNotSent) {
  const Sent sent = Delivered({"uls"});
  Record(PlainConsent(sent.case_id));  // nothing went by it
  const RevokeOutcome revoked = Revoke(sent.consent);
  ASSERT_EQ(revoked.recipients.size(), 1u);
  EXPECT_EQ(revoked.recipients[0].slots.size(), 4u);
  world_.Settle();
  ExpectErased(at("uls"), sent.referral);
  EXPECT_EQ(Status(ong(), sent.referral).erasures_received, 1u);
}

TEST_F(ConsentRevoke, StoresNothingWhenTheDiskFails) {
  const Sent sent = Delivered({"uls"});
  ong().kv().FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(ong().consents().Revoke(ong().officer(), sent.consent, {}).ok());
  ong().kv().FailWrites(absl::OkStatus());
  EXPECT_EQ(
      VALUE_OF(ong().consents().Show(ong().officer(), sent.consent)).status,
      GrantStatus::kActive);
  EXPECT_EQ(Revoke(sent.consent).status, GrantStatus::kRevoked);
}

}  // namespace
}  // namespace amparo::agent

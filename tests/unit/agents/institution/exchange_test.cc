#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "proto/envelope/limits.h"
#include "tests/support/agent_world.h"
#include "tests/support/example_forms.h"
#include "tests/support/status_matchers.h"

// What crosses from one institution's agent to another's, through a real
// broker's core: the main corridor, without processes or ports.

namespace amparo::agent {
namespace {

std::vector<std::string> SlotsOf(const std::vector<SectionView>& sections) {
  std::vector<std::string> names;
  for (const SectionView& section : sections) names.push_back(NameOf(section.slot));
  std::sort(names.begin(), names.end());
  return names;
}

const SectionView* FindSlot(const ReferralView& view, const std::string& name) {
  for (const SectionView& section : view.sections)
    if (NameOf(section.slot) == name) return &section;
  return nullptr;
}

const RecipientState& StateOf(const ReferralView& view, const std::string& member) {
  for (const RecipientState& state : view.recipients)
    if (state.member.text() == member) return state;
  throw std::runtime_error("no such recipient");
}

// More consent: the narrative for uls, for six months.
constexpr char kNarrativeForUls[] = R"({
    "schema":"consent_form/1","case":null,"jurisdiction":"PT","agreement":"given",
    "expressed_by":[{"party":"subject","capacity":"full","method":"signed_paper","at":"2026-11-21T09:00:00Z"}],
    "child_view":null,"language":"pt","interpreter":false,"notice":"notice-pt-3",
    "provisions":[{"effect":"permit","sections":["narrative"],"recipients":[{"member":"uls"}],
      "purposes":["health_care"],"direction":"send","redisclosure":"forbidden",
      "legal_basis":["A9-2-h"],"from":null,"until":null}],
    "exclusions":[],"statistics":"given","retention":"P5Y"})";

class Exchange : public testing::Test {
 protected:
  TestAgent& ong() { return world_.agent("ong"); }
  TestAgent& uls() { return world_.agent("uls"); }
  TestAgent& gnr() { return world_.agent("gnr"); }

  std::string RecordConsent() {
    return VALUE_OF(ong().consents().Record(ong().officer(), kExampleConsentForm, {}, ""))
        .grant_id.text();
  }
  std::string Send(const std::string& consent) {
    SendRequest request;
    request.to = {"uls", "gnr"};
    request.form_json = kExampleReferralForm;
    request.consent = consent;
    const SendOutcome outcome = VALUE_OF(ong().referrals().Send(ong().officer(), request));
    EXPECT_TRUE(outcome.allowed);
    return outcome.referral_id->text();
  }
  ReferralView See(TestAgent& agent, const std::string& id,
                   const std::vector<std::string>& open = {}) {
    return VALUE_OF(agent.referrals().Show(agent.officer(), id, open, false));
  }
  ReferralView StatusOfReferral(TestAgent& agent, const std::string& id) {
    return VALUE_OF(agent.referrals().Show(agent.officer(), id, {}, true));
  }

  AgentWorld world_;
};

TEST_F(Exchange, EveryAgentKnowsEveryPrekey) {
  for (const char* from : {"gnr", "mp", "uls", "cpcj", "ong"})
    for (const char* to : {"gnr", "mp", "uls", "cpcj", "ong"})
      EXPECT_OK(world_.agent(from).peers().PrekeyFor(world_.broker().Id(to),
                                                     world_.clock().Now()))
          << from << " to " << to;
}

TEST_F(Exchange, EachRecipientSeesItsOwnSections) {
  const std::string referral = Send(RecordConsent());
  world_.Settle();
  EXPECT_EQ(SlotsOf(See(uls(), referral).sections),
            (std::vector<std::string>{"children_summary", "health", "identity", "incident_summary",
                                      "needs_summary", "risk_summary", "safe_contact"}));
  // The consent excludes a person at gnr whom nobody there is known to be: the
  // case is for a supervisor until one has looked.
  EXPECT_THAT(gnr().referrals().Show(gnr().officer(), referral, {}, false),
              StatusIs(absl::StatusCode::kNotFound));
  const ReferralView police =
      VALUE_OF(gnr().referrals().Show(gnr().supervisor(), referral, {}, false));
  EXPECT_EQ(FindSlot(police, "safe_contact"), nullptr);
  EXPECT_NE(FindSlot(police, "identity"), nullptr);
  EXPECT_NE(FindSlot(police, "perpetrator"), nullptr);
  EXPECT_EQ(uls().intake().quarantined() + gnr().intake().quarantined(), 0u);
  EXPECT_THAT(uls().cases().ResolveReferral(referral), IsOk());
  EXPECT_THAT(world_.agent("mp").cases().ResolveReferral(referral),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(Exchange, TheSafeContactIsMaskedUntilOpenedOnPurpose) {
  const std::string referral = Send(RecordConsent());
  world_.Settle();
  const ReferralView masked = See(uls(), referral);
  EXPECT_EQ(FindSlot(masked, "safe_contact")->status, SectionView::Status::kMasked);
  EXPECT_TRUE(FindSlot(masked, "safe_contact")->fields_json.empty());
  const ReferralView opened = See(uls(), referral, {"safe_contact"});
  EXPECT_EQ(FindSlot(opened, "safe_contact")->status, SectionView::Status::kOpen);
  EXPECT_NE(FindSlot(opened, "safe_contact")->fields_json.find("laranja"),
            std::string::npos);
}

TEST_F(Exchange, TheSenderSeesDeliveredOpenedAnsweredFromReceipts) {
  const std::string referral = Send(RecordConsent());
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery, Delivery::kQueued);
  world_.Settle();
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery,
            Delivery::kDelivered);
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").state,
            ReferralState::kReceived);
  See(uls(), referral);
  world_.Settle();
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery, Delivery::kOpened);
  VALUE_OF(uls().referrals().Accept(uls().officer(), referral));
  VALUE_OF(gnr().referrals().Decline(gnr().supervisor(), referral, "outside_area"));
  world_.Settle();
  const ReferralView view = StatusOfReferral(ong(), referral);
  EXPECT_EQ(StateOf(view, "uls").state, ReferralState::kAccepted);
  EXPECT_EQ(StateOf(view, "gnr").state, ReferralState::kDeclined);
  EXPECT_EQ(StateOf(view, "gnr").reason_code, "outside_area");
}

TEST_F(Exchange, ALaterDisclosureFitsTheFirstDigest) {
  const std::string consent = RecordConsent();
  const std::string referral = Send(consent);
  world_.Settle();
  EXPECT_EQ(FindSlot(See(uls(), referral), "narrative"), nullptr);
  VALUE_OF(ong().consents().Extend(ong().officer(), consent, kNarrativeForUls));
  const ReferralChange change = VALUE_OF(
      ong().referrals().Disclose(ong().officer(), referral, "uls", {"narrative"}));
  EXPECT_TRUE(change.fits_first_digest);
  world_.Settle();
  const ReferralView view = See(uls(), referral);
  ASSERT_NE(FindSlot(view, "narrative"), nullptr);
  EXPECT_TRUE(FindSlot(view, "narrative")->fits_first_digest);
  EXPECT_NE(FindSlot(view, "narrative")->fields_json.find("examination"),
            std::string::npos);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(Exchange, AnUpdateReplacesASection) {
  const std::string referral = Send(RecordConsent());
  world_.Settle();
  VALUE_OF(ong().referrals().Update(ong().officer(), referral, R"({
    "schema":"update_form/1","sections":{"health":{"injuries":"fracture, left arm"}}})"));
  world_.Settle();
  const ReferralView view = See(uls(), referral);
  EXPECT_EQ(FindSlot(view, "health")->version, 2u);
  EXPECT_NE(FindSlot(view, "health")->fields_json.find("fracture"), std::string::npos);
}

TEST_F(Exchange, ARevocationDestroysTheSectionsAndBringsAReceipt) {
  const std::string consent = RecordConsent();
  const std::string referral = Send(consent);
  world_.Settle();
  See(uls(), referral);
  const RevokeOutcome revoked =
      VALUE_OF(ong().consents().Revoke(ong().officer(), consent, {}));
  EXPECT_EQ(revoked.status, GrantStatus::kRevoked);
  world_.Settle();
  for (const SectionView& section : See(uls(), referral, {"safe_contact"}).sections) {
    EXPECT_EQ(section.status, SectionView::Status::kErased) << NameOf(section.slot);
    EXPECT_TRUE(section.fields_json.empty());
  }
  const ConsentView view = VALUE_OF(ong().consents().Show(ong().officer(), consent));
  ASSERT_FALSE(view.recipients.empty());
  for (const RevokedRecipient& recipient : view.recipients)
    EXPECT_EQ(recipient.answer, "deleted") << recipient.member.text();
  const ReferralView own = StatusOfReferral(ong(), referral);
  EXPECT_EQ(own.erasures_expected, own.erasures_received);
  EXPECT_EQ(own.erasures_expected, 2u);
}

TEST_F(Exchange, ADateThatTheBrokerNeverTookIsMadeAnew) {
  const std::string consent = RecordConsent();
  ong().port().before_anchor = [&] { ong().port().down = true; };
  const std::string referral = Send(consent);
  world_.Settle();
  ong().port().before_anchor = nullptr;
  world_.clock().Advance(absl::Minutes(30));
  ong().port().down = false;
  world_.Settle();
  world_.Settle();
  EXPECT_EQ(StateOf(VALUE_OF(ong().referrals().Show(ong().officer(), referral,
                                                    {}, true)),
                    "uls")
                .delivery,
            Delivery::kDelivered);
}

TEST_F(Exchange, ADraftThatWaitsForTheBrokerIsStoppedByARevocation) {
  const std::string consent = RecordConsent();
  ong().port().down = true;
  const std::string referral = Send(consent);
  world_.Settle();
  VALUE_OF(ong().consents().Revoke(ong().officer(), consent, {}));
  ong().port().down = false;
  world_.Settle();
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery, Delivery::kFailed);
  EXPECT_THAT(uls().cases().ResolveReferral(referral),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(Exchange, ALostAnswerMakesNoSecondReferral) {
  std::map<std::string, std::set<EnvelopeId>> came;
  for (const char* to : {"uls", "gnr"})
    world_.agent(to).port().tamper = [&came, to](MailboxItem item) {
      if (const auto* envelope = std::get_if<Envelope>(&item.event))
        came[to].insert(envelope->header.envelope_id);
      return std::optional<MailboxItem>(std::move(item));
    };
  ong().port().lose_first_answers = true;
  const std::string referral = Send(RecordConsent());
  for (int i = 0; i < 4; ++i) {
    world_.Settle();
    ong().Restart();  // what is under way was on disk
  }
  EXPECT_EQ(ong().port().answers_lost, 2u);  // one for each recipient
  for (const char* to : {"uls", "gnr"}) {
    EXPECT_EQ(came[to].size(), 1u) << to;
    EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), to).delivery,
              Delivery::kDelivered)
        << to;
    EXPECT_EQ(
        VALUE_OF(world_.agent(to).referrals().List(world_.agent(to).supervisor(), {}))
            .size(),
        1u)
        << to;
    EXPECT_EQ(world_.agent(to).intake().quarantined(), 0u) << to;
  }
}

TEST_F(Exchange, ADisclosureThatPolicyStopsIsNotShared) {
  const std::string consent = RecordConsent();
  const std::string referral = Send(consent);
  world_.Settle();
  VALUE_OF(ong().consents().Extend(ong().officer(), consent, kNarrativeForUls));
  ong().port().down = true;
  VALUE_OF(ong().referrals().Disclose(ong().officer(), referral, "uls", {"narrative"}));
  world_.clock().Advance(absl::Hours(24 * 200));  // the permit runs out
  ong().port().down = false;
  world_.Settle();
  const ReferralView view = StatusOfReferral(ong(), referral);
  for (const Slot slot : StateOf(view, "uls").slots)
    EXPECT_NE(NameOf(slot), "narrative");
  EXPECT_EQ(FindSlot(See(uls(), referral), "narrative"), nullptr);
}

TEST_F(Exchange, AReferralIsReadWithoutASigningKeyAndReceiptedLater) {
  const std::string referral = Send(RecordConsent());
  world_.Settle();
  uls().port().down = true;  // so long that its signing key runs out
  world_.clock().Advance(kSigningKeyLife + absl::Hours(1));
  world_.Settle();
  ASSERT_THAT(uls().keys().Signer(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_NE(FindSlot(See(uls(), referral), "identity"), nullptr);
  uls().Restart();  // what is owed is on disk
  uls().port().down = false;
  world_.Settle();
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery,
            Delivery::kOpened);
}

TEST_F(Exchange, AConsentOutlivesTheKeyThatSignedIt) {
  const std::string consent = RecordConsent();
  const std::string first = Send(consent);
  world_.Settle();
  const Digest old_key =
      VALUE_OF(ong().keys().Signer()).verify_key().Thumbprint();
  for (int month = 0; month < 4; ++month) {
    world_.clock().Advance(absl::Hours(24 * 30));
    world_.Settle();
  }
  ASSERT_NE(VALUE_OF(ong().keys().Signer()).verify_key().Thumbprint(), old_key);
  const std::string referral = Send(consent);
  VALUE_OF(ong().consents().Extend(ong().officer(), consent, kNarrativeForUls));
  VALUE_OF(
      ong().referrals().Disclose(ong().officer(), first, "uls", {"narrative"}));
  world_.Settle();
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  EXPECT_NE(FindSlot(See(uls(), referral), "identity"), nullptr);
  EXPECT_NE(FindSlot(See(uls(), first), "narrative"), nullptr);
}

TEST_F(Exchange, ARestartedRecipientTakesInWhatItHadNot) {
  const std::string referral = Send(RecordConsent());
  uls().port().down = true;
  world_.Settle();
  uls().Restart();
  uls().port().down = false;
  world_.Settle();
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
}

TEST_F(Exchange, AWithdrawnReferralThatWasNotDeliveredIsTakenBack) {
  uls().port().down = true;
  const std::string referral = Send(RecordConsent());
  world_.Settle();
  VALUE_OF(ong().referrals().Withdraw(ong().officer(), referral));
  world_.Settle();
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery,
            Delivery::kRecalled);
  uls().port().down = false;
  world_.Settle();
  EXPECT_THAT(uls().cases().ResolveReferral(referral),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(Exchange, WhatIsTooLargeKeepsNothingElseWaiting) {
  Batch rows;
  ong().outbox().Add({.recipient = world_.broker().Id("cpcj"),
                      .kind = EventKind::kHeartbeat,
                      .event_id = EventId::New(),
                      .document = std::string(2 << 20, 'x')},
                     rows);
  ASSERT_OK(ong().kv().Write(rows));
  const std::string referral = Send(RecordConsent());
  world_.Settle();
  EXPECT_EQ(ong().outbox().size(), 0u);
  EXPECT_EQ(StateOf(StatusOfReferral(ong(), referral), "uls").delivery,
            Delivery::kDelivered);
}

}  // namespace
}  // namespace amparo::agent

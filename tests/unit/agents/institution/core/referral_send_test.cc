#include <thread>

#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

using ReferralSend = DeskTest;

TEST_F(ReferralSend, GivesEachRecipientItsOwnSections) {
  const ConsentView consent = Record();
  const SendOutcome outcome = VALUE_OF(ong().referrals().Send(
      ong().officer(), RequestTo({"uls", "gnr"}, consent.grant_id.text())));
  ASSERT_TRUE(outcome.allowed);
  ASSERT_EQ(outcome.recipients.size(), 2u);
  EXPECT_EQ(outcome.recipients[0].member.text(), "gnr");
  EXPECT_EQ(Names(outcome.recipients[0].slots),
            "identity risk incident legal housing_summary needs_summary");
  EXPECT_EQ(outcome.recipients[1].member.text(), "uls");
  EXPECT_EQ(Names(outcome.recipients[1].slots),
            "identity safe_contact risk_summary needs_summary");
  EXPECT_EQ(outcome.recipients[0].state, ReferralState::kSent);
  EXPECT_EQ(outcome.recipients[0].delivery, Delivery::kQueued);
  EXPECT_EQ(outcome.case_id, consent.case_id);
}

TEST_F(ReferralSend, ReachesBothAndSaysSoFromTheirReceipts) {
  const Sent sent = Delivered({"uls", "gnr"});
  for (const RecipientState& state : Status(ong(), sent.referral).recipients) {
    EXPECT_EQ(state.state, ReferralState::kReceived) << state.member.text();
    EXPECT_EQ(state.delivery, Delivery::kDelivered);
    EXPECT_TRUE(state.leaf.has_value());
    EXPECT_TRUE(state.envelope_id.has_value());
  }
  EXPECT_EQ(
      VALUE_OF(at("uls").referrals().Inbox(at("uls").officer())).items.size(),
      1u);
  EXPECT_EQ(
      VALUE_OF(at("mp").referrals().Inbox(at("mp").officer())).items.size(),
      0u);
}

TEST_F(ReferralSend, ADryRunStoresNothing) {
  const ConsentView consent = Record();
  const uint64_t revision = ong().cases().revision();
  const TreeSize log = ong().access_log().size();
  SendRequest request = RequestTo({"uls", "gnr"}, consent.grant_id.text());
  request.dry_run = true;
  const SendOutcome outcome =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  EXPECT_TRUE(outcome.allowed);
  EXPECT_FALSE(outcome.referral_id.has_value());
  ASSERT_EQ(outcome.decisions.size(), 2u);
  EXPECT_EQ(outcome.decisions[0].sections.size(), 12u);
  EXPECT_TRUE(outcome.decisions[0].reachable);
  EXPECT_EQ(ong().cases().revision(), revision);
  EXPECT_EQ(ong().outbox().size(), 0u);
  EXPECT_EQ(ong().access_log().size(), log);
}

TEST_F(ReferralSend, IsAllOrNothing) {
  const ConsentView consent = Record();
  SendRequest request =
      RequestTo({"uls", "gnr", "mp"}, consent.grant_id.text());
  const SendOutcome outcome =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  EXPECT_FALSE(outcome.allowed);
  EXPECT_FALSE(outcome.referral_id.has_value());
  ASSERT_EQ(outcome.decisions.size(), 3u);
  EXPECT_TRUE(outcome.decisions[0].allowed);
  EXPECT_FALSE(outcome.decisions[2].allowed);
  EXPECT_EQ(ong().outbox().size(), 0u);
  EXPECT_TRUE(VALUE_OF(ong().referrals().List(ong().officer(), {})).empty());
  EXPECT_EQ(Records(ong()).back().outcome, "nothing_to_send");
}

TEST_F(ReferralSend, NeverSendsToAnExcludedMember) {
  const ConsentView consent = Record(
      PlainConsent("", R"({"member":"uls","reason":"relative_works_there"})"));
  const SendOutcome outcome = VALUE_OF(ong().referrals().Send(
      ong().officer(), RequestTo({"uls", "gnr"}, consent.grant_id.text())));
  EXPECT_FALSE(outcome.allowed);
  for (const SectionDecision& section : outcome.decisions[0].sections)
    EXPECT_EQ(section.reason, Reason::kExcluded);
}

TEST_F(ReferralSend, RefusesARevokedConsentWhateverElseTheCaseAllows) {
  const ConsentView first = Record();
  const ConsentView second = Record(PlainConsent(first.case_id.text()));
  EXPECT_OK(
      ong().consents().Revoke(ong().officer(), first.grant_id.text(), {}));
  SendRequest request = RequestTo({"uls", "gnr"}, first.grant_id.text());
  const SendOutcome outcome =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  ASSERT_FALSE(outcome.allowed);
  EXPECT_EQ(outcome.decisions[0].sections[0].reason, Reason::kRevoked);
  request.consent = second.grant_id.text();
  EXPECT_TRUE(
      VALUE_OF(ong().referrals().Send(ong().officer(), request)).allowed);
}

TEST_F(ReferralSend, RefusesAnExpiredConsent) {
  const ConsentView consent = Record();
  world_.clock().Advance(absl::Hours(24 * 200));
  const SendOutcome outcome =
      VALUE_OF(ong().referrals().Send(ong().officer(), [&] {
        SendRequest request =
            RequestTo({"uls", "gnr"}, consent.grant_id.text());
        request.dry_run = true;
        return request;
      }()));
  ASSERT_FALSE(outcome.allowed);
  EXPECT_EQ(outcome.decisions[0].sections[0].reason, Reason::kExpired);
}

TEST_F(ReferralSend, NeedsTheRole) {
  const ConsentView consent = Record();
  const Officer admin = AddOfficer(ong(), "root", {Role::kAdmin}, 0);
  const SendRequest request =
      RequestTo({"uls", "gnr"}, consent.grant_id.text());
  EXPECT_THAT(ong().referrals().Send(admin, request),
              HasErrorCode("role_missing"));
  EXPECT_THAT(ong().referrals().Send(
                  AddOfficer(ong(), "eye", {Role::kAuditor}, 2), request),
              HasErrorCode("role_missing"));
}

TEST_F(ReferralSend, AnswersARepeatedRequestWithTheFirstAnswer) {
  const ConsentView consent = Record();
  SendRequest request = RequestTo({"uls", "gnr"}, consent.grant_id.text());
  request.request_id = "once";
  const SendOutcome first =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  const SendOutcome again =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  EXPECT_EQ(again.referral_id, first.referral_id);
  EXPECT_EQ(again.consent_id, first.consent_id);
  EXPECT_EQ(again.created_at, first.created_at);
  EXPECT_EQ(ong().outbox().size(), 2u);
  request.priority = "routine";
  EXPECT_THAT(ong().referrals().Send(ong().officer(), request),
              HasErrorCode("conflict"));
  // Another officer's id is another id.
  EXPECT_NE(
      VALUE_OF(ong().referrals().Send(ong().supervisor(), request)).referral_id,
      first.referral_id);
}

TEST_F(ReferralSend, ThatCallersRaceToRepeatIsOneReferral) {
  SendRequest request = RequestTo({"uls", "gnr"}, Record().grant_id.text());
  request.request_id = "once";
  std::vector<std::optional<ReferralId>> ids(4);
  std::vector<std::thread> callers;
  for (auto& id : ids)
    callers.emplace_back([&, out = &id] {
      const auto outcome = ong().referrals().Send(ong().officer(), request);
      if (outcome.ok()) *out = outcome->referral_id;
    });
  for (std::thread& caller : callers) caller.join();
  for (const auto& id : ids) {
    ASSERT_TRUE(id.has_value());
    EXPECT_EQ(*id, *ids[0]);
  }
  EXPECT_EQ(ong().outbox().size(), 2u);
}

TEST_F(ReferralSend, ThatRacesARevocationIsDecidedByWhatWasStoredFirst) {
  for (int round = 0; round < 5; ++round) {
    const std::string consent = Record().grant_id.text();
    bool sent = false;
    std::thread sending([&] {
      const auto outcome = ong().referrals().Send(
          ong().officer(), RequestTo({"uls", "gnr"}, consent));
      sent = outcome.ok() && outcome->allowed;
    });
    std::thread revoking([&] {
      EXPECT_OK(ong().consents().Revoke(ong().officer(), consent, {}));
    });
    sending.join();
    revoking.join();
    // Either it was refused, or the revocation found its drafts.
    EXPECT_EQ(ong().outbox().size(), 0u) << sent;
  }
  world_.Settle();
  EXPECT_TRUE(at("uls").cases().All().empty());
}

TEST_F(ReferralSend, StoresNothingWhenTheDiskFails) {
  const ConsentView consent = Record();
  ong().kv().FailWrites(absl::InternalError("disk"));
  EXPECT_FALSE(ong()
                   .referrals()
                   .Send(ong().officer(),
                         RequestTo({"uls", "gnr"}, consent.grant_id.text()))
                   .ok());
  ong().kv().FailWrites(absl::OkStatus());
  EXPECT_TRUE(VALUE_OF(ong().referrals().List(ong().officer(), {})).empty());
  EXPECT_EQ(ong().outbox().size(), 0u);
}

TEST_F(ReferralSend, ByALegalBasisGoesWithoutConsentAndOnlyWhatItNames) {
  SendRequest request{.to = {"gnr"},
                      .form_json = FormFor({"gnr"}),
                      .basis = "imminent_danger_life",
                      .reason_json = kExampleReasonForm,
                      .priority = "immediate"};
  const SendOutcome outcome =
      VALUE_OF(ong().referrals().Send(ong().officer(), request));
  ASSERT_TRUE(outcome.allowed);
  EXPECT_TRUE(outcome.without_consent_id.has_value());
  EXPECT_FALSE(outcome.consent_id.has_value());
  EXPECT_EQ(Names(outcome.recipients[0].slots), "risk incident");
  const AccessRecord record = Records(ong()).back();
  EXPECT_EQ(record.grant_or_basis, outcome.without_consent_id->text());
  EXPECT_EQ(record.justification.substr(0, 7), "sha256:");
  world_.Settle();
  const ReferralView there = Look(at("gnr"), outcome.referral_id->text());
  ASSERT_NE(Find(there, "risk"), nullptr);
  EXPECT_EQ(Find(there, "risk")->status, SectionView::Status::kOpen);
  // 72 hours later it covers nothing any more.
  world_.clock().Advance(absl::Hours(73));
  EXPECT_EQ(Find(Look(at("gnr"), outcome.referral_id->text()), "risk")->status,
            SectionView::Status::kErased);
}

// What a consent covers does not look as if it went without, nor the other way
// round.
TEST_F(ReferralSend, IsInTheAccessLogOnceForEachGround) {
  const ConsentView consent = Record();
  const size_t before = Records(ong()).size();
  const SendOutcome outcome = VALUE_OF(ong().referrals().Send(
      ong().officer(), {.to = {"gnr"},
                        .form_json = FormFor({"gnr"}),
                        .basis = "imminent_danger_life",
                        .reason_json = kExampleReasonForm,
                        .case_id = consent.case_id.text()}));
  ASSERT_TRUE(outcome.allowed);
  std::map<std::string, AccessRecord> by_ground;
  const auto records = Records(ong());
  for (size_t i = before; i < records.size(); ++i)
    by_ground.emplace(records[i].grant_or_basis, records[i]);
  ASSERT_EQ(by_ground.size(), 2u);
  const AccessRecord& by_consent = by_ground.at(consent.grant_id.text());
  const AccessRecord& without =
      by_ground.at(outcome.without_consent_id->text());
  EXPECT_EQ(by_consent.justification, "");
  EXPECT_EQ(without.justification.substr(0, 7), "sha256:");
  EXPECT_FALSE(by_consent.sections.empty());
  for (const std::string& section : by_consent.sections)
    EXPECT_THAT(without.sections, testing::Not(testing::Contains(section)));
}

// Who calls the person must know that she may not be told.
TEST_F(ReferralSend, BothEndsSeeWhatWentWithoutConsentAndWhy) {
  const SendOutcome outcome = VALUE_OF(ong().referrals().Send(
      ong().officer(), {.to = {"gnr"},
                        .form_json = FormFor({"gnr"}),
                        .basis = "imminent_danger_life",
                        .reason_json = kExampleReasonForm}));
  world_.Settle();
  for (TestAgent* agent : {&ong(), &at("gnr")}) {
    const ReferralView view = VALUE_OF(agent->referrals().Show(
        agent->officer(), outcome.referral_id->text(), {}, false));
    ASSERT_EQ(view.without_consent.size(), 1u);
    EXPECT_EQ(view.without_consent[0].id, *outcome.without_consent_id);
    EXPECT_EQ(view.without_consent[0].recipient.text(), "gnr");
    EXPECT_EQ(view.without_consent[0].reason_code, "imminent_danger_life");
    EXPECT_EQ(view.without_consent[0].informed_answer, "later");
  }
  EXPECT_TRUE(VALUE_OF(ong().referrals().Show(
                           ong().officer(), outcome.referral_id->text(), {},
                           /*status_only=*/true))
                  .without_consent.empty());
}

TEST_F(ReferralSend, ABasisNeverOverridesAnExclusion) {
  const ConsentView consent = Record(
      PlainConsent("", R"({"member":"gnr","reason":"relative_works_there"})"));
  const SendOutcome outcome = VALUE_OF(ong().referrals().Send(
      ong().officer(), {.to = {"gnr"},
                        .form_json = FormFor({"gnr"}),
                        .basis = "imminent_danger_life",
                        .reason_json = kExampleReasonForm,
                        .case_id = consent.case_id.text()}));
  ASSERT_FALSE(outcome.allowed);
  EXPECT_EQ(outcome.decisions[0].sections[0].reason, Reason::kExcluded);
}

TEST_F(ReferralSend, RefusesWhatCannotBeMeant) {
  const std::string consent = Record().grant_id.text();
  const struct {
    const char* name;
    SendRequest request;
    const char* code;
  } cases[] = {
      {"nobody", RequestTo({}, consent), "usage"},
      {"itself", RequestTo({"ong"}, consent), "usage"},
      {"a stranger", RequestTo({"nobody-knows"}, consent), "unknown_member"},
      {"no name", RequestTo({"NOBODY"}, consent), "unknown_member"},
      {"no consent", RequestTo({"uls", "gnr"}, ""), "usage"},
      {"another's consent", RequestTo({"uls", "gnr"}, "g-aaaaaaaaaa"),
       "not_found"},
      {"no form",
       {.to = {"uls"}, .form_json = "{}", .consent = consent},
       "invalid_form"},
      {"a recipient of the form that it is not sent to",
       RequestTo({"uls"}, consent), "invalid_form"},
      {"a reason of no list",
       {.to = {"gnr"},
        .form_json = FormFor({"gnr"}),
        .basis = "because",
        .reason_json = kExampleReasonForm},
       "usage"},
      {"a reason that the charter does not allow",
       {.to = {"gnr"},
        .form_json = FormFor({"gnr"}),
        .basis = "incapacity",
        .reason_json = kExampleReasonForm},
       "usage"},
      {"both a consent and a basis",
       {.to = {"gnr"},
        .form_json = FormFor({"gnr"}),
        .consent = consent,
        .basis = "imminent_danger_life",
        .reason_json = kExampleReasonForm},
       "usage"},
      {"a consent and a case",
       {.to = {"gnr"},
        .form_json = FormFor({"gnr"}),
        .consent = consent,
        .case_id = "c-aaaaaaa"},
       "usage"},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.name);
    EXPECT_THAT(ong().referrals().Send(ong().officer(), test.request),
                HasErrorCode(test.code));
  }
  EXPECT_EQ(ong().outbox().size(), 0u);
}

TEST_F(ReferralSend, RefusesWhatNoEnvelopeCarries) {
  const ConsentView consent = Record();
  Json form = VALUE_OF(ParseJson(kExampleReferralForm));
  Json names = Json::array();
  for (int i = 0; i < 30; ++i) names.push_back(std::string(30000, 'x'));
  form["sections"]["identity"]["other_names"] = names;
  SendRequest request = RequestTo({"uls", "gnr"}, consent.grant_id.text());
  request.form_json = DumpJson(form);
  EXPECT_THAT(ong().referrals().Send(ong().officer(), request),
              HasErrorCode("too_large"));
  EXPECT_EQ(ong().outbox().size(), 0u);
}

}  // namespace
}  // namespace amparo::agent

#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

constexpr char kNewNeeds[] = R"({"schema":"update_form/1","sections":{
  "needs":{"services_requested":["shelter"],"childcare":false,
           "already_receiving":[]},
  "identity":{"given_name":"Marta","family_name":"OUTRA"}}})";
constexpr char kNewNarrative[] = R"({"schema":"update_form/1","sections":{
  "narrative":{"reason":"new","history":"","opinion":""}}})";

using ReferralUpdate = DeskTest;

TEST_F(ReferralUpdate, ReplacesSectionsAtEveryRecipientThatMayHaveThem) {
  const Sent sent = Delivered({"uls", "gnr"});
  VALUE_OF(ong().referrals().Update(ong().officer(), sent.referral, kNewNeeds));
  world_.Settle();
  for (const char* member : {"uls", "gnr"}) {
    SCOPED_TRACE(member);
    const ReferralView view = Look(at(member), sent.referral);
    const SectionView* identity = Find(view, "identity");
    ASSERT_NE(identity, nullptr);
    EXPECT_EQ(identity->version, 2u);
    EXPECT_NE(identity->fields_json.find("OUTRA"), std::string::npos);
    EXPECT_NE(Find(view, "needs_summary")->fields_json.find("shelter"),
              std::string::npos);
    EXPECT_EQ(at(member).intake().quarantined(), 0u);
  }
  // What it does not mention stays.
  EXPECT_EQ(Find(Look(at("uls"), sent.referral), "risk_summary")->version, 1u);
  EXPECT_EQ(Find(Look(ong(), sent.referral), "identity")->version, 2u);
}

// An auditor's question what went without consent is answered by it.
TEST_F(ReferralUpdate, IsInTheAccessLogWithItsGround) {
  const SendOutcome sent = VALUE_OF(ong().referrals().Send(
      ong().officer(), {.to = {"gnr"},
                        .form_json = FormFor({"gnr"}),
                        .basis = "imminent_danger_life",
                        .reason_json = kExampleReasonForm}));
  world_.Settle();
  const Json form = VALUE_OF(ParseJson(kExampleReferralForm));
  const Json update = {
      {"schema", "update_form/1"},
      {"sections", {{"incident", form["sections"]["incident"]}}}};
  VALUE_OF(ong().referrals().Update(ong().officer(), sent.referral_id->text(),
                                    DumpJson(update)));
  const AccessRecord record = Records(ong()).back();
  EXPECT_EQ(record.action, "referral_update");
  EXPECT_EQ(record.sections, std::vector<std::string>{"incident"});
  EXPECT_EQ(record.grant_or_basis, sent.without_consent_id->text());
}

TEST_F(ReferralUpdate, IsRefusedWhenNobodyMayHaveIt) {
  const Sent sent = Delivered({"uls", "gnr"});
  EXPECT_THAT(
      ong().referrals().Update(ong().officer(), sent.referral, kNewNarrative),
      HasErrorCode("no_consent"));
  EXPECT_EQ(ong().outbox().size(), 0u);
}

TEST_F(ReferralUpdate, IsForTheSenderAndForReferralsThatGoOn) {
  const Sent sent = Delivered({"uls"});
  TestAgent& uls = at("uls");
  EXPECT_THAT(uls.referrals().Update(uls.officer(), sent.referral, kNewNeeds),
              HasErrorCode("invalid_state"));
  VALUE_OF(uls.referrals().Decline(uls.officer(), sent.referral, "duplicate"));
  world_.Settle();
  EXPECT_THAT(
      ong().referrals().Update(ong().officer(), sent.referral, kNewNeeds),
      HasErrorCode("invalid_state"));
}

TEST_F(ReferralUpdate, RefusesABadForm) {
  const Sent sent = Delivered({"uls"});
  EXPECT_THAT(
      ong().referrals().Update(ong().officer(), sent.referral,
                               R"({"schema":"update_form/1","sections":{}})"),
      HasErrorCode("invalid_form"));
}

class ReferralDisclose : public DeskTest {
 protected:
  void Extend(const Sent& sent, const std::string& sections) {
    VALUE_OF(
        ong().consents().Extend(ong().officer(), sent.consent,
                                MoreConsent(sections, "uls", "health_care")));
  }
};

TEST_F(ReferralDisclose, BringsWhatWasSignedOnTheFirstDay) {
  const Sent sent = Delivered({"uls"});
  EXPECT_THAT(ong().referrals().Disclose(ong().officer(), sent.referral, "uls",
                                         {"health"}),
              HasErrorCode("no_consent"));
  Extend(sent, "\"health\"");
  const ReferralChange change = VALUE_OF(ong().referrals().Disclose(
      ong().officer(), sent.referral, "uls", {"health"}));
  EXPECT_TRUE(change.fits_first_digest);
  EXPECT_EQ(Names(change.slots), "health");
  world_.Settle();
  const ReferralView view = Look(at("uls"), sent.referral);
  ASSERT_NE(Find(view, "health"), nullptr);
  EXPECT_TRUE(Find(view, "health")->fits_first_digest);
  EXPECT_NE(Find(view, "health")->fields_json.find("left arm"),
            std::string::npos);
  EXPECT_EQ(at("uls").intake().quarantined(), 0u);
}

TEST_F(ReferralDisclose, TakesTheNewestVersionOfASection) {
  const Sent sent = Delivered({"uls"});
  Extend(sent, "\"health\",\"incident\"");
  VALUE_OF(ong().referrals().Update(ong().officer(), sent.referral,
                                    R"({"schema":"update_form/1","sections":{
          "identity":{"given_name":"M"}}})"));
  const ReferralChange change = VALUE_OF(ong().referrals().Disclose(
      ong().officer(), sent.referral, "uls", {"health", "incident"}));
  EXPECT_EQ(Names(change.slots), "incident_summary health");
  world_.Settle();
  EXPECT_NE(Find(Look(at("uls"), sent.referral), "health"), nullptr);
}

TEST_F(ReferralDisclose, IsAllOrNothing) {
  const Sent sent = Delivered({"uls"});
  Extend(sent, "\"health\"");
  world_.Settle();
  EXPECT_THAT(ong().referrals().Disclose(ong().officer(), sent.referral, "uls",
                                         {"health", "legal"}),
              HasErrorCode("matrix"));
  EXPECT_EQ(ong().outbox().size(), 0u);
}

TEST_F(ReferralDisclose, RefusesWhatIsThereAlreadyOrNeverWas) {
  const Sent sent = Delivered({"uls"});
  ReferralDesk& desk = ong().referrals();
  const Officer& officer = ong().officer();
  EXPECT_THAT(desk.Disclose(officer, sent.referral, "uls", {"identity"}),
              HasErrorCode("invalid_state"));
  EXPECT_THAT(desk.Disclose(officer, sent.referral, "gnr", {"identity"}),
              HasErrorCode("invalid_state"));
  EXPECT_THAT(desk.Disclose(officer, sent.referral, "NOBODY", {"identity"}),
              HasErrorCode("invalid_state"));
  EXPECT_THAT(desk.Disclose(officer, sent.referral, "uls", {"gossip"}),
              HasErrorCode("usage"));
  EXPECT_THAT(desk.Disclose(officer, sent.referral, "uls", {}),
              HasErrorCode("usage"));
  EXPECT_THAT(at("uls").referrals().Disclose(at("uls").officer(), sent.referral,
                                             "ong", {"needs"}),
              HasErrorCode("invalid_state"));
}

TEST_F(ReferralDisclose, GoesAgainWhenItWasDroppedBefore) {
  const Sent sent = Delivered({"uls"});
  Extend(sent, "\"health\"");
  world_.Settle();
  VALUE_OF(ong().referrals().Disclose(ong().officer(), sent.referral, "uls",
                                      {"health"}));
  // The part is revoked while the disclosure waits.
  VALUE_OF(ong().consents().Revoke(ong().officer(), sent.consent,
                                   {.section = "health"}));
  EXPECT_EQ(Names(Status(ong(), sent.referral).recipients.at(0).slots),
            "identity safe_contact risk_summary needs_summary");
  world_.Settle();
  EXPECT_EQ(Find(Look(at("uls"), sent.referral), "health"), nullptr);
  const ConsentView again = Record(PlainConsent(sent.case_id));
  VALUE_OF(
      ong().consents().Extend(ong().officer(), again.grant_id.text(),
                              MoreConsent("\"health\"", "uls", "health_care")));
  VALUE_OF(ong().referrals().Disclose(ong().officer(), sent.referral, "uls",
                                      {"health"}));
  world_.Settle();
  EXPECT_NE(Find(Look(at("uls"), sent.referral), "health"), nullptr);
}

}  // namespace
}  // namespace amparo::agent

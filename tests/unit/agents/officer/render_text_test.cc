#include "agents/officer/render_text.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/agents/officer/samples.h"

namespace amparo::officer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Message>
std::string Rendered(const Message& message, const TextStyle& style = {}) {
  return VALUE_OF(ToText(message, style));
}

TEST(RenderText, SaysWhyAnOpenedCaseCannotProveWhatWent) {
  v1::CaseOpening opening;
  opening.set_case_id("c-one");
  opening.set_envelopes(4);
  opening.set_withheld(3);
  EXPECT_THAT(Rendered(opening), HasSubstr("--with-sections proves it"));
  // No flag brings back what is gone.
  opening.set_with_sections(true);
  opening.set_erased(3);
  opening.set_erased_at_s(1795262400);
  EXPECT_THAT(Rendered(opening), HasSubstr("erased here, the last on"));
  EXPECT_THAT(Rendered(opening), HasSubstr("2026"));
  EXPECT_THAT(Rendered(opening), Not(HasSubstr("--with-sections")));
}

TEST(RenderText, ShowSaysHowToOpenAMaskedSection) {
  const std::string text = Rendered(samples::Referral());
  EXPECT_THAT(text, HasSubstr("  Given name:  Marta\n"));
  EXPECT_THAT(text, HasSubstr("amparo referral show r-abcdefgh --section "
                              "safe_contact"));
  EXPECT_THAT(text, HasSubstr("entry 17, seen by the witnesses"));
  EXPECT_THAT(text, HasSubstr("Signed:    Friday 2026-11-20 09:00 UTC"));
}

TEST(RenderText, ShowSaysThatALaterSectionFitsTheFirstDigest) {
  v1::ReferralView referral = samples::Referral();
  EXPECT_THAT(Rendered(referral), Not(HasSubstr("fits the digest")));
  referral.mutable_sections(0)->set_shared_at_s(samples::kMorning_s +
                                                samples::kDay_s);
  EXPECT_THAT(Rendered(referral),
              HasSubstr("(shared 2026-11-21 09:00 UTC; fits the digest signed "
                        "on 2026-11-20 09:00 UTC)"));
  referral.mutable_sections(0)->set_fits_first_digest(false);
  EXPECT_THAT(Rendered(referral), Not(HasSubstr("fits the digest")));
}

TEST(RenderText, ShowSaysDeadlinesInWordsWhileADecisionIsAwaited) {
  v1::ReferralView referral = samples::Referral();
  EXPECT_THAT(Rendered(referral), Not(HasSubstr("To decide by")));
  *referral.mutable_recipients(0) = samples::Recipient("received", "delivered");
  referral.mutable_recipients(0)->set_overdue(true);
  EXPECT_THAT(Rendered(referral),
              HasSubstr("To decide by:  Monday 2026-11-23 09:00 UTC  OVERDUE"));
}

TEST(RenderText, ShowOfAnErasedSectionShowsNothingOfIt) {
  v1::ReferralView referral = samples::Referral();
  referral.mutable_sections(0)->set_status("erased");
  const std::string text = Rendered(referral);
  EXPECT_THAT(text, Not(HasSubstr("Marta")));
  EXPECT_THAT(text, HasSubstr("erased: the consent for it was taken back"));
}

// Before anything else: whoever reads it may be about to call her.
TEST(RenderText, ShowSaysFirstThatItWentWithoutConsentAndWhoMayNotBeTold) {
  v1::ReferralView referral = samples::Referral();
  EXPECT_THAT(Rendered(referral), Not(HasSubstr("WITHOUT CONSENT")));
  v1::WithoutConsentView& basis = *referral.add_without_consent();
  basis.set_member("gnr");
  basis.set_reason_code("imminent_danger_life");
  basis.set_risk_level("extreme");
  basis.set_person_informed("unsafe");
  const std::string text = Rendered(referral);
  EXPECT_THAT(text, HasSubstr("WITHOUT CONSENT to gnr"));
  EXPECT_THAT(text, HasSubstr("imminent danger life; risk extreme"));
  EXPECT_THAT(text, HasSubstr("NO: telling the person is not safe"));
  EXPECT_LT(text.find("WITHOUT CONSENT"), text.find("To uls"));
  basis.set_person_informed("later");
  basis.set_person_informed_date("2026-11-22");
  EXPECT_THAT(Rendered(referral), HasSubstr("NOT YET, 2026-11-22"));
}

TEST(RenderText, AListSaysWhereNothingIsLeft) {
  v1::ListReferralsResponse list;
  list.add_referrals()->set_state("received");
  EXPECT_THAT(Rendered(list), Not(HasSubstr("erased")));
  list.mutable_referrals(0)->set_emptied(true);
  EXPECT_THAT(Rendered(list), HasSubstr("received, all erased"));
}

TEST(RenderText, NothingThatAPeerWroteCommandsTheTerminal) {
  v1::ReferralView referral = samples::Referral();
  const std::string attack = "\x1b[2J\xe2\x80\xae";
  referral.set_from("ong" + attack);
  referral.mutable_recipients(0)->set_member("uls" + attack);
  referral.mutable_recipients(0)->set_outcome(attack);
  referral.mutable_sections(0)->set_section("identity" + attack);
  // In JSON the escape is written with \u; parsed, it is back.
  referral.mutable_sections(0)->set_fields_json(
      "{\"na\\u001bme\xe2\x80\xae\":\"x\\u001b[2J\xe2\x80\xae\"}");
  referral.mutable_events(0)->set_kind(attack);
  v1::MemberView member;
  member.set_name("ULS" + attack);
  member.set_contact(attack);
  v1::SendResponse finding = samples::Finding(false);
  finding.mutable_decisions(0)->mutable_sections(0)->set_text(attack);
  v1::ConsentView consent = samples::Consent();
  consent.set_exclusions_json(
      "[{\"member\":\"gnr\",\"person\":\"x\\u001b[2J\",\"reason\":\"other\"}]");
  for (const bool tables : {true, false})
    for (const std::string& text : {Rendered(referral, {.tables = tables}),
                                    Rendered(member, {.tables = tables}),
                                    Rendered(finding, {.tables = tables}),
                                    Rendered(consent, {.tables = tables})}) {
      EXPECT_THAT(text, Not(HasSubstr("\x1b")));
      EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
    }
}

TEST(RenderText, RefusalSaysThatNothingWasSentAndWhy) {
  const std::string text = Rendered(samples::Finding(false));
  EXPECT_THAT(text, HasSubstr("Nothing was stored or sent."));
  EXPECT_THAT(text, HasSubstr("gnr would receive NOTHING:"));
  EXPECT_THAT(text, HasSubstr("View: stays here\n"));
  EXPECT_THAT(text,
              HasSubstr("Why: the consent keeps safe_contact from police\n"));
}

TEST(RenderText, SendSaysHowToFollowIt) {
  EXPECT_THAT(Rendered(samples::Sent()),
              HasSubstr("amparo referral show r-abcdefgh\n"));
}

TEST(RenderText, SendSaysThatItWaitsOnlyWhileItDoes) {
  v1::SendResponse sent = samples::Sent();
  EXPECT_THAT(Rendered(sent), HasSubstr("It leaves by itself"));
  sent.mutable_recipients(0)->set_delivery("delivered");
  EXPECT_THAT(Rendered(sent), Not(HasSubstr("It leaves by itself")));
}

// Nobody takes on by mistake what its sender wants to stop.
TEST(RenderText, AcceptingACancellationSaysWhatItDoes) {
  v1::InboxResponse inbox;
  *inbox.add_items() = samples::Item();
  v1::InboxItem& item = *inbox.mutable_items(0);
  item.clear_next();
  item.add_next("accept");
  item.add_next("close");
  EXPECT_THAT(Rendered(inbox), Not(HasSubstr("stops it")));
  item.set_state("cancel_requested");
  EXPECT_THAT(Rendered(inbox), HasSubstr("accept (stops it), close"));
}

TEST(RenderText, OverdueIsAWordNotOnlyAColour) {
  v1::InboxResponse inbox;
  *inbox.add_items() = samples::Item();
  inbox.mutable_items(0)->set_overdue(true);
  EXPECT_THAT(Rendered(inbox), HasSubstr("Due: OVERDUE 2026-11-21 09:00 UTC"));
  EXPECT_THAT(Rendered(inbox, {.tables = true}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(Rendered(inbox, {.tables = true, .colour = true}),
              HasSubstr("\x1b[1;31mOVERDUE"));
}

TEST(RenderText, AnEmptyListIsASentence) {
  EXPECT_EQ(Rendered(v1::InboxResponse()), "Nothing waits for you.\n");
  EXPECT_EQ(Rendered(v1::ListReferralsResponse()), "No referrals.\n");
  EXPECT_EQ(Rendered(v1::ListCasesResponse()), "No cases.\n");
  EXPECT_EQ(Rendered(v1::ListConsentsResponse()), "No consents.\n");
}

TEST(RenderText, ConsentSaysWhoMayHaveWhatAndWhoNever) {
  const std::string text = Rendered(samples::Consent());
  EXPECT_THAT(text, HasSubstr("  Allows:  identity, risk\n"
                              "  To:      uls, every member of kind police\n"
                              "  For:     health_care\n"));
  EXPECT_THAT(text, HasSubstr("  Keeps back:  safe_contact\n"
                              "  From:        every member of kind police\n"
                              "  Because:     fear of harm\n"));
  EXPECT_THAT(text, HasSubstr("  Never to:  cpcj\n"));
}

TEST(RenderText, ConsentTellsAPersonFromAnInstitution) {
  v1::ConsentView consent = samples::Consent();
  consent.set_exclusions_json(
      R"([{"member":"gnr","person":"Cabo EXEMPLO","reason":"other"}])");
  EXPECT_THAT(Rendered(consent), HasSubstr("Never to:  Cabo EXEMPLO at gnr\n"));
  EXPECT_THAT(Rendered(consent), Not(HasSubstr("Never to:  gnr\n")));
}

TEST(RenderText, RevokeSaysWhoWasAskedToErase) {
  v1::RevokeConsentResponse revoked;
  revoked.set_grant_id(samples::kGrant);
  revoked.set_status("revoked");
  EXPECT_THAT(Rendered(revoked), HasSubstr("Nobody holds anything by it."));
  EXPECT_THAT(Rendered(revoked), Not(HasSubstr("What is left")));
  revoked.set_superseded_by("g-new");
  EXPECT_THAT(Rendered(revoked), HasSubstr("What is left:  g-new"));
  *revoked.add_recipients() = samples::Asked();
  EXPECT_THAT(Rendered(revoked), HasSubstr("Answer: pending\n"));
}

TEST(RenderText, StatusSaysThatTheBrokerIsAwayAndWhatRings) {
  v1::StatusResponse status;
  status.add_alarms()->set_code("gap");
  const std::string text = Rendered(status);
  EXPECT_THAT(text, HasSubstr("NOT REACHABLE"));
  EXPECT_THAT(text, HasSubstr("watched by nobody else"));
  EXPECT_THAT(text, HasSubstr("Alarm: gap\n"));
  // As it must be typed.
  v1::Alarm& fork = *status.add_alarms();
  fork.set_code("link_fork");
  fork.set_member("uls");
  status.add_alarms()->set_code("review_due");
  EXPECT_THAT(Rendered(status),
              HasSubstr("amparo status --acknowledge link_fork:uls\n"));
  EXPECT_THAT(Rendered(status), Not(HasSubstr("--acknowledge review_due")));
}

TEST(RenderText, DirectoryAsksToCompareTheKeyWords) {
  v1::MemberView member;
  member.set_key_words("alfa beta");
  EXPECT_THAT(Rendered(member), HasSubstr("no; compare the words by phone"));
  member.set_key_confirmed(true);
  EXPECT_THAT(Rendered(member), HasSubstr("Key confirmed:  yes"));
}

TEST(RenderText, StatusSaysWhyTheLogHoldsMailBack) {
  v1::StatusResponse status;
  status.set_sealing_waits_for("log");
  EXPECT_THAT(Rendered(status), HasSubstr("nothing new since 3 days"));
  status.add_alarms()->set_code("log_rollback");
  EXPECT_THAT(Rendered(status), HasSubstr("contradicts what it showed before"));
  EXPECT_THAT(Rendered(status), Not(HasSubstr("3 days")));
}

}  // namespace
}  // namespace amparo::officer

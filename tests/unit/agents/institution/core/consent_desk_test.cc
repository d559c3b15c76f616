#include "agents/institution/core/consent_rows.h"
#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

using ConsentRecording = DeskTest;

TEST_F(ConsentRecording, OpensACaseAndShowsTheFormBack) {
  const ConsentView recorded = Record();
  EXPECT_EQ(recorded.status, GrantStatus::kActive);
  EXPECT_FALSE(recorded.supersedes.has_value());
  const ConsentView shown = VALUE_OF(
      ong().consents().Show(ong().officer(), recorded.grant_id.text()));
  EXPECT_EQ(shown.digest, recorded.digest);
  const Json provisions = VALUE_OF(ParseJson(shown.provisions_json));
  ASSERT_EQ(provisions.size(), 3u);
  EXPECT_EQ(provisions[2]["reason"], "fear_of_harm");
  EXPECT_TRUE(shown.access.empty());
  // Six months, where the form leaves it open.
  EXPECT_EQ(FormatUtc(shown.until), "2027-05-21T12:00:00Z");
  EXPECT_EQ(VALUE_OF(ong().consents().ListCases(ong().officer())).size(), 1u);
  EXPECT_TRUE(VALUE_OF(ong().consents().ListCases(ong().officer()))[0].own);
}

TEST_F(ConsentRecording, JoinsTheCaseThatTheFormNames) {
  const ConsentView first = Record();
  const ConsentView second = Record(PlainConsent(first.case_id.text()));
  EXPECT_EQ(second.case_id, first.case_id);
  EXPECT_EQ(
      VALUE_OF(ong().consents().List(ong().officer(), first.case_id.text()))
          .size(),
      2u);
}

TEST_F(ConsentRecording, RefusesACaseThatIsNotHere) {
  EXPECT_THAT(ong().consents().Record(
                  ong().officer(), PlainConsent(CaseId::New().text()), {}, ""),
              HasErrorCode("not_found"));
}

TEST_F(ConsentRecording, RefusesWhatTheCharterDoesNotAllow) {
  std::string form = PlainConsent();
  form.replace(form.find("A9-2-h"), 6, "A6-1-a");
  EXPECT_THAT(ong().consents().Record(ong().officer(), form, {}, ""),
              HasErrorCode("invalid_form"));
  EXPECT_THAT(ong().consents().Record(ong().officer(), "{}", {}, ""),
              HasErrorCode("invalid_form"));
  EXPECT_THAT(
      ong().consents().Record(
          ong().officer(),
          PlainConsent("", R"({"member":"nobody","reason":"other"})"), {}, ""),
      HasErrorCode("unknown_member"));
  EXPECT_TRUE(VALUE_OF(ong().consents().ListCases(ong().officer())).empty());
}

TEST_F(ConsentRecording, KeepsEvidenceHereAndGivesItsSaltedHash) {
  const Bytes evidence = ToBytes(absl::string_view("a scan"));
  const ConsentView first = VALUE_OF(
      ong().consents().Record(ong().officer(), PlainConsent(), evidence, ""));
  const ConsentView second = VALUE_OF(
      ong().consents().Record(ong().officer(), PlainConsent(), evidence, ""));
  const auto hash = [&](const ConsentView& view) {
    return *VALUE_OF(LoadConsent(ong().kv(), view.grant_id)).evidence_hash;
  };
  // The same paper twice: nobody can tell from the hashes.
  EXPECT_NE(hash(first), hash(second));
  EXPECT_NE(hash(first), Sha256(evidence));
}

TEST_F(ConsentRecording, RefusesEvidenceThatIsTooLarge) {
  EXPECT_THAT(ong().consents().Record(ong().officer(), PlainConsent(),
                                      Bytes(kEvidenceBytesMax + 1), ""),
              HasErrorCode("too_large"));
}

TEST_F(ConsentRecording, AnswersARepeatedRequestWithTheFirstAnswer) {
  const ConsentView first = VALUE_OF(
      ong().consents().Record(ong().officer(), PlainConsent(), {}, "once"));
  const ConsentView again = VALUE_OF(
      ong().consents().Record(ong().officer(), PlainConsent(), {}, "once"));
  EXPECT_EQ(again.grant_id, first.grant_id);
  EXPECT_EQ(VALUE_OF(ong().consents().List(ong().officer(), "")).size(), 1u);
  EXPECT_THAT(
      ong().consents().Record(ong().officer(),
                              PlainConsent(first.case_id.text()), {}, "once"),
      HasErrorCode("conflict"));
}

TEST_F(ConsentRecording, NeedsTheRole) {
  const Officer admin = AddOfficer(ong(), "root", {Role::kAdmin}, 0);
  const std::string id = Record().grant_id.text();
  ConsentDesk& desk = ong().consents();
  EXPECT_THAT(desk.Record(admin, PlainConsent(), {}, ""),
              HasErrorCode("role_missing"));
  EXPECT_THAT(desk.Extend(admin, id, PlainConsent()),
              HasErrorCode("role_missing"));
  EXPECT_THAT(desk.Revoke(admin, id, {}), HasErrorCode("role_missing"));
  EXPECT_THAT(desk.List(admin, ""), HasErrorCode("role_missing"));
  EXPECT_THAT(desk.Show(admin, id), HasErrorCode("role_missing"));
  EXPECT_THAT(desk.ListCases(admin), HasErrorCode("role_missing"));
  EXPECT_THAT(desk.ShowCase(admin, "c-aaaaaa"), HasErrorCode("role_missing"));
}

TEST_F(ConsentRecording, ShowsWhatMembersHaveByIt) {
  const Sent sent = Delivered({"uls"});
  const ConsentView view =
      VALUE_OF(ong().consents().Show(ong().officer(), sent.consent));
  ASSERT_EQ(view.access.size(), 4u);
  EXPECT_EQ(view.access[0].member.text(), "uls");
  EXPECT_EQ(NameOf(view.access[0].slot), "identity");
  EXPECT_EQ(view.access[0].until, view.until);
  EXPECT_TRUE(view.recipients.empty());
}

TEST_F(ConsentRecording, ShowsACaseWithoutContent) {
  const Sent sent = Delivered({"uls"});
  const size_t before = Records(ong()).size();
  const CaseView view =
      VALUE_OF(ong().consents().ShowCase(ong().officer(), sent.case_id));
  EXPECT_EQ(view.row.referrals, 1u);
  EXPECT_EQ(view.referrals.size(), 1u);
  ASSERT_EQ(view.consents.size(), 1u);
  EXPECT_EQ(view.consents[0].provisions_json, "[]");
  EXPECT_EQ(Records(ong()).size(), before);
  const CaseView there = VALUE_OF(
      at("uls").consents().ShowCase(at("uls").officer(), sent.case_id));
  EXPECT_FALSE(there.row.own);
}

using ConsentExtending = DeskTest;

TEST_F(ConsentExtending, SupersedesAndReachesWhoHoldsTheOldOne) {
  const Sent sent = Delivered({"uls", "gnr"});
  const ConsentView extended = VALUE_OF(
      ong().consents().Extend(ong().officer(), sent.consent,
                              MoreConsent("\"health\"", "uls", "health_care")));
  EXPECT_EQ(extended.supersedes->text(), sent.consent);
  EXPECT_EQ(extended.status, GrantStatus::kActive);
  EXPECT_EQ(VALUE_OF(ParseJson(extended.provisions_json)).size(), 4u);
  EXPECT_EQ(ong().outbox().size(), 2u);
  world_.Settle();
  EXPECT_EQ(
      VALUE_OF(ong().consents().Show(ong().officer(), sent.consent)).status,
      GrantStatus::kSuperseded);
  for (const char* member : {"uls", "gnr"}) {
    SCOPED_TRACE(member);
    const auto there =
        VALUE_OF(at(member).consents().List(at(member).supervisor(), ""));
    ASSERT_EQ(there.size(), 2u);
    EXPECT_EQ(at(member).intake().quarantined(), 0u);
    // What it had stays, now by the new one.
    TestAgent& agent = at(member);
    const ReferralView view = Look(agent, sent.referral);
    const SectionView* identity = Find(view, "identity");
    ASSERT_NE(identity, nullptr);
    EXPECT_EQ(identity->status, SectionView::Status::kOpen);
    EXPECT_EQ(identity->authority, extended.grant_id.text());
  }
  EXPECT_EQ(at("mp").cases().All().size(), 0u);
}

TEST_F(ConsentExtending, LeavesTheOldTermsAsTheyWere) {
  const ConsentView first = Record();
  world_.clock().Advance(absl::Hours(24 * 30));
  const ConsentView extended = VALUE_OF(
      ong().consents().Extend(ong().officer(), first.grant_id.text(),
                              MoreConsent("\"health\"", "uls", "health_care")));
  const Json provisions = VALUE_OF(ParseJson(extended.provisions_json));
  EXPECT_EQ(provisions[0]["until"], "2027-05-21T12:00:00Z");
  EXPECT_EQ(provisions.size(), 4u);
}

TEST_F(ConsentExtending, GoesOnFromTheNewestOfTheChain) {
  const ConsentView first = Record();
  const ConsentView second = VALUE_OF(
      ong().consents().Extend(ong().officer(), first.grant_id.text(),
                              MoreConsent("\"health\"", "uls", "health_care")));
  const ConsentView third = VALUE_OF(ong().consents().Extend(
      ong().officer(), first.grant_id.text(),
      MoreConsent("\"narrative\"", "uls", "health_care")));
  EXPECT_EQ(third.supersedes, second.grant_id);
  EXPECT_EQ(VALUE_OF(ParseJson(third.provisions_json)).size(), 5u);
}

TEST_F(ConsentExtending, CannotLiftADenial) {
  const ConsentView first = Record(PlainConsent());
  std::string more = MoreConsent("\"perpetrator\"", "gnr", "safety");
  more.replace(more.find(R"({"member":"gnr"})"), 16, R"({"kind":"police"})");
  EXPECT_THAT(
      ong().consents().Extend(ong().officer(), first.grant_id.text(), more),
      HasErrorCode("conflict"));
}

TEST_F(ConsentExtending, IsForItsIssuerAndForWhatIsNotRevoked) {
  const Sent sent = Delivered({"uls"});
  const std::string more = MoreConsent("\"health\"", "uls", "health_care");
  TestAgent& uls = at("uls");
  EXPECT_THAT(uls.consents().Extend(uls.officer(), sent.consent, more),
              HasErrorCode("invalid_state"));
  EXPECT_OK(ong().consents().Revoke(ong().officer(), sent.consent, {}));
  EXPECT_THAT(ong().consents().Extend(ong().officer(), sent.consent, more),
              HasErrorCode("consent_revoked"));
}

TEST_F(ConsentExtending, ThatExcludesAMemberTakesBackWhatItHas) {
  const Sent sent = Delivered({"uls", "gnr"});
  std::string more = MoreConsent("\"needs\"", "gnr", "safety");
  more.replace(more.find(R"("exclusions":[])"), 15,
               R"("exclusions":[{"member":"uls","reason":"fear_of_harm"}])");
  VALUE_OF(ong().consents().Extend(ong().officer(), sent.consent, more));
  world_.Settle();
  for (const SectionView& section : Look(at("uls"), sent.referral).sections)
    EXPECT_EQ(section.status, SectionView::Status::kErased);
  EXPECT_EQ(Find(Look(at("gnr"), sent.referral), "identity")->status,
            SectionView::Status::kOpen);
  const ReferralView own = Status(ong(), sent.referral);
  EXPECT_EQ(own.erasures_expected, 1u);
  EXPECT_EQ(own.erasures_received, 1u);
}

}  // namespace
}  // namespace amparo::agent

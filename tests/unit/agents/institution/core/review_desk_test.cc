#include "agents/institution/core/review_desk.h"

#include "proto/content/without_consent.h"
#include "proto/envelope/review.h"
#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

class ReviewDeskTest : public DeskTest {
 protected:
  void SetUp() override {
    rita_ =
        AddOfficer(ong(), "rita", {Role::kSupervisor, Role::kOfficer}, 1002);
  }
  ReviewDesk Reviews() { return ReviewDesk(ong().desk()); }

  // A disclosure without consent to gnr, decided by `officer`.
  std::string Disclose(const Officer& officer) {
    const SendOutcome outcome = VALUE_OF(
        ong().referrals().Send(officer, {.to = {"gnr"},
                                         .form_json = FormFor({"gnr"}),
                                         .basis = "imminent_danger_life",
                                         .reason_json = kExampleReasonForm}));
    EXPECT_TRUE(outcome.allowed);
    world_.Settle();
    return outcome.without_consent_id->text();
  }
  std::string Disclose() { return Disclose(ong().officer()); }

  std::vector<AccessRecord> ReviewRecords() {
    std::vector<AccessRecord> records = Records(ong());
    std::erase_if(records, [](const AccessRecord& record) {
      return record.action != "without_consent_review";
    });
    return records;
  }
  bool Rings() {
    EXPECT_OK(Reviews().Ring(ong().alarms()));
    return ong().alarms().Has("review_due", std::nullopt);
  }

  std::optional<Officer> rita_;
};

TEST_F(ReviewDeskTest, ADisclosureIsDueUntilASupervisorReviewedIt) {
  EXPECT_FALSE(Rings());
  EXPECT_TRUE(VALUE_OF(Reviews().List(ong().supervisor(), true)).empty());
  const std::string id = Disclose();
  EXPECT_TRUE(Rings());
  const auto due = VALUE_OF(Reviews().List(ong().supervisor(), false));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].id.text(), id);
  EXPECT_EQ(due[0].decided_by, ong().officer().id);
  EXPECT_EQ(due[0].due, due[0].decided_at + kReviewWithin);
  EXPECT_EQ(due[0].reason_code, "imminent_danger_life");
  EXPECT_EQ(due[0].recipients.size(), 1u);
  EXPECT_EQ(due[0].referrals.size(), 1u);
  EXPECT_FALSE(due[0].sections.empty());
  EXPECT_FALSE(due[0].late);

  const ReviewView done = VALUE_OF(
      Reviews().Record(ong().supervisor(), id, "excessive", "too much"));
  EXPECT_EQ(done.review->outcome, "excessive");
  EXPECT_EQ(done.review->officer, ong().supervisor().id);
  EXPECT_FALSE(done.late);
  EXPECT_FALSE(Rings());
  EXPECT_TRUE(VALUE_OF(Reviews().List(ong().supervisor(), false)).empty());
  EXPECT_EQ(VALUE_OF(Reviews().List(ong().supervisor(), true)).size(), 1u);

  const auto records = ReviewRecords();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].grant_or_basis, id);
  EXPECT_EQ(records[0].review, "excessive");
  EXPECT_EQ(records[0].officer, ong().supervisor().id.text());
  EXPECT_EQ(records[0].outcome, "ok");
  // The note stays here; what is written is its salted hash.
  EXPECT_THAT(records[0].justification, testing::StartsWith("sha256:"));
  EXPECT_EQ(
      records[0].justification,
      TextsDigest(done.review->salt, Json{{"note", "too much"}}).ToString());
}

TEST_F(ReviewDeskTest, TheTimeIsOverAfter72Hours) {
  const std::string id = Disclose();
  world_.clock().Advance(kReviewWithin);
  EXPECT_FALSE(VALUE_OF(Reviews().List(ong().supervisor(), false))[0].late);
  world_.clock().Advance(absl::Seconds(1));
  EXPECT_TRUE(VALUE_OF(Reviews().List(ong().supervisor(), false))[0].late);
  EXPECT_TRUE(Rings());
  EXPECT_TRUE(
      VALUE_OF(Reviews().Record(ong().supervisor(), id, "justified", "")).late);
  EXPECT_EQ(ReviewRecords().at(0).justification, "");
}

TEST_F(ReviewDeskTest, ShowsTheReasonsAndSaysSoInTheAccessLog) {
  const std::string id = Disclose();
  const ReviewDesk::Whole whole =
      VALUE_OF(Reviews().Show(ong().supervisor(), id.substr(0, 8)));
  EXPECT_EQ(whole.view.id.text(), id);
  EXPECT_TRUE(whole.reasons.texts.contains("facts"));
  EXPECT_EQ(CountOf(ong(), "without_consent_show"), 1u);
  EXPECT_EQ(Records(ong()).back().grant_or_basis, id);
}

TEST_F(ReviewDeskTest, AttackWhoDecidedDoesNotReviewIt) {
  const std::string id = Disclose(*rita_);
  const absl::Status refused =
      Reviews().Record(*rita_, id, "justified", "").status();
  EXPECT_EQ(ErrorCodeOf(refused), "role_missing");
  // Who is the only supervisor learns how there comes to be another.
  EXPECT_THAT(DetailOf(refused)->hint, testing::HasSubstr("--role supervisor"));
  EXPECT_TRUE(ReviewRecords().empty());
  EXPECT_TRUE(Rings());
  EXPECT_OK(
      Reviews().Record(ong().supervisor(), id, "unjustified", "").status());
}

TEST_F(ReviewDeskTest, AttackWhoApprovedItDoesNotReviewIt) {
  Json reason = VALUE_OF(ParseJson(kExampleReasonForm));
  reason["second_approver"] = " Rita";
  const SendOutcome outcome = VALUE_OF(ong().referrals().Send(
      ong().officer(), {.to = {"gnr"},
                        .form_json = FormFor({"gnr"}),
                        .basis = "imminent_danger_life",
                        .reason_json = DumpJson(reason)}));
  const std::string id = outcome.without_consent_id->text();
  EXPECT_EQ(ErrorCodeOf(Reviews().Record(*rita_, id, "justified", "").status()),
            "role_missing");
  EXPECT_EQ(VALUE_OF(Reviews().Show(*rita_, id)).reasons.second_approver,
            " Rita");
  EXPECT_OK(Reviews().Record(ong().supervisor(), id, "justified", "").status());
}

// What its reviewer judges by: what was signed, not the texts alone.
TEST_F(ReviewDeskTest, ShowsWhatWasSigned) {
  const ReviewView view =
      VALUE_OF(Reviews().Show(ong().supervisor(), Disclose())).view;
  const Json form = VALUE_OF(ParseJson(kExampleReasonForm));
  EXPECT_EQ(view.purpose, form["purpose"].get<std::string>());
  EXPECT_EQ(Json(view.legal_basis), form["legal_basis"]);
  EXPECT_EQ(view.agreement_sought, form["agreement_sought"].get<std::string>());
  EXPECT_EQ(view.informed_answer,
            form["person_informed"]["answer"].get<std::string>());
}

TEST_F(ReviewDeskTest, AttackNobodyButSupervisorsSeesOrReviews) {
  const std::string id = Disclose(*rita_);
  const Officer admin = AddOfficer(ong(), "adm", {Role::kAdmin}, 1003);
  const Officer auditor = AddOfficer(ong(), "aud", {Role::kAuditor}, 1004);
  for (const Officer& other : {ong().officer(), admin, auditor}) {
    EXPECT_EQ(ErrorCodeOf(Reviews().List(other, true).status()),
              "role_missing");
    EXPECT_EQ(ErrorCodeOf(Reviews().Show(other, id).status()), "role_missing");
    EXPECT_EQ(
        ErrorCodeOf(Reviews().Record(other, id, "justified", "").status()),
        "role_missing");
  }
  EXPECT_TRUE(ReviewRecords().empty());
}

// What was found is not found again another way.
TEST_F(ReviewDeskTest, AttackASecondReviewChangesNothing) {
  const std::string id = Disclose();
  ASSERT_OK(
      Reviews().Record(ong().supervisor(), id, "unjustified", "").status());
  EXPECT_EQ(ErrorCodeOf(Reviews().Record(*rita_, id, "justified", "").status()),
            "conflict");
  EXPECT_EQ(
      ErrorCodeOf(
          Reviews().Record(ong().supervisor(), id, "justified", "").status()),
      "conflict");
  // An answer that was lost may be asked for again.
  EXPECT_OK(
      Reviews().Record(ong().supervisor(), id, "unjustified", "").status());
  EXPECT_EQ(ReviewRecords().size(), 1u);
  EXPECT_EQ(VALUE_OF(Reviews().Show(*rita_, id)).view.review->outcome,
            "unjustified");
}

TEST_F(ReviewDeskTest, OutlivesARestartAndARestore) {
  const std::string first = Disclose();
  ASSERT_OK(
      Reviews().Record(ong().supervisor(), first, "justified", "n").status());
  const std::string second = Disclose();
  EXPECT_TRUE(Rings());
  ong().Restart();
  world_.Settle();
  EXPECT_TRUE(ong().alarms().Has("review_due", std::nullopt));
  ong().Restore(ong().Backup());
  world_.Settle();
  const auto all = VALUE_OF(Reviews().List(ong().supervisor(), true));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].id.text(), second);
  EXPECT_EQ(all[1].review->outcome, "justified");
  EXPECT_EQ(all[1].review->note, "n");
  EXPECT_TRUE(Rings());
}

// At the recipient nothing is to be reviewed: it decided nothing.
TEST_F(ReviewDeskTest, AnothersDisclosureIsNotReviewedHere) {
  const std::string id = Disclose();
  const ReviewDesk there(at("gnr").desk());
  EXPECT_TRUE(VALUE_OF(there.List(at("gnr").supervisor(), true)).empty());
  EXPECT_EQ(ErrorCodeOf(there.Show(at("gnr").supervisor(), id).status()),
            "not_found");
  EXPECT_OK(there.Ring(at("gnr").alarms()));
  EXPECT_FALSE(at("gnr").alarms().Has("review_due", std::nullopt));
}

TEST_F(ReviewDeskTest, RefusesWhatIsNoReview) {
  const std::string id = Disclose();
  EXPECT_EQ(ErrorCodeOf(
                Reviews().Record(ong().supervisor(), id, "fine", "").status()),
            "usage");
  EXPECT_EQ(ErrorCodeOf(Reviews()
                            .Record(ong().supervisor(), id, "justified",
                                    std::string(kReviewNoteBytesMax + 1, 'x'))
                            .status()),
            "too_large");
  for (const char* no :
       {"", "w-", "w-aaaa", "g-aaaaaaaa", "w-aaaaaaaaaaaaaaaa"})
    EXPECT_EQ(
        ErrorCodeOf(
            Reviews().Record(ong().supervisor(), no, "justified", "").status()),
        "not_found")
        << no;
}

}  // namespace
}  // namespace amparo::agent

// What an auditor asks an access log that no single record answers.

#include <deque>

#include "absl/strings/str_cat.h"
#include "agents/auditor/access_audit.h"
#include "base/error.h"
#include "base/json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace amparo::auditor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const absl::Time kStart = absl::FromUnixSeconds(1795262400);

class AccessQuestion : public testing::Test {
 protected:
  // One minute after the one before it, of uls.
  AccessRecord& Add(const char* officer, const char* action,
                    const char* case_id = "c-one",
                    std::vector<std::string> sections = {},
                    const char* ground = "") {
    AccessRecord record;
    record.seq = records_.size();
    record.at = kStart + absl::Minutes(record.seq);
    record.officer = officer;
    record.affiliation = "uls";
    record.action = action;
    record.case_pseudonym = case_id;
    record.sections = std::move(sections);
    record.grant_or_basis = ground;
    record.outcome = "ok";
    return records_.emplace_back(std::move(record));
  }
  void Look(std::vector<std::string> sections, const char* grant,
            const char* from = "ong") {
    Add("o-ana", "section_open", "c-one", std::move(sections), grant).from =
        from;
  }
  void Withdrawn(std::vector<std::string> sections, const char* grant,
                 const char* supersedes = "", const char* from = "ong") {
    AccessRecord& record =
        Add("", "consent_withdrawn", "c-one", std::move(sections), grant);
    record.supersedes = supersedes;
    record.from = from;
  }

  AccessPick Learned(const AccessFilter& filter) const {
    AccessPick pick(filter);
    for (const AccessRecord& record : records_) pick.Learn(record);
    return pick;
  }
  std::vector<uint64_t> Picked(const AccessFilter& filter) const {
    AccessPick pick = Learned(filter);
    std::vector<uint64_t> taken;
    for (const AccessRecord& record : records_)
      if (pick.Takes(record)) taken.push_back(record.seq);
    return taken;
  }
  std::vector<uint64_t> AfterRevocation() const {
    return Picked({.after_revocation = true});
  }
  BasisReview ReviewOf(uint64_t seq, absl::Time anchor) const {
    AccessPick pick = Learned({.late_reviews = true});
    pick.NoteAnchor(anchor);
    return pick.ReviewOf(records_.at(seq)).value();
  }

  std::deque<AccessRecord> records_;
};

TEST_F(AccessQuestion, TellsLooksAfterAnotherInstitutionsRevocation) {
  Look({"risk"}, "g-one");
  Withdrawn({"risk"}, "g-one");
  Look({"risk"}, "g-one");
  Look({"needs"}, "g-one");  // it ended whole
  Look({"risk"}, "g-two");
  EXPECT_THAT(AfterRevocation(), ElementsAre(2, 3));
}

TEST_F(AccessQuestion, ANarrowingEndsOnlyTheSectionsThatItTookBack) {
  Look({"risk"}, "g-one");
  Withdrawn({"risk"}, "g-new", "g-one");
  Look({"needs"}, "g-one");
  Look({"needs"}, "g-new");
  EXPECT_THAT(AfterRevocation(), IsEmpty());
  Look({"risk"}, "g-one");
  Look({"needs", "risk"}, "g-one");
  Look({"risk_summary"}, "g-one");
  EXPECT_THAT(AfterRevocation(), ElementsAre(4, 5, 6));
}

TEST_F(AccessQuestion, WhatEndsANewConsentEndsThoseBeforeIt) {
  Withdrawn({"risk"}, "g-two", "g-one");
  Withdrawn({"needs"}, "g-three", "g-two");
  Look({"needs"}, "g-one");
  Look({"identity"}, "g-one");
  EXPECT_THAT(AfterRevocation(), ElementsAre(2));
  Withdrawn({}, "g-three");
  Look({"identity"}, "g-one");
  Look({"identity"}, "g-two");
  EXPECT_THAT(AfterRevocation(), ElementsAre(2, 5, 6));
  // The link may come after the end.
  Withdrawn({}, "g-three", "g-zero");
  Look({"identity"}, "g-zero");
  EXPECT_THAT(AfterRevocation(), ElementsAre(2, 5, 6, 8));
}

TEST_F(AccessQuestion, ARingOfConsentsEnds) {
  Withdrawn({"risk"}, "g-one", "g-two");
  Withdrawn({"risk"}, "g-two", "g-one");
  Withdrawn({}, "g-one");
  Look({"needs"}, "g-two");
  EXPECT_THAT(AfterRevocation(), ElementsAre(3));
}

TEST_F(AccessQuestion, AnInstitutionsOwnFileIsShownByNoConsent) {
  AccessRecord& partly =
      Add("o-ana", "consent_revoke", "c-one", {"risk"}, "g-new");
  partly.supersedes = "g-one";
  Look({"risk"}, "g-one", "uls");
  EXPECT_THAT(AfterRevocation(), IsEmpty());
}

// A peer may give its consent the id of another's, and revoke it.
TEST_F(AccessQuestion, AttackAMembersRevocationBlamesNoLookAtAnothers) {
  Withdrawn({"risk"}, "g-one", "", "gnr");
  Look({"risk"}, "g-one", "ong");
  EXPECT_THAT(AfterRevocation(), IsEmpty());
  Look({"risk"}, "g-one", "gnr");
  EXPECT_THAT(AfterRevocation(), ElementsAre(2));
}

// Records of earlier versions do not say whose sections a look was at.
TEST_F(AccessQuestion, AnOlderRecordIsRatherToldThanKeptBack) {
  Withdrawn({"risk"}, "g-one");
  Look({"risk"}, "g-one", "");
  EXPECT_THAT(AfterRevocation(), ElementsAre(1));
}

TEST_F(AccessQuestion, AReviewIsLateAfter72Hours) {
  Add("o-ana", "referral_send", "c-one", {"risk"}, "w-one");
  const absl::Time due = kStart + absl::Hours(72);
  EXPECT_EQ(ReviewOf(0, kStart).state, BasisReview::State::kDue);
  EXPECT_EQ(ReviewOf(0, due).state, BasisReview::State::kDue);
  EXPECT_EQ(ReviewOf(0, due + absl::Seconds(1)).state,
            BasisReview::State::kMissing);
  EXPECT_EQ(ReviewOf(0, kStart).due, due);
  EXPECT_THAT(Picked({.late_reviews = true}), IsEmpty());

  AccessRecord& review =
      Add("o-sofia", "without_consent_review", "c-one", {}, "w-one");
  review.review = "excessive";
  review.at = due;
  const BasisReview in_time = ReviewOf(0, due + absl::Hours(1000));
  EXPECT_EQ(in_time.state, BasisReview::State::kInTime);
  EXPECT_EQ(in_time.outcome, "excessive");
  EXPECT_EQ(in_time.officer, "o-sofia");
  EXPECT_EQ(in_time.record, 1u);
  EXPECT_THAT(Picked({.late_reviews = true}), IsEmpty());

  review.at = due + absl::Seconds(1);
  EXPECT_EQ(ReviewOf(0, kStart).state, BasisReview::State::kLate);
  EXPECT_THAT(Picked({.late_reviews = true}), ElementsAre(0));
  EXPECT_THAT(Picked({.without_consent = true}), ElementsAre(0, 1));
}

// The newest record says that the time is over, where no checkpoint does.
TEST_F(AccessQuestion, AMissingReviewIsJudgedByTheNewestRecord) {
  Add("o-ana", "referral_send", "c-one", {"risk"}, "w-one");
  Add("o-ana", "access_log_read", "").at = kStart + absl::Hours(73);
  EXPECT_THAT(Picked({.late_reviews = true}), ElementsAre(0));
  AccessPick pick = Learned({.late_reviews = true});
  EXPECT_FALSE(pick.judged_by_anchor());
  EXPECT_THAT(NotesOn(pick), testing::HasSubstr("newest record"));
  pick.NoteAnchor(kStart + absl::Hours(74));
  EXPECT_TRUE(pick.judged_by_anchor());
  EXPECT_THAT(NotesOn(pick), testing::HasSubstr("2026-11-24T14:00:00Z"));
}

TEST_F(AccessQuestion, AttackAReviewThatIsNoneDoesNotCount) {
  Add("o-sofia", "without_consent_review", "c-one", {}, "w-one").review =
      "justified";  // before there was anything to review
  Add("o-ana", "referral_send", "c-one", {"risk"}, "w-one");
  Add("o-ana", "without_consent_review", "c-one", {}, "w-one").review =
      "justified";  // by who decided
  Add("", "without_consent_review", "c-one", {}, "w-one").review = "justified";
  Add("o-sofia", "without_consent_review", "c-one", {}, "w-one").review =
      "fine";
  AccessRecord& refused =
      Add("o-sofia", "without_consent_review", "c-one", {}, "w-one");
  refused.review = "justified";
  refused.outcome = "role_missing";
  Add("o-sofia", "without_consent_review", "c-one", {}, "w-two").review =
      "justified";
  EXPECT_EQ(ReviewOf(1, kStart + absl::Hours(80)).state,
            BasisReview::State::kMissing);
  // The first that counts stays.
  Add("o-sofia", "without_consent_review", "c-one", {}, "w-one").review =
      "unjustified";
  Add("o-rita", "without_consent_review", "c-one", {}, "w-one").review =
      "justified";
  EXPECT_EQ(ReviewOf(1, kStart).outcome, "unjustified");
}

TEST_F(AccessQuestion, WhatWasOnlySeenOrRefusedNeedsNoReviewHere) {
  Add("o-ana", "section_open", "c-one", {"risk"}, "w-one");
  Add("o-ana", "referral_send", "c-one", {}, "w-two").outcome =
      "nothing_to_send";
  Add("o-ana", "referral_send", "c-one", {"risk"}, "g-one");
  Add("o-ana", "access_log_read", "").at = kStart + absl::Hours(100);
  EXPECT_THAT(Picked({.late_reviews = true}), IsEmpty());
}

TEST_F(AccessQuestion, TellsLooksOutsideOwnCases) {
  Add("o-ana", "referral_show", "c-one");
  Add("o-ana", "referral_accept", "c-one");  // a look before it was due, too
  Add("o-ana", "referral_show", "c-two");
  Add("o-ana", "case_search", "c-three").outcome = "excluded";
  Add("o-ana", "alarm_acknowledge", "c-two");
  Add("o-ana", "referral_decline", "c-four").outcome = "invalid_state";
  Add("o-ana", "consent_show", "c-four");
  Add("o-rui", "referral_accept", "c-two");  // another's act
  Add("o-rui", "referral_show", "c-one");
  Add("o-ana", "without_consent_show", "c-five");  // a basis' reasons
  const AccessFilter ana{.officer = "o-ana", .outside_own_cases = true};
  EXPECT_THAT(Picked(ana), ElementsAre(2, 3, 6, 9));
  EXPECT_THAT(Picked({.officer = "o-", .outside_own_cases = true}),
              ElementsAre(2, 3, 6, 8, 9));
}

TEST_F(AccessQuestion, TheInstitutionsListTakesTheRulesPlace) {
  const std::string mine = CaseId::New().text(), other = CaseId::New().text();
  Add("o-ana", "referral_accept", other.c_str());
  Add("o-ana", "referral_show", other.c_str());
  Add("o-ana", "referral_show", mine.c_str());
  const std::string unseen = CaseId::New().text();
  const AccessFilter filter{.officer = "o-ana",
                            .outside_own_cases = true,
                            .own_cases = VALUE_OF(ParseOwnCases(absl::StrCat(
                                mine, "\r\n\n  ", unseen, "\n", mine)))};
  EXPECT_THAT(Picked(filter), ElementsAre(1));
  EXPECT_OK(Learned(filter).CheckKnown());
  EXPECT_EQ(Learned(filter).unseen_cases(), 1u);
  EXPECT_THAT(NotesOn(Learned(filter)), testing::HasSubstr("1 case(s)"));
}

// Its silence would read as an acquittal.
TEST_F(AccessQuestion, RefusesWhomAndWhatNoRecordNames) {
  const std::string mine = CaseId::New().text();
  Add("o-ana", "referral_show", mine.c_str());
  Add("o-anb", "referral_show", mine.c_str());
  EXPECT_EQ(ErrorCodeOf(Learned({.officer = "o-zoe", .outside_own_cases = true})
                            .CheckKnown()),
            "not_found");
  EXPECT_EQ(ErrorCodeOf(Learned({.officer = "o-ana",
                                 .outside_own_cases = true,
                                 .own_cases = {{CaseId::New().text()}}})
                            .CheckKnown()),
            "not_found");
  EXPECT_EQ(ErrorCodeOf(Learned({.officer = "o-an",
                                 .outside_own_cases = true,
                                 .own_cases = {{mine}}})
                            .CheckKnown()),
            "ambiguous_id");
  EXPECT_OK(Learned({.officer = "o-zoe"}).CheckKnown());
  for (const char* list :
       {"", "\n \n", "c-", "c-one", "r-aaaaaaaaaaaaaaaaaaaa"})
    EXPECT_EQ(ErrorCodeOf(ParseOwnCases(list).status()), "usage") << list;
  EXPECT_THAT(
      std::string(
          ParseOwnCases(absl::StrCat(mine, "\nMaria")).status().message()),
      testing::AllOf(testing::HasSubstr("line 2"),
                     testing::Not(testing::HasSubstr("Maria"))));
  EXPECT_EQ(ErrorCodeOf(CheckFilter({.outside_own_cases = true})), "usage");
  EXPECT_EQ(ErrorCodeOf(CheckFilter({.officer = "o-a", .own_cases = {{mine}}})),
            "usage");
}

// Names that no schema has are not kept, and a chain is walked once.
TEST_F(AccessQuestion, AttackALongChainWithMadeUpSectionsStillEnds) {
  AccessEndings endings;
  AccessRecord record;
  record.affiliation = "uls";
  record.action = "consent_withdrawn";
  record.outcome = "ok";
  for (int i = 0; i < 100'000; ++i) {
    record.grant_or_basis = absl::StrCat("g-", i + 1);
    record.supersedes = absl::StrCat("g-", i);
    record.sections = {absl::StrCat("made_up_", i), "risk"};
    endings.Take(record);
  }
  record.supersedes = "";
  endings.Take(record);
  AccessRecord look;
  look.action = "section_open";
  look.grant_or_basis = "g-0";
  look.sections = {"made_up_3"};
  EXPECT_TRUE(endings.IsAfterEnd(look));
}

}  // namespace
}  // namespace amparo::auditor

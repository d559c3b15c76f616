#include "agents/auditor/report.h"

#include "absl/strings/match.h"
#include "base/clock.h"
#include "gtest/gtest.h"

namespace amparo::auditor {
namespace {

TEST(Report, IsNotOkWithOneFindingAndNamesTheLowestEntry) {
  Report report;
  report.Add(Step::kTiles, {FindingCode::kLeafMismatch, LeafIndex(17), "x"});
  report.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(9), "y"});
  report.Add(Step::kTiles, {FindingCode::kRootMismatch, std::nullopt, "z"});
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.first_bad_index(), LeafIndex(9));
}

TEST(Report, SaysOfEveryKindOfFindingHowToCheckIt) {
  for (int i = 0; i <= static_cast<int>(FindingCode::kLate); ++i) {
    const auto code = static_cast<FindingCode>(i);
    Report report;
    report.Add(Step::kTiles, {code, LeafIndex(1), "x"});
    EXPECT_FALSE(report.findings().front().check.empty()) << NameOf(code);
  }
}

TEST(Report, OrdersFindingsByEntryWithTheDeepestCauseFirst) {
  Report report;
  report.Add(Step::kTiles, {FindingCode::kRootMismatch, std::nullopt, "d"});
  report.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(9), "c"});
  report.Add(Step::kOpenings,
             {FindingCode::kOpeningMismatch, LeafIndex(5), "b"});
  report.Add(Step::kTiles, {FindingCode::kLeafMismatch, LeafIndex(5), "a"});
  report.OrderFindings();
  std::string order;
  for (const Finding& finding : report.findings()) order += finding.text;
  EXPECT_EQ(order, "abcd");
}

TEST(Report, AStepWithNothingToLookAtIsNeitherRightNorWrong) {
  Report report;
  report.Skip(Step::kConsistency, "no older checkpoint was given");
  report.Skip(Step::kConsistency, "a later reason");
  const Json step = ToJson(report)["steps"][4];
  EXPECT_EQ(step["name"], "consistency");
  EXPECT_EQ(step["step"], 5);
  EXPECT_TRUE(step["ok"].is_null());
  EXPECT_EQ(step["skipped"], "no older checkpoint was given");
  EXPECT_TRUE(report.ok());
}

TEST(Report, AStepThatFailedStaysFailedWhenItCouldNotGoOn) {
  Report report;
  report.Add(Step::kKeyEvents, {FindingCode::kBadKeyEvent, LeafIndex(3), "x"});
  report.Skip(Step::kKeyEvents, "a charter was refused");
  EXPECT_EQ(report.step(Step::kKeyEvents).Ok(), false);
}

Report Resumed(uint64_t size) {
  Report report;
  report.resumed_from = TreeSize(40);
  report.size = TreeSize(size);
  return report;
}

TEST(Report, AStepHasNoNewsWhereNoEntryCameThatItLooksAt) {
  Report report = Resumed(40);
  report.Skip(Step::kKeyEvents, "no key event to look at");
  EXPECT_TRUE(report.HasNoNews(Step::kKeyEvents));
  EXPECT_TRUE(report.HasNoNews(Step::kTiles));
  EXPECT_TRUE(report.HasNoNews(Step::kCharterChain));
  EXPECT_TRUE(absl::StrContains(ToText(report), "key_events     no news"));
  Report with_some = Resumed(41);
  EXPECT_TRUE(with_some.HasNoNews(Step::kLinks));
  with_some.Checked(Step::kTiles);
  with_some.Skip(Step::kKeyEvents, "no key event to look at");
  EXPECT_FALSE(with_some.HasNoNews(Step::kTiles));
  EXPECT_FALSE(with_some.HasNoNews(Step::kKeyEvents));
}

TEST(Report, WhatThisRunWasGivenIsNews) {
  Report report = Resumed(40);
  report.Checked(Step::kCheckpoint);
  report.Checked(Step::kConsistency);
  report.Skip(Step::kDisclosures, "no opened cases were given");
  report.Skip(Step::kCharterChain, "in force after this checkpoint, if at all");
  for (const Step step : {Step::kCheckpoint, Step::kConsistency,
                          Step::kDisclosures, Step::kCharterChain})
    EXPECT_FALSE(report.HasNoNews(step)) << NameOf(step);
  EXPECT_TRUE(absl::StrContains(ToText(report), "checkpoint     ok"));
  EXPECT_TRUE(absl::StrContains(ToText(report), "no opened cases were given"));
}

// An auditor who looks each day at a log that stands still must see that the
// checkpoint was not verified, or not by all that it must be.
TEST(Report, NothingNewNeverHidesTheCheckpoint) {
  Report report = Resumed(40);
  EXPECT_FALSE(report.HasNoNews(Step::kCheckpoint));
  report.Skip(Step::kCheckpoint, "version 3 came with it at the earliest");
  EXPECT_FALSE(report.HasNoNews(Step::kCheckpoint));
  EXPECT_TRUE(absl::StrContains(ToText(report), "at the earliest"));
}

TEST(Report, AFindingIsNews) {
  Report report = Resumed(40);
  report.Add(Step::kLinks, {FindingCode::kLate, std::nullopt, "x"});
  EXPECT_FALSE(report.HasNoNews(Step::kLinks));
  Report from_the_start;
  EXPECT_FALSE(from_the_start.HasNoNews(Step::kLinks));
}

TEST(Report, KeepsOneFindingForOneThingAndNotMoreThanItsMaximum) {
  Report report;
  for (int i = 0; i < 2; ++i)
    report.Add(Step::kTiles, {FindingCode::kLeafMismatch, LeafIndex(1), "x"});
  EXPECT_EQ(report.findings().size(), 1u);
  for (uint64_t i = 0; i < 2 * Report::kFindingsMax; ++i)
    report.Add(Step::kLinks, {FindingCode::kLate, LeafIndex(i + 5), "x"});
  EXPECT_EQ(report.findings().size(), Report::kFindingsMax);
  EXPECT_EQ(report.findings_omitted(), Report::kFindingsMax + 1);
}

TEST(ReportJson, HasTheKeysThatScriptsReadWithNullForWhatIsNotThere) {
  Report report;
  report.size = TreeSize(40);
  const Json json = ToJson(report);
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "replay/1");
  EXPECT_EQ(json["size"], 40);
  EXPECT_TRUE(json["network"].is_null());
  EXPECT_TRUE(json["first_bad_index"].is_null());
  EXPECT_TRUE(json["checkpoint_at"].is_null());
  EXPECT_EQ(json["steps"].size(), 10u);
  EXPECT_TRUE(json["findings"].is_array());
  for (const char* key : {"envelopes", "receipts", "charters", "key_events",
                          "erasures", "unopened"})
    EXPECT_EQ(json["counts"][key], 0) << key;
}

TEST(ReportJson, TellsAFindingWithItsSeverity) {
  Report report;
  report.Add(Step::kTiles,
             {FindingCode::kLeafMismatch, LeafIndex(17), "text", "check"});
  EXPECT_EQ(ToJson(report)["findings"][0].dump(),
            R"({"code":"leaf_mismatch","severity":"fatal","index":17,)"
            R"("text":"text","check":"check","known":false})");
}

TEST(Report, TellsAgainWhatAnEarlierReplayFound) {
  Report earlier;
  earlier.Add(Step::kLinks, {FindingCode::kLate, LeafIndex(9), "late"});
  // Two steps may notice one thing.
  earlier.Add(Step::kSignatures, {FindingCode::kLate, LeafIndex(9), "late"});
  earlier.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(7), "lost"});
  Report report;
  report.AddKnown(earlier.known());
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(report.step(Step::kSignatures).Ok(), false);
  EXPECT_EQ(report.first_bad_index(), LeafIndex(7));
  ASSERT_EQ(report.findings().size(), 2u);
  EXPECT_EQ(report.findings()[0].code, FindingCode::kLinkGap);
  EXPECT_EQ(ToJson(report)["findings"][0]["known"], true);
  EXPECT_TRUE(absl::StrContains(ToText(report), "by an earlier replay"));
  // What is looked at again is the same thing.
  report.Add(Step::kLinks, {FindingCode::kLate, LeafIndex(9), "late"});
  EXPECT_EQ(report.findings().size(), 2u);
}

TEST(ReportText, SaysWhetherTheRootWasPinnedAndWhoWatches) {
  Report report;
  EXPECT_TRUE(absl::StrContains(ToText(report), "root NOT pinned"));
  EXPECT_TRUE(absl::StrContains(ToText(report), "nobody else watches"));
  report.root_pinned = true;
  EXPECT_TRUE(absl::StrContains(ToText(report), "(root pinned)"));
}

TEST(ReportText, NamesTheFirstCharterForWhoHasThePaperProtocol) {
  Report report;
  EXPECT_FALSE(absl::StrContains(ToText(report), "First charter"));
  report.first_charter = Sha256("charter");
  const std::string hash = report.first_charter->ToString();
  EXPECT_TRUE(absl::StrContains(ToText(report),
                                hash + ": compare it with the paper protocol"));
  EXPECT_EQ(ToJson(report)["first_charter"], hash);
  report.root_pinned = true;
  EXPECT_TRUE(absl::StrContains(ToText(report), hash + ", as pinned"));
}

TEST(ReportText, AStepThatSawSomethingWasAskedInPart) {
  Report report;
  report.Skip(Step::kDisclosures, "a party's word");
  EXPECT_TRUE(absl::StrContains(ToText(report), "disclosures    skipped"));
  report.Checked(Step::kDisclosures);
  EXPECT_TRUE(absl::StrContains(ToText(report), "disclosures    in part"));
}

TEST(TimelineText, CannotSteerATerminal) {
  TimelineEntry entry{.index = LeafIndex(3), .at = TimeFromUnix(0)};
  entry.event = "envelope";
  entry.detail = "a\x1b[2Jb\xc2\x9b";
  const std::string line = ToText(entry);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_EQ(line.find('\x9b'), std::string::npos);
}

}  // namespace
}  // namespace amparo::auditor

#include "agents/auditor/report_html.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/html_words.h"
#include "agents/auditor/progress.h"
#include "base/clock.h"
#include "tests/support/status_matchers.h"

namespace amparo::auditor {
namespace {

TimelineEntry Row(uint64_t index, int hour, const char* event, const char* from,
                  const char* to, const char* digest, const char* detail = "") {
  TimelineEntry row{.index = LeafIndex(index),
                    .at = TimeFromUnix(1795262400) + absl::Hours(hour)};
  row.event = event;
  row.from = from;
  row.to = to;
  row.digest = digest;
  row.detail = detail;
  return row;
}

TEST(Tally, CountsByMonthAndMember) {
  Tally tally;
  tally.Add(Row(1, 0, "envelope", "ong", "uls", "a"));
  tally.Add(Row(2, 1, "receipt", "uls", "ong", "a", "delivered"));
  tally.Add(Row(3, 800, "envelope", "ong", "uls", "b"));
  tally.Add(Row(4, 801, "recall", "ong", "uls", "b"));
  tally.Finish();
  ASSERT_EQ(tally.months().size(), 2u);
  const auto& first = tally.months().begin()->second;
  EXPECT_EQ(first.at("ong").sent, 1u);
  EXPECT_EQ(first.at("uls").received, 1u);
  EXPECT_EQ(tally.months().rbegin()->second.at("ong").recalled, 1u);
  EXPECT_TRUE(tally.late().empty());
}

TEST(Tally, ListsWhatCameLateOrNever) {
  Tally tally;
  tally.Add(Row(1, 0, "envelope", "ong", "uls", "slow"));
  tally.Add(Row(2, 0, "envelope", "ong", "gnr", "never"));
  tally.Add(Row(3, 0, "envelope", "ong", "mp", "out"));
  tally.Add(Row(4, 30, "receipt", "uls", "ong", "slow", "delivered"));
  tally.Add(Row(5, 40, "expiry", "ong", "mp", "out"));
  tally.Add(Row(6, 41, "envelope", "ong", "uls", "young"));
  tally.Finish();
  ASSERT_EQ(tally.late().size(), 3u);
  EXPECT_EQ(tally.late()[0].outcome, "delivered after 30 h");
  EXPECT_EQ(tally.late()[1].outcome, "never delivered: its time ran out");
  EXPECT_EQ(tally.late()[2].outcome, "still waits after 41 h");
}

TEST(Tally, AttackALogOfManyNamesDoesNotFillTheMemory) {
  Tally tally;
  for (uint64_t i = 0; i < 2 * Tally::kCellsMax; ++i)
    tally.Add(Row(i, 0, "envelope", absl::StrCat("m", i).c_str(), "x",
                  absl::StrCat(i).c_str()));
  size_t cells = 0;
  for (const auto& [month, members] : tally.months()) cells += members.size();
  EXPECT_EQ(cells, Tally::kCellsMax);
}

TEST(HtmlReport, SaysWhatIsWrongAndHowToCheckIt) {
  HtmlReport html;
  html.Add(Row(0, 0, "charter", "", "", "", "version 1"));
  Report report;
  report.network = "test.example";
  report.Add(Step::kTiles,
             {FindingCode::kLeafMismatch, LeafIndex(17), "not so", "by hand"});
  const std::string page = html.Render(report, TimeFromUnix(1795262400));
  for (const char* text : {"Not in order", "Entry 17", "leaf_mismatch",
                           "by hand", "test.example", "NOT compared"})
    EXPECT_TRUE(absl::StrContains(page, text)) << text;
}

TEST(HtmlReport, SaysWhatIsMissingOrThatNothingIs) {
  const auto render = [](const Report& report) {
    return HtmlReport().Render(report, TimeFromUnix(0));
  };
  Report report;
  EXPECT_TRUE(absl::StrContains(render(report), "None: no entry is missing"));
  report.Skip(Step::kLinks, "no openings <here>");
  EXPECT_TRUE(absl::StrContains(
      render(report), "could not be asked: no openings &lt;here&gt;"));
  report.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(7), "two lost"});
  const std::string page = render(report);
  EXPECT_TRUE(absl::StrContains(page, "<td class=n>7</td><td>two lost</td>"));
  EXPECT_FALSE(absl::StrContains(page, "None: no entry is missing"));
}

TEST(HtmlReport, ListsWhatWentWithoutConsentAndWhy) {
  Report report;
  report.first_charter = Sha256("charter");
  report.Checked(Step::kDisclosures, 3);
  report.Skip(Step::kDisclosures, "something was a party's word");
  OpenedCase one;
  one.case_id = "c-one";
  EXPECT_FALSE(absl::StrContains(HtmlReport().Render(report, TimeFromUnix(0)),
                                 "without consent"));
  report.cases = {one};
  EXPECT_TRUE(absl::StrContains(HtmlReport().Render(report, TimeFromUnix(0)),
                                "Nothing in these cases went without"));
  report.cases[0].without_consent.push_back({LeafIndex(41),
                                             "ong",
                                             "mp",
                                             "w-one",
                                             "imminent_danger_life",
                                             {"risk<"},
                                             true});
  const std::string page = HtmlReport().Render(report, TimeFromUnix(0));
  for (const std::string& text :
       {std::string("Disclosed without consent"), std::string("<td class=n>41"),
        std::string("imminent danger to life"), std::string("risk&lt;"),
        std::string("in part"), report.first_charter->ToString()})
    EXPECT_TRUE(absl::StrContains(page, text)) << text;
}

// Who reads it knows the law, and no program.
TEST(HtmlReport, SpeaksInWords) {
  HtmlReport html;
  html.Add(Row(1, 0, "access_log_checkpoint", "ong", "", "a", "size 4"));
  html.Add(Row(2, 0, "sealed", "", "", "b"));
  html.Add(Row(3, 0, "receipt", "uls", "ong", "c", "undecryptable"));
  Report report;
  OpenedCase one;
  one.case_id = "c-one";
  one.unopened = 2;
  one.without_consent.push_back({LeafIndex(41),
                                 "ong",
                                 "mp",
                                 "w-one",
                                 "a_reason_of_this_charter",
                                 {"safe_contact", "risk_summary"},
                                 false});
  report.cases = {one};
  report.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(7), "two lost"});
  const std::string page = html.Render(report, TimeFromUnix(0));
  for (const char* words :
       {"A message is missing between two institutions", "4 record(s)",
        "does not open it", "could not be opened by its recipient",
        "a reason of this charter", "safe contact, risk (summary)",
        "its signer&#39;s word", "Messages left sealed",
        "nothing of whether its officers read it"})
    EXPECT_TRUE(absl::StrContains(page, words)) << words;
  for (const char* code :
       {"access_log_checkpoint", "undecryptable", "risk_summary", "size 4",
        "Not opened", "not opened<"})
    EXPECT_FALSE(absl::StrContains(page, code)) << code;
}

TEST(HtmlReport, EachFindingHasATitle) {
  for (size_t i = 0; i <= static_cast<size_t>(FindingCode::kLate); ++i)
    EXPECT_FALSE(TitleOf(static_cast<FindingCode>(i)).empty()) << i;
}

// And so who can make it again.
TEST(HtmlReport, SaysFromWhatItWasMade) {
  Report report;
  const auto render = [&] {
    return HtmlReport().Render(report, TimeFromUnix(0));
  };
  EXPECT_TRUE(absl::StrContains(render(), "from the log alone"));
  OpenedCase one;
  one.members = {"uls", "ong"};
  report.cases = {one, one};
  EXPECT_TRUE(absl::StrContains(
      render(), "from the log and the cases that ong, uls opened."));
  EXPECT_TRUE(absl::StrContains(render(), "is not in the log"));
  report.cases.clear();
  report.resumed_from = TreeSize(12);
  EXPECT_TRUE(absl::StrContains(render(), "kept of the entries before 12"));
  EXPECT_FALSE(absl::StrContains(render(), "alone."));
}

TEST(HtmlReport, TellsWhatAnEarlierAuditFound) {
  Report earlier, report;
  earlier.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(7), "two lost"});
  report.AddKnown(earlier.known());
  EXPECT_TRUE(absl::StrContains(HtmlReport().Render(report, TimeFromUnix(0)),
                                "An earlier audit found it already"));
}

TEST(HtmlReport, SaysFromWhereAResumedReplayLooked) {
  Report report;
  report.resumed_from = TreeSize(4711);
  EXPECT_TRUE(absl::StrContains(HtmlReport().Render(report, TimeFromUnix(0)),
                                "the entries from 4711 on"));
}

TEST(HtmlReport, SaysNothingOfWhatAResumedReplayDidNotSee) {
  Report report;
  report.resumed_from = report.size = TreeSize(4711);
  const std::string page = HtmlReport().Render(report, TimeFromUnix(0));
  EXPECT_TRUE(absl::StrContains(page, "nothing new"));
  EXPECT_TRUE(absl::StrContains(page, "from 4711 on only: there is none"));
  EXPECT_FALSE(absl::StrContains(page, "Every message was delivered"));
  EXPECT_TRUE(absl::StrContains(ToText(report), "nothing was logged since"));
}

TEST(HtmlReport, NamesTheInstitutions) {
  Report report;
  report.members = {{"ong", "Women's <House>", "victim_support", "active"}};
  const std::string page = HtmlReport().Render(report, TimeFromUnix(0));
  EXPECT_TRUE(absl::StrContains(page, "Women&#39;s &lt;House&gt;"));
  EXPECT_TRUE(absl::StrContains(page, "victim support"));
}

TEST(HtmlReport, AsksNobodyForAnything) {
  HtmlReport html;
  const std::string page = html.Render(Report(), TimeFromUnix(0));
  for (const char* text :
       {"<script", "http://", "https://", "src=", "@import", "url("})
    EXPECT_FALSE(absl::StrContains(page, text)) << text;
}

TEST(HtmlReport, AttackTextFromTheLogIsNoMarkup) {
  HtmlReport html;
  const char* const evil = "<script>alert('1')</script>\"&\x1b[2J";
  html.Add(Row(1, 0, evil, evil, evil, "a", evil));
  Report report;
  report.network = evil;
  report.Skip(Step::kLinks, evil);
  report.Add(Step::kLinks, {FindingCode::kLinkGap, LeafIndex(1), evil, evil});
  const std::string page = html.Render(report, TimeFromUnix(0));
  EXPECT_FALSE(absl::StrContains(page, "<script"));
  EXPECT_FALSE(absl::StrContains(page, "\x1b"));
  EXPECT_TRUE(absl::StrContains(page, "&lt;script&gt;"));
}

TEST(HtmlReport, ListsSoManyEntriesAndSaysSo) {
  HtmlReport html;
  for (uint64_t i = 0; i < HtmlReport::kRowsMax + 5; ++i)
    html.Add(Row(i, 0, "envelope", "ong", "uls", absl::StrCat(i).c_str()));
  EXPECT_TRUE(absl::StrContains(html.Render(Report(), TimeFromUnix(0)),
                                "The first 2000 of 2005 entries"));
}

TEST(Progress, SaysHowFarHowFastAndHowLong) {
  EXPECT_EQ(ProgressText(0, 100, absl::ZeroDuration()),
            "[........................]   0 %  0 of 100 entries");
  EXPECT_EQ(ProgressText(50, 100, absl::Seconds(5)),
            "[############............]  50 %  50 of 100 entries, 10/s, 5 s "
            "left");
  EXPECT_EQ(ProgressText(100, 100, absl::Seconds(10)),
            "[########################] 100 %  100 of 100 entries, 10/s");
  EXPECT_THAT(ProgressText(1, 100000, absl::Seconds(1)),
              testing::HasSubstr("27 h 46 min left"));
}

}  // namespace
}  // namespace amparo::auditor

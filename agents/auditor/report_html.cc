#include "agents/auditor/report_html.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/auditor/html_text.h"
#include "agents/auditor/html_words.h"
#include "agents/auditor/report_cases_html.h"
#include "agents/auditor/report_log_html.h"
#include "base/clock.h"

namespace amparo::auditor {
namespace {

constexpr char kHead[] = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Audit report</title>
<style>
:root{--ink:#1d2530;--soft:#5a6675;--line:#d9dfe6;--paper:#fff;--wash:#f4f6f9;--good:#1b6e45;--goodwash:#e7f4ec;--bad:#a3252c;--badwash:#fbeaea;--dim:#8a6a12;--dimwash:#fbf4df}
*{box-sizing:border-box}
body{margin:0;background:var(--wash);color:var(--ink);font:16px/1.55 "Source Sans 3","Segoe UI",system-ui,-apple-system,"Noto Sans",sans-serif}
main{max-width:62rem;margin:2rem auto;padding:2.5rem 3rem;background:var(--paper);border:1px solid var(--line);border-radius:10px}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .2rem;letter-spacing:-.01em}
h2{font-size:1.2rem;margin:2.6rem 0 .7rem;padding-bottom:.3rem;border-bottom:2px solid var(--ink)}
p{margin:.4rem 0 .9rem;max-width:46rem}
.soft{color:var(--soft)}
.verdict{display:flex;gap:1rem;align-items:baseline;margin:1.5rem 0;padding:1rem 1.3rem;border-left:6px solid;border-radius:4px;font-size:1.05rem}
.verdict b{font-size:1.25rem;white-space:nowrap}
.good{border-color:var(--good);background:var(--goodwash)}.good b{color:var(--good)}
.bad{border-color:var(--bad);background:var(--badwash)}.bad b{color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1.5rem;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
code{font:.86em/1.4 ui-monospace,"SFMono-Regular",Menlo,Consolas,"DejaVu Sans Mono",monospace}
table{width:100%;border-collapse:collapse;font-size:.93rem;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--soft);font-weight:600;border-bottom:1px solid var(--ink);padding:.4rem .6rem .4rem 0;vertical-align:bottom}
td{border-bottom:1px solid var(--line);padding:.4rem .6rem .4rem 0;vertical-align:top}
.n{text-align:right}.w,.tag{white-space:nowrap}
th.n{padding-right:.6rem}
.tag{display:inline-block;min-width:5.6rem;text-align:center;border-radius:3px;padding:.05rem .5rem;font-size:.82rem;font-weight:600}
.tag.ok{color:var(--good);background:var(--goodwash)}.tag.no{color:var(--bad);background:var(--badwash)}.tag.skip{color:var(--dim);background:var(--dimwash)}
.finding{border:1px solid var(--line);border-left:5px solid var(--bad);border-radius:4px;padding:.8rem 1.1rem;margin:.7rem 0;break-inside:avoid}
.finding h3{margin:0 0 .25rem;font-size:1rem}
.finding p{margin:.2rem 0}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.88rem;color:var(--soft)}
@media(max-width:44rem){main{margin:0;padding:1.2rem;border:0;border-radius:0}table{font-size:.85rem}}
@media print{@page{margin:18mm 16mm}body{background:#fff;font-size:10.5pt}main{max-width:none;margin:0;padding:0;border:0}h2{break-after:avoid}thead{display:table-header-group}tr{break-inside:avoid}.tag,.verdict{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
</style></head><body><main>
)";

// What each step asks, for somebody who reads no code.
constexpr std::array<const char*, kStepCount> kQuestions = {
    "Who belongs to the network: does every version of the charter bear the "
    "signatures that the one before it demands?",
    "Whose keys are whose: was every key put into the log by the institution "
    "that owns it?",
    "Is every entry still the one that was written, and is none missing?",
    "Did the host of the log, and enough independent witnesses, sign its "
    "newest "
    "state?",
    "Does the log still begin with what it said at earlier times?",
    "Is each sealed entry about what its opening says? What was deleted must "
    "be "
    "named by a deletion.",
    "Was everything signed by the institution whose business it was, with a "
    "key "
    "that was valid at that moment?",
    "Is the correspondence between each two institutions without gap and "
    "without a second version?",
    "Was each disclosure covered by a consent or a legal ground? This needs "
    "the cases themselves, which institutions open one by one.",
    ""};

std::string VerdictHtml(const Report& report) {
  if (report.ok())
    return absl::StrCat(
        "<div class=\"verdict good\"><b>In order</b><span>Everything that "
        "could be checked is as it was signed",
        report.root_pinned ? "" : ", if the first charter is the right one",
        ".</span></div>\n");
  return absl::StrCat("<div class=\"verdict bad\"><b>Not in order</b><span>",
                      report.findings().size() + report.findings_omitted(),
                      " finding(s)",
                      report.first_bad_index().has_value()
                          ? absl::StrCat("; the first concerns entry ",
                                         report.first_bad_index()->value())
                          : "",
                      ".</span></div>\n");
}

std::string FactsHtml(const Report& report, absl::Time made) {
  return absl::StrCat(
      "<dl>\n",
      Fact("Network", report.network.empty() ? "unknown" : report.network),
      Fact("Report made", FormatUtc(made)),
      Fact("Log up to", report.checkpoint_at.has_value()
                            ? FormatUtc(*report.checkpoint_at)
                            : "unknown"),
      Fact("Entries", absl::StrCat(report.size.value())),
      report.resumed_from.has_value()
          ? Fact("Looked at",
                 absl::StrCat("the entries from ", report.resumed_from->value(),
                              " on; those before were replayed by an earlier "
                              "audit, and the log still begins with them"))
          : "",
      Fact("State of the log (root hash)", report.root_hash.ToString(), true),
      report.first_charter.has_value()
          ? Fact("First charter (hash; compare it with the paper protocol)",
                 report.first_charter->ToString(), true)
          : "",
      Fact("Charter", absl::StrCat("version ", report.charter_version)),
      Fact("First charter",
           report.root_pinned
               ? "compared with the hash that this auditor was given"
               : "NOT compared: the log was believed what it says about its "
                 "own beginning"),
      Fact("Witnesses",
           report.quorum == 0
               ? "the charter asks for none: nobody else watches this log"
               : absl::StrCat(report.cosignatures, " signed, ", report.quorum,
                              " are needed by charter version ",
                              report.quorum_charter)),
      "</dl>\n");
}

std::string StepsHtml(const Report& report) {
  std::string html =
      "<h2>What was checked</h2>\n<table><thead><tr><th class=n>#<th>Question"
      "<th>Answer<th class=n>Items</tr></thead><tbody>\n";
  // The last step is this page.
  for (size_t i = 0; i + 1 < kStepCount; ++i) {
    const StepResult& step = report.step(static_cast<Step>(i));
    const std::optional<bool> ok = step.Ok();
    const bool no_news = report.HasNoNews(static_cast<Step>(i));
    const char* tag = no_news ? "skip\">nothing new"
                      : ok.has_value()
                          ? *ok ? "ok\">in order" : "no\">not in order"
                      : step.checked > 0 ? "skip\">in part"
                                         : "skip\">not asked";
    absl::StrAppend(&html, "<tr>", Cell(absl::StrCat(i + 1), true), "<td>",
                    kQuestions[i],
                    step.skipped.empty() || no_news
                        ? ""
                        : absl::StrCat("<br><span class=soft>Not all of "
                                       "it: ",
                                       EscapeHtml(step.skipped), "</span>"),
                    "</td><td><span class=\"tag ", tag, "</span></td>",
                    Count(step.checked), "</tr>\n");
  }
  return html + "</tbody></table>\n";
}

std::string FindingsHtml(const Report& report) {
  std::string html = "<h2>Findings</h2>\n";
  if (report.findings().empty()) return html + "<p>None.</p>\n";
  for (const Finding& finding : report.findings()) {
    absl::StrAppend(&html, "<div class=finding><h3>",
                    finding.index.has_value()
                        ? absl::StrCat("Entry ", finding.index->value())
                        : "The log as a whole",
                    ": ", EscapeHtml(TitleOf(finding.code)), "</h3><p>",
                    EscapeHtml(finding.text), "</p><p class=soft>",
                    finding.known ? "An earlier audit found it already, and "
                                    "this one did not look at it again. "
                                  : "",
                    IsFatal(finding.code)
                        ? "Serious: the log is not what was signed."
                        : "Somebody who writes to the log, or keeps it, broke "
                          "a rule or lost something.",
                    " For programs: <code>", NameOf(finding.code),
                    "</code></p>");
    if (!finding.check.empty())
      absl::StrAppend(&html, "<p><b>To check by hand:</b> ",
                      EscapeHtml(finding.check), "</p>");
    absl::StrAppend(&html, "</div>\n");
  }
  if (report.findings_omitted() > 0)
    absl::StrAppend(&html, "<p>And ", report.findings_omitted(),
                    " more, which are not listed.</p>\n");
  return html;
}

std::string RemarksHtml(const Report& report) {
  const std::vector<std::string> remarks = Remarks(report);
  if (remarks.empty()) return "";
  std::string html =
      "<h2>Remarks</h2>\n<p class=soft>No findings, but to be "
      "known.</p>\n<ul>\n";
  for (const std::string& remark : remarks)
    absl::StrAppend(&html, "<li>", EscapeHtml(remark), "</li>\n");
  return html + "</ul>\n";
}

// From what the page was made, and who can make it again.
std::string FooterHtml(const Report& report) {
  std::string from = "the log";
  std::set<std::string> openers;
  for (const OpenedCase& one : report.cases)
    openers.insert(one.members.begin(), one.members.end());
  if (!openers.empty())
    absl::StrAppend(&from, " and the cases that ",
                    EscapeHtml(absl::StrJoin(openers, ", ")), " opened");
  if (report.resumed_from.has_value())
    absl::StrAppend(&from,
                    " and what an earlier audit kept of the entries "
                    "before ",
                    report.resumed_from->value());
  return absl::StrCat(
      "<footer><p>The log holds no name and no content of any case: only that "
      "an institution sent something to another, when, and under which "
      "signature. &ldquo;In order&rdquo; says that the log is what was signed; "
      "it does not say that nothing was done outside it.</p>",
      openers.empty() ? ""
                      : "<p>What is said of opened cases is not in the log: it "
                        "comes from files of these institutions, compared with "
                        "the log as far as the log can tell. Keep this page as "
                        "you keep those files.</p>",
      "<p>Made by amparo-audit from ", from,
      openers.empty() && !report.resumed_from.has_value() ? " alone" : "",
      ". Whoever has the same and the hash of the first charter gets the same "
      "report.</p></footer>\n");
}

}  // namespace

void HtmlReport::Add(const TimelineEntry& row) {
  ++rows_seen_;
  tally_.Add(row);
  if (rows_.size() < kRowsMax) rows_.push_back(row);
}

std::string HtmlReport::Render(const Report& report, absl::Time made) {
  tally_.Finish();
  return absl::StrCat(kHead, "<h1>Audit of the log</h1>\n<p class=soft>of ",
                      EscapeHtml(report.network.empty() ? "an unknown network"
                                                        : report.network),
                      "</p>\n", VerdictHtml(report), FactsHtml(report, made),
                      FindingsHtml(report), RemarksHtml(report),
                      StepsHtml(report), CasesHtml(report),
                      LogHtml(report, tally_, rows_, rows_seen_),
                      FooterHtml(report), "</main></body></html>\n");
}

}  // namespace amparo::auditor

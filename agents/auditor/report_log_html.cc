#include "agents/auditor/report_log_html.h"

#include "absl/strings/str_cat.h"
#include "agents/auditor/html_text.h"
#include "agents/auditor/html_words.h"

namespace amparo::auditor {
namespace {

// What follows says nothing of what an earlier audit looked at.
std::string OnlySinceHtml(const Report& report) {
  if (!report.resumed_from.has_value()) return "";
  return absl::StrCat(
      "<p class=soft>Of the entries from ", report.resumed_from->value(),
      " on only", report.NothingNew() ? ": there is none" : "",
      ". What was logged before is in the reports of earlier audits.</p>\n");
}

std::string MembersHtml(const Report& report) {
  if (report.members.empty()) return "";
  std::string html = absl::StrCat(
      "<h2>Institutions</h2>\n<p class=soft>As version ",
      report.charter_version,
      " of the charter names them.</p>\n<table><thead><tr><th>Short name"
      "<th>Institution<th>Kind<th>Status</tr></thead><tbody>\n");
  for (const ReportMember& one : report.members)
    absl::StrAppend(&html, "<tr>", Whole(one.id), Cell(one.name),
                    Cell(Words(one.kind)), Cell(one.status), "</tr>\n");
  return html + "</tbody></table>\n";
}

std::string CountsHtml(const Report& report, const Tally& tally) {
  std::string html = absl::StrCat(
      "<h2>By month and institution</h2>\n", OnlySinceHtml(report),
      "<table><thead><tr><th>Month"
      "<th>Institution<th class=n>Sent<th class=n>Received<th class=n>Taken "
      "back<th class=n>Ran out<th class=n>Not readable<th class=n>Dated "
      "documents<th class=n>Deletions<th class=n>Keys</tr></thead><tbody>\n");
  for (const auto& [month, members] : tally.months())
    for (const auto& [member, cell] : members)
      absl::StrAppend(&html, "<tr>", Whole(month), Whole(member),
                      Count(cell.sent), Count(cell.received),
                      Count(cell.recalled), Count(cell.expired),
                      Count(cell.undecryptable), Count(cell.anchors),
                      Count(cell.erasures), Count(cell.key_events), "</tr>\n");
  return html + "</tbody></table>\n";
}

std::string LateHtml(const Report& report, const Tally& tally) {
  std::string html = absl::StrCat(
      "<h2>Late and missing deliveries</h2>\n", OnlySinceHtml(report),
      "<p class=soft>Late is what was not delivered within 24 hours; the "
      "deadlines of a case are inside its messages.</p>\n");
  if (tally.late().empty())
    return html + (tally.months().empty()
                       ? "<p>There is no message to look at.</p>\n"
                       : "<p>Every message was delivered within 24 hours, "
                         "taken back, or is younger than that.</p>\n");
  absl::StrAppend(
      &html,
      "<table><thead><tr><th class=n>Entry<th>Sent (UTC)<th>From<th>To"
      "<th>What came of it</tr></thead><tbody>\n");
  for (const Tally::Late& late : tally.late())
    absl::StrAppend(&html, "<tr>",
                    Cell(absl::StrCat(late.envelope.value()), true),
                    TimeCell(late.sent_at), Cell(late.from), Cell(late.to),
                    Cell(late.outcome), "</tr>\n");
  absl::StrAppend(&html, "</tbody></table>\n");
  if (tally.late_omitted() > 0)
    absl::StrAppend(&html, "<p>And ", tally.late_omitted(), " more.</p>\n");
  return html;
}

bool IsGap(FindingCode code) {
  return code == FindingCode::kLinkGap || code == FindingCode::kTileMissing ||
         code == FindingCode::kOpeningMissing;
}

std::string GapsHtml(const Report& report) {
  std::string html = absl::StrCat("<h2>Gaps</h2>\n", OnlySinceHtml(report));
  uint64_t gaps = 0;
  for (const Finding& finding : report.findings()) {
    if (!IsGap(finding.code)) continue;
    if (gaps++ == 0)
      absl::StrAppend(&html,
                      "<table><thead><tr><th class=n>Entry<th>What is missing"
                      "</tr></thead><tbody>\n");
    absl::StrAppend(
        &html, "<tr>",
        Cell(finding.index.has_value() ? absl::StrCat(finding.index->value())
                                       : "",
             true),
        Cell(finding.text), "</tr>\n");
  }
  if (gaps > 0) return html + "</tbody></table>\n";
  const std::string& skipped = report.step(Step::kLinks).skipped;
  return absl::StrCat(
      html, "<p>",
      skipped.empty()
          ? "None: no entry is missing, and each message between two "
            "institutions names the one before."
          : "No entry is missing. Whether a message is missing between two "
            "institutions could not be asked: " +
                EscapeHtml(skipped) + ".",
      "</p>\n");
}

std::string TimelineHtml(const Report& report,
                         const std::vector<TimelineEntry>& rows,
                         uint64_t seen) {
  std::string html = absl::StrCat("<h2>Timeline</h2>\n", OnlySinceHtml(report));
  if (seen > rows.size())
    absl::StrAppend(&html, "<p>The first ", rows.size(), " of ", seen,
                    " entries; <code>--json</code> lists all.</p>\n");
  absl::StrAppend(&html,
                  "<table><thead><tr><th class=n>Entry<th>Time (UTC)<th>Event"
                  "<th>From<th>To<th>Detail</tr></thead><tbody>\n");
  for (const TimelineEntry& row : rows)
    absl::StrAppend(&html, "<tr>", Cell(absl::StrCat(row.index.value()), true),
                    TimeCell(row.at), Cell(EventText(row.event)),
                    Cell(row.from), Cell(row.to), Cell(DetailText(row)),
                    "</tr>\n");
  return html + "</tbody></table>\n";
}

}  // namespace

std::string LogHtml(const Report& report, const Tally& tally,
                    const std::vector<TimelineEntry>& rows, uint64_t seen) {
  return absl::StrCat(MembersHtml(report), CountsHtml(report, tally),
                      LateHtml(report, tally), GapsHtml(report),
                      TimelineHtml(report, rows, seen));
}

}  // namespace amparo::auditor

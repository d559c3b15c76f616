#include "agents/auditor/report_cases_html.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/auditor/html_text.h"
#include "agents/auditor/html_words.h"

namespace amparo::auditor {
namespace {

std::string SectionsText(const std::vector<std::string>& slots) {
  return absl::StrJoin(slots, ", ", [](std::string* out, const auto& slot) {
    absl::StrAppend(out, SectionText(slot));
  });
}

// What went by a legal basis: lawful if the basis holds, and for an auditor to
// judge.
std::string WithoutConsentHtml(const Report& report) {
  std::string rows;
  for (const OpenedCase& one : report.cases)
    for (const WithoutConsentRow& row : one.without_consent)
      absl::StrAppend(
          &rows, "<tr>", Cell(absl::StrCat(row.index.value()), true),
          Cell(one.case_id), Cell(row.from), Cell(row.to),
          Cell(ReasonText(row.reason)), Cell(SectionsText(row.sections)),
          Cell(row.proven ? "went along with the message"
                          : "its signer's word: nobody can see that it went "
                            "along"),
          "</tr>\n");
  if (rows.empty())
    return "<p>Nothing in these cases went without consent, as far as they "
           "were opened.</p>\n";
  return absl::StrCat(
      "<h2>Disclosed without consent</h2>\n<table><thead><tr><th "
      "class=n>Entry<th>Case<th>From<th>To<th>Reason<th>Sections<th>The legal "
      "ground</tr></thead><tbody>\n",
      rows, "</tbody></table>\n");
}

// The columns of the table, for who has only this page.
constexpr char kColumns[] =
    "<p class=soft><b>By word alone</b>: which sections the message held is "
    "what the institution says, for the file does not show their text. "
    "<b>Left sealed</b>: a message that an institution has and did not open "
    "to this audit, because it refused it, put it aside or no longer holds "
    "what opens it; that says nothing of whether its officers read it. "
    "<b>Documents not shown</b>: documents that these institutions had dated "
    "in the log and that are in no file: of other cases, or kept back.</p>\n";

}  // namespace

std::string CasesHtml(const Report& report) {
  if (report.cases.empty()) return "";
  std::string html =
      "<h2>Opened cases</h2>\n<table><thead><tr><th>Case<th>Opened to this "
      "audit by<th class=n>Messages<th class=n>Sections disclosed<th class=n>"
      "Messages by word alone<th class=n>Messages left sealed<th>Documents "
      "not shown</tr></thead><tbody>\n";
  for (const OpenedCase& one : report.cases) {
    std::string entries;
    for (const LeafIndex leaf : one.anchors)
      absl::StrAppend(&entries, entries.empty() ? ": entry " : ", ",
                      leaf.value());
    absl::StrAppend(&html, "<tr><td>", EscapeHtml(one.case_id), "<td>",
                    EscapeHtml(absl::StrJoin(one.members, ", ")),
                    "<td class=n>", one.envelopes, "<td class=n>",
                    one.disclosures, "<td class=n>", one.unproven,
                    "<td class=n>", one.unopened, "<td>", one.anchors_unopened,
                    entries, "</tr>\n");
  }
  return absl::StrCat(html, "</tbody></table>\n", kColumns,
                      WithoutConsentHtml(report));
}

}  // namespace amparo::auditor

#include "agents/auditor/html_text.h"

#include "absl/strings/str_cat.h"
#include "base/printable.h"

namespace amparo::auditor {

std::string EscapeHtml(absl::string_view text) {
  std::string html;
  for (const char c : Printable(text)) switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  return html;
}

std::string Cell(absl::string_view text, bool number) {
  return absl::StrCat(number ? "<td class=n>" : "<td>", EscapeHtml(text),
                      "</td>");
}
std::string Whole(absl::string_view text) {
  return absl::StrCat("<td class=w>", EscapeHtml(text), "</td>");
}
std::string TimeCell(absl::Time time) {
  return Whole(
      absl::FormatTime("%E4Y-%m-%d %H:%M:%S", time, absl::UTCTimeZone()));
}
std::string Count(uint64_t count) {
  return absl::StrCat("<td class=n>",
                      count == 0 ? "&middot;" : absl::StrCat(count), "</td>");
}
std::string Fact(absl::string_view name, absl::string_view value, bool code) {
  return absl::StrCat("<dt>", name, "</dt><dd>", code ? "<code>" : "",
                      EscapeHtml(value), code ? "</code>" : "", "</dd>\n");
}

}  // namespace amparo::auditor

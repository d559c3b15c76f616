#include "agents/officer/text.h"

#include <wchar.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "base/clock.h"

namespace amparo::officer {
namespace {

constexpr size_t kIdCharsShown = 8;
constexpr char kReplacement[] = "\xef\xbf\xbd";  // U+FFFD

struct Character {
  char32_t code = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

// The first character of `text`, which is not empty (RFC 3629).
Character Next(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t code = lead & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (bytes == 3 && code < 0x800) ||
                        (bytes == 4 && (code < 0x10000 || code > 0x10ffff));
  if (overlong || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, bytes};
}

bool Commands(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||  // C0, DEL, C1
         (code >= 0x202a && code <= 0x202e) ||  // embeddings, overrides
         (code >= 0x2066 && code <= 0x2069) ||  // isolates
         (code >= 0x200e && code <= 0x200f) || code == 0x061c ||  // marks
         code == 0x2028 || code == 0x2029;  // separators of lines
}

std::string Coloured(absl::string_view text, absl::string_view code,
                     const TextStyle& style) {
  if (!style.colour) return std::string(text);
  return absl::StrCat("\x1b[", code, "m", text, "\x1b[0m");
}

}  // namespace

std::string Printable(absl::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character next = Next(text);
    const absl::string_view bytes =
        text.substr(0, std::max<size_t>(next.bytes, 1));
    if (lines && next.code == '\n')
      out += '\n';
    else if (next.code == '\t' || next.code == '\n')
      out += ' ';
    else if (next.bytes == 0 || Commands(next.code))
      out += kReplacement;
    else
      out.append(bytes.data(), bytes.size());
    text.remove_prefix(bytes.size());
  }
  return out;
}

std::string Label(absl::string_view name) {
  if (absl::EndsWith(name, "_summary"))
    return absl::StrCat(Label(absl::StripSuffix(name, "_summary")),
                        " (summary)");
  std::string label = Printable(absl::StrReplaceAll(name, {{"_", " "}}));
  if (!label.empty()) label[0] = absl::ascii_toupper(label[0]);
  return label;
}

std::string ShortId(absl::string_view id) {
  return Printable(id.substr(0, 2 + kIdCharsShown));
}

std::string TimeText(uint64_t unix_s, const TextStyle& style) {
  if (unix_s == 0) return "-";
  return absl::FormatTime("%Y-%m-%d %H:%M %Z",
                          TimeFromUnix(static_cast<int64_t>(unix_s)),
                          style.zone);
}

std::string LongTimeText(uint64_t unix_s, const TextStyle& style) {
  if (unix_s == 0) return "-";
  return absl::FormatTime("%A %Y-%m-%d %H:%M %Z",
                          TimeFromUnix(static_cast<int64_t>(unix_s)),
                          style.zone);
}

std::string YesNo(bool value) { return value ? "yes" : "no"; }

std::string Count(uint64_t count, absl::string_view one,
                  absl::string_view many) {
  return absl::StrCat(count, " ", count == 1 ? one : many);
}

size_t WidthOf(absl::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const Character next = Next(text);
    const int columns =
        next.bytes == 0 ? 1 : wcwidth(static_cast<wchar_t>(next.code));
    // What the locale does not know takes one column almost everywhere.
    width += columns < 0 ? 1 : static_cast<size_t>(columns);
    text.remove_prefix(std::max<size_t>(next.bytes, 1));
  }
  return width;
}

std::string Alarming(absl::string_view text, const TextStyle& style) {
  return Coloured(text, "1;31", style);
}

std::string Heading(absl::string_view text, const TextStyle& style) {
  return Coloured(text, "1", style);
}

}  // namespace amparo::officer

#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Words for people, the same in every answer.

namespace amparo::officer {

// How an answer to a person looks.
struct TextStyle {
  bool tables = false;  // aligned columns; else one fact per line
  bool colour = false;
  absl::TimeZone zone = absl::UTCTimeZone();
};

// `text` without what could command a terminal or turn its direction of
// writing: control characters and bidirectional overrides become U+FFFD, and
// so does what is not UTF-8. Everything that another institution wrote goes
// through here. `lines`: line breaks stay.
std::string Printable(absl::string_view text, bool lines = false);

// "safe_contact" -> "Safe contact"; "risk_summary" -> "Risk (summary)".
std::string Label(absl::string_view name);

// "r-k3vwq2ab": what a table shows of an id, enough to type.
std::string ShortId(absl::string_view id);

// "2026-11-21 09:30 WET"; "-" for 0.
std::string TimeText(uint64_t unix_s, const TextStyle& style);
// "Saturday 2026-11-21 09:30 WET".
std::string LongTimeText(uint64_t unix_s, const TextStyle& style);

std::string YesNo(bool value);
// "1 referral", "2 referrals".
std::string Count(uint64_t count, absl::string_view one,
                  absl::string_view many);

// How many columns `text` takes on a terminal.
size_t WidthOf(absl::string_view text);

// In words first; the colour only repeats them.
std::string Alarming(absl::string_view text, const TextStyle& style);
std::string Heading(absl::string_view text, const TextStyle& style);

}  // namespace amparo::officer

#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

// Pieces of an HTML page. What they are given is escaped.

namespace amparo::auditor {

// `text` as it may stand in HTML, in an attribute too.
std::string EscapeHtml(absl::string_view text);

// Cells of a table.
std::string Cell(absl::string_view text, bool number = false);
std::string Whole(absl::string_view text);  // must not break in two
std::string TimeCell(absl::Time time);      // "2026-11-20 09:00:00"
std::string Count(uint64_t count);

// A line of a list: a name, which is not escaped, and its value.
std::string Fact(absl::string_view name, absl::string_view value,
                 bool code = false);

}  // namespace amparo::auditor

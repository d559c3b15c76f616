#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "agents/officer/text.h"
#include "base/json.h"

// What a form holds, for people: labels from the names of fields, yes and no,
// local times, and why something has no value.

namespace amparo::officer {

// "cancel_requested" -> "cancel requested": a code as words.
std::string Words(absl::string_view code);

// "a, b, c"; "none" when empty. Made Printable.
template <typename Texts>
std::string Listing(const Texts& texts) {
  std::string listing;
  for (const auto& text : texts) {
    if (!listing.empty()) listing += ", ";
    listing += Printable(text);
  }
  return listing.empty() ? "none" : listing;
}

// One value on one line, or one line per record of a list.
std::string ValueText(const Json& value, const TextStyle& style);

// A section's value: its fields under each other, `indent` columns in.
std::string FieldsText(const Json& value, size_t indent,
                       const TextStyle& style);

}  // namespace amparo::officer

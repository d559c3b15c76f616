#pragma once

#include <map>
#include <optional>

#include "absl/time/time.h"
#include "base/json.h"
#include "proto/content/section.h"

namespace amparo {

// What the summary of a section holds (docs/PROTOCOL.md, Views): levels, yes
// or no, counts; no name, no free text. Made by the sender when the document
// is issued, so that it fits a signed digest too. nullopt for a section
// without a summary rule. `now` turns dates of birth into age bands.
// Precondition: ValidateSection(section, value) is OK.
std::optional<Json> Summarize(Section section, const Json& value,
                              absl::Time now);

// Every slot that has a value: the sections and their summaries.
std::map<Slot, Json> SlotValues(const Sections& sections, absl::Time now);

}  // namespace amparo

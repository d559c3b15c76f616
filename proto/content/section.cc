#include "proto/content/section.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "proto/content/names.h"
#include "proto/content/section_fields.h"

namespace amparo {
namespace {

struct Traits {
  Section section;
  absl::string_view name;
  int sensitivity;
};
constexpr Traits kSections[] = {
    {Section::kIdentity, "identity", 2},
    {Section::kSafeContact, "safe_contact", 4},
    {Section::kRisk, "risk", 3},
    {Section::kIncident, "incident", 3},
    {Section::kPerpetrator, "perpetrator", 3},
    {Section::kHealth, "health", 4},
    {Section::kLegal, "legal", 3},
    {Section::kChildren, "children", 4},
    {Section::kHousing, "housing", 2},
    {Section::kNeeds, "needs", 1},
    {Section::kSpecial, "special", 4},
    {Section::kNarrative, "narrative", 3},
};
constexpr char kSummarySuffix[] = "_summary";

const Traits& TraitsOf(Section section) {
  return *std::find_if(std::begin(kSections), std::end(kSections),
                       [&](const Traits& t) { return t.section == section; });
}

}  // namespace

absl::string_view NameOf(Section section) { return TraitsOf(section).name; }

absl::StatusOr<Section> ParseSection(absl::string_view name) {
  for (const Traits& traits : kSections)
    if (traits.name == name) return traits.section;
  return absl::InvalidArgumentError("not the name of a section");
}

const std::vector<Section>& AllSections() {
  static const std::vector<Section>& sections = *[] {
    auto* all = new std::vector<Section>;
    for (const Traits& traits : kSections) all->push_back(traits.section);
    return all;
  }();
  return sections;
}

int SensitivityOf(Section section) { return TraitsOf(section).sensitivity; }

bool IsMaskedOnScreen(Section section) {
  return section == Section::kSafeContact;
}

bool HasSummary(Section section) {
  return !RuleOf({section, true}).fields.empty();
}

std::string NameOf(Slot slot) {
  std::string name(NameOf(slot.section));
  if (slot.summary) name += kSummarySuffix;
  return name;
}

absl::StatusOr<Slot> ParseSlot(absl::string_view name) {
  const bool summary = absl::EndsWith(name, kSummarySuffix);
  ASSIGN_OR_RETURN(
      const Section section,
      ParseSection(absl::StripSuffix(name, summary ? kSummarySuffix : "")));
  if (summary && !HasSummary(section))
    return absl::InvalidArgumentError("this section has no summary");
  return Slot{section, summary};
}

const std::vector<Slot>& AllSlots() {
  static const std::vector<Slot>& slots = *[] {
    auto* all = new std::vector<Slot>;
    for (const Section section : AllSections()) {
      all->push_back({section});
      if (HasSummary(section)) all->push_back({section, true});
    }
    return all;
  }();
  return slots;
}

const std::vector<std::string>& SlotNames() {
  static const std::vector<std::string>& names = *[] {
    auto* all = new std::vector<std::string>;
    for (const Slot slot : AllSlots()) all->push_back(NameOf(slot));
    return all;
  }();
  return names;
}

}  // namespace amparo

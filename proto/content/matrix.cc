#include "proto/content/matrix.h"

#include <cstddef>
#include <iterator>
#include <string>

namespace amparo {
namespace {

// A column for each kind, in this order; a row for each section.
constexpr MemberKind kColumns[] = {MemberKind::kVictimSupport,
                                   MemberKind::kShelter,
                                   MemberKind::kHealth,
                                   MemberKind::kPolice,
                                   MemberKind::kProsecutor,
                                   MemberKind::kChildProtection,
                                   MemberKind::kSocialServices,
                                   MemberKind::kLegalAid,
                                   MemberKind::kEducationEmployment,
                                   MemberKind::kPerpetratorProgramme,
                                   MemberKind::kHotline,
                                   MemberKind::kCoordinator};

struct Row {
  Section section;
  char letters[std::size(kColumns) + 1];
};
// clang-format off
constexpr Row kRows[] = {
    //                       vs sh he po pr ch so la ed pp ho co
    {Section::kIdentity,    "FFFFFFFFG-FS"},
    {Section::kSafeContact, "CCCC-GCG-XCX"},
    {Section::kRisk,        "FFSFFSSS-SFS"},
    {Section::kIncident,    "FSSFFSSF-SS-"},
    {Section::kPerpetrator, "FSSFFSSF-FS-"},
    {Section::kHealth,      "GGF-GG------"},
    {Section::kLegal,       "FS-FFSSF-S--"},
    {Section::kChildren,    "FFSSSFFSGX--"},
    {Section::kHousing,     "FF-S-SFS-X--"},
    {Section::kNeeds,       "FFSS-SFSG-FS"},
    {Section::kSpecial,     "GGG--GGG-X--"},
    {Section::kNarrative,   "G-GGGGGG-X--"},
};
// clang-format on

}  // namespace

Letter DefaultLetter(MemberKind kind, Section section) {
  for (const Row& row : kRows) {
    if (row.section != section) continue;
    for (size_t column = 0; column < std::size(kColumns); ++column)
      if (kColumns[column] == kind)
        return static_cast<Letter>(row.letters[column]);
  }
  return Letter::kNever;  // kinds without a mailbox
}

Letter LetterFor(const Charter& charter, MemberKind kind, Section section) {
  const auto row = charter.matrix.find(kind);
  if (row == charter.matrix.end() || !HasMailbox(kind))
    return DefaultLetter(kind, section);
  const auto cell = row->second.find(std::string(NameOf(section)));
  if (cell == row->second.end()) return DefaultLetter(kind, section);
  switch (cell->second) {
    case 'F':
    case 'S':
    case 'C':
    case 'G':
    case '-':
      return static_cast<Letter>(cell->second);
    default:
      return Letter::kNever;
  }
}

}  // namespace amparo

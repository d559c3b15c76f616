#pragma once

#include "proto/content/section.h"
#include "proto/network/charter.h"
#include "proto/network/member.h"

namespace amparo {

// What a kind of member may receive of a section at most (docs/PROTOCOL.md,
// Views).
enum class Letter : char {
  kFull = 'F',
  kSummary = 'S',       // full only by a basis without consent
  kFirstContact = 'C',  // full for the member that makes first contact
  kGrantNames = 'G',    // full when the grant lists the section by name
  kNone = '-',
  kNever = 'X',  // not even without consent
};

// The default table.
Letter DefaultLetter(MemberKind kind, Section section);
// The charter's letter, or the default where it is silent. A letter the
// charter cannot mean is kNever.
Letter LetterFor(const Charter& charter, MemberKind kind, Section section);

}  // namespace amparo

#pragma once

#include <optional>
#include <string>

#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

// Who must never learn of the case: it belongs to the case, outlives its grant
// and always wins. A member alone shuts out the institution. With a person (by
// the name the victim knows) or an officer it is told to that member only,
// whose agent hides the case from them.
struct Exclusion {
  MemberId member;
  std::optional<std::string> person;
  std::optional<OfficerId> officer;
  std::string reason;  // stays with the issuer; empty elsewhere

  bool ShutsOutMember() const { return !person && !officer; }
  bool operator==(const Exclusion&) const = default;
};

}  // namespace amparo

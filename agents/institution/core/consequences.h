#pragma once

#include <map>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/grant_step.h"
#include "agents/institution/core/take_back.h"
#include "proto/content/policy.h"

namespace amparo::agent {

// What follows when a grant of a case is revoked or superseded.
struct Consequences {
  TakenBack taken;
  // Slots that a member has, or may get, and may not have any more.
  std::map<MemberId, std::set<Slot>> lost;
  // Members that were sent something by a grant of the chain: which of them.
  std::map<MemberId, std::set<GrantId>> holders;
};

// `chain`: the grants that end. `notes`: the events that end them, and perhaps
// bring another in their place. Adds to `change` what takes back documents on
// their way of which nothing may go any more.
absl::StatusOr<Consequences> ConsequencesOf(
    const GrantStep& step, const Case& entry,
    const std::vector<const HeldGrant*>& chain,
    const std::vector<CaseEvent>& notes, CaseChange& change);

}  // namespace amparo::agent

#pragma once

#include <vector>

#include "proto/content/case_state.h"
#include "proto/content/policy.h"

namespace amparo::agent {

// A consent as it was extended and narrowed: each grant of the chain supersedes
// the next one of the list. Newest first; from `key` both ways; empty when the
// case does not have it. Grants of one issuer only.
std::vector<const HeldGrant*> ChainOf(const CaseState& state,
                                      const GrantKey& key);

}  // namespace amparo::agent

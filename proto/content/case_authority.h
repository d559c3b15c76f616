#pragma once

#include "proto/content/case_state.h"
#include "proto/content/grant.h"
#include "proto/content/without_consent.h"

// What was said about a case, as the fold and the check of what comes in both
// gather it.

namespace amparo {

// Adds the grant, or what more of it is disclosed, and its exclusions. A second
// grant of its issuer under a known id changes nothing.
void AddGrant(const Grant& grant, CaseState& state);
void AddBasis(const WithoutConsent& basis, CaseState& state);

// Sets every grant's status from supersessions and revocations, whatever came
// first. Only a grant's issuer supersedes or revokes it.
void SettleStatuses(CaseState& state);

}  // namespace amparo

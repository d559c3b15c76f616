#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/views.h"

namespace amparo::agent {

// A consent without its provisions and what rests on it.
ConsentView RowOf(const Desk& desk, const Moment& moment, const Case& entry,
                  const HeldGrant& held);

// All of it: at the issuer the form's provisions and what its recipients have
// by it; elsewhere what it tells this institution of its own people.
absl::StatusOr<ConsentView> WholeOf(const Desk& desk, const Moment& moment,
                                    const Case& entry, const HeldGrant& held);

// Consents of a case, oldest first, each as RowOf.
std::vector<ConsentView> RowsOf(const Desk& desk, const Moment& moment,
                                const Case& entry);

// Members that were asked to erase what rested on the grant, or on the one that
// narrowed it, and what they answered.
std::vector<RevokedRecipient> RevokedRecipientsOf(const Moment& moment,
                                                  const Case& entry,
                                                  const Grant& grant);

}  // namespace amparo::agent

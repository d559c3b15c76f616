#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "proto/content/case_state.h"
#include "proto/content/section.h"

namespace amparo::agent {

// The value of `slot` of a referral, JSON, from the content behind `shared`.
// The signature and the disclosure are verified again, each time: what lies on
// the disk is not believed. NOT_FOUND when it is erased, DATA_LOSS (code
// "tampered") when it does not fit what was signed.
absl::StatusOr<std::string> ReadSection(const Desk& desk, const Moment& moment,
                                        const Case& entry,
                                        const PeerReferral& referral, Slot slot,
                                        const SharedSlot& shared);

// What an officer names on the command line. INVALID_ARGUMENT (code "usage").
absl::StatusOr<std::set<Slot>> SlotsNamed(
    const std::vector<std::string>& names);

}  // namespace amparo::agent

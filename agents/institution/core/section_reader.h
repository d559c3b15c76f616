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

// A recipient gives out what it may still see itself, and no more:
// PERMISSION_DENIED with the code of the first slot that it may not. A sender
// gives out what is its own.
absl::Status MayGiveOut(const Desk& desk, const Case& entry,
                        const PeerReferral& referral,
                        const std::set<Slot>& slots);

// What an officer names on the command line. INVALID_ARGUMENT (code "usage").
absl::StatusOr<std::set<Slot>> SlotsNamed(
    const std::vector<std::string>& names);

}  // namespace amparo::agent

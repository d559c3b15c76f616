#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/network/charter.h"

// What ends by its date: the charter, and its governance keys.

namespace amparo::committee {

// From so long before its end on, people are told: at 60, 30 and 7 days in
// rising words.
inline constexpr absl::Duration kToldAhead = absl::Hours(60 * 24);

// One line for the charter and one for each governance key that ends within 60
// days or has ended, with the days that are left and what to do.
std::vector<std::string> RunningOut(const Charter& charter, absl::Time now);

// FAILED_PRECONDITION (code "invalid_state") for a key that has run out: its
// signature would count for nothing.
absl::Status CheckKeyCounts(const GovernanceKey& key, absl::Time now);

// INVALID_ARGUMENT (code "invalid_form") for a draft that would be in force for
// longer than kCharterLifeMax, or not at all.
absl::Status CheckCharterLife(const Charter& draft, absl::Time now);

}  // namespace amparo::committee

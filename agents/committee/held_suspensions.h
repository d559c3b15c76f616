#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/committee/charter_folder.h"
#include "proto/network/charter.h"
#include "proto/network/suspension.h"

namespace amparo::committee {

// The suspensions by two keys that were published from this folder, and that
// hold at `now` under `charter`, the newest version: no later date of the
// member lifts them. What other machines published it does not know.
absl::StatusOr<std::vector<Suspension>> HeldSuspensions(
    const CharterFolder& folder, const Charter& charter, absl::Time now);

}  // namespace amparo::committee

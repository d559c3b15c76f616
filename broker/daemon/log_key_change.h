#pragma once

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/data_dir.h"

// The log's key changes, the log stays: same tree, same origin. First both keys
// sign the checkpoints, and the charter names both; after a week the new one
// signs the receipts too; then a charter drops the old one
// (docs/OPERATIONS.md, The log's key).

namespace amparo::broker {

// For so long both are named by the charter before the new one takes over.
inline constexpr absl::Duration kLogKeyOverlap = absl::Hours(7 * 24);

// Makes the second key. ALREADY_EXISTS while there is one.
absl::StatusOr<Answer> NewLogKey(const DataDir& data);

// Makes the second key the log's, in network.json. FAILED_PRECONDITION (code
// "invalid_state") unless it has signed the newest checkpoint and the charter
// has named both for kLogKeyOverlap; `at_once`: named both, however short. Asks
// for a stopped broker: UNAVAILABLE while one runs.
absl::StatusOr<Answer> SwitchLogKey(const DataDir& data, bool at_once,
                                    const Clock& clock);

}  // namespace amparo::broker

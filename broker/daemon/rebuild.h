#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/data_dir.h"

namespace amparo::broker {

// Brings a stopped broker that was put back from a backup up to its log, from
// the mirrors in the folders `from` (docs/OPERATIONS.md, Rebuilding the
// broker), which must reach the checkpoints in the files `known`. The store is
// replaced whole or not at all, and `run` is refused until it is. DATA_LOSS,
// code "forked": two signed logs; what proves it is in the directory.
// UNAVAILABLE while a broker runs there.
absl::StatusOr<Answer> Rebuild(const DataDir& data,
                               const std::vector<std::string>& from,
                               const std::vector<std::string>& known);

}  // namespace amparo::broker

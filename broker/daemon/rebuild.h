#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/data_dir.h"

namespace amparo::broker {

// Brings a stopped broker that was put back from a backup up to its log, from
// the mirrors in the folders `from` (docs/OPERATIONS.md, Rebuilding the
// broker). The store is replaced whole or not at all. DATA_LOSS, code "forked":
// two signed logs; what proves it is in the directory. UNAVAILABLE while a
// broker runs there.
absl::StatusOr<Answer> Rebuild(const DataDir& data,
                               const std::vector<std::string>& from);

}  // namespace amparo::broker

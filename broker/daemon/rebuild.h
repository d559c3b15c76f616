#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/data_dir.h"

namespace amparo::broker {

struct RebuildFrom {
  std::vector<std::string> mirrors;  // folders
  std::vector<std::string> known;    // files: checkpoints they must reach
  // The operator's word for what no mirror says: that nothing was shown after
  // the backup. It stands in for mirrors that end before, and for nothing else.
  bool nothing_since = false;
};

// Brings a stopped broker that was put back from a backup up to its log
// (docs/OPERATIONS.md, Rebuilding the broker). The store is replaced whole or
// not at all, and `run` is refused until it is. DATA_LOSS, code "forked": two
// signed logs; what proves it is in the directory. FAILED_PRECONDITION when the
// mirrors cannot say that they are all. UNAVAILABLE while a broker runs there.
absl::StatusOr<Answer> Rebuild(const DataDir& data, const RebuildFrom& from);

}  // namespace amparo::broker

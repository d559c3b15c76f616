#pragma once

#include "absl/status/statusor.h"
#include "agents/auditor/rpc/arguments.h"

namespace amparo::auditor {

// The subcommands: each prints its result and gives the exit status. A finding
// is a result, exit 6; an error means that there is none.
absl::StatusOr<int> RunReplay(const Arguments& arguments);
absl::StatusOr<int> RunJoin(const Arguments& arguments);
absl::StatusOr<int> RunReconnect(const Arguments& arguments);
absl::StatusOr<int> RunAccessLog(const Arguments& arguments);
absl::StatusOr<int> RunProve(const Arguments& arguments);
absl::StatusOr<int> RunVerify(const Arguments& arguments);
absl::StatusOr<int> RunCompare(const Arguments& arguments);
absl::StatusOr<int> RunShow(const Arguments& arguments);

}  // namespace amparo::auditor

#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/daemon/data_dir.h"

namespace amparo::agent {

// What `amparo-agent keys`, `rotate-keys` and `revoke-key` are asked.
struct KeyCommand {
  std::string officer = "admin";  // the handle of an admin with this account
  std::string kid;                // revoke: "" or "current", or a key id
  absl::Duration timeout = absl::Seconds(30);
  bool json = false;
};

// Each is done by the agent that runs on `data`; the answer is what to print.
// Rotate and revoke wait until all of it stands in the proven log; after
// `timeout` they fail with "timed_out", or "broker_unreachable" while the
// broker is away. The order is kept all the same, and the same command waits
// for it again.
absl::StatusOr<std::string> ShowKeys(const DataDir& data,
                                     const KeyCommand& asked);
absl::StatusOr<std::string> RotateKeys(const DataDir& data,
                                       const KeyCommand& asked);
absl::StatusOr<std::string> RevokeKey(const DataDir& data,
                                      const KeyCommand& asked);

}  // namespace amparo::agent

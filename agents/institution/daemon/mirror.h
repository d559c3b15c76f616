#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/institution/daemon/data_dir.h"

namespace amparo::agent {

struct MirrorCommand {
  std::string directory;  // the new one
  std::string officer;    // known to the running agent; empty: by uid
  bool without_openings = false;
  bool json = false;
};

// Writes the copy of the log of the agent in `data`, which may run, to a new
// directory, for whoever rebuilds the broker (docs/OPERATIONS.md, Rebuilding
// the broker). Unlocks the keystore. Returns what to print.
absl::StatusOr<std::string> WriteMirror(const DataDir& data,
                                        const MirrorCommand& asked);

}  // namespace amparo::agent

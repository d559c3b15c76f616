#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/kv/kv.h"
#include "crypto/checkpoint.h"
#include "proto/network/network_file.h"

namespace amparo::agent {

// Writes this agent's copy of the log to the new directory `path`
// (docs/PROTOCOL.md, Export): tiles, entries, charters, the newest checkpoints,
// and unless told not to what opens the entries to which this member is a
// party. Every root is computed anew from the entries. `kv`: the agent's rows,
// which nobody changes meanwhile. Memory does not grow with the log.
// FAILED_PRECONDITION (code "invalid_state") before the first checkpoint;
// DATA_LOSS when the copy is not what the log signed; ALREADY_EXISTS.
absl::StatusOr<Checkpoint> ExportMirror(KeyValue& kv,
                                        const NetworkFile& network,
                                        const std::string& path,
                                        bool with_openings);

}  // namespace amparo::agent

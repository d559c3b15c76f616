#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "broker/store/store.h"
#include "crypto/checkpoint.h"
#include "proto/network/network_file.h"

namespace amparo::broker {

// Writes the log up to the store's newest checkpoint, or where the charter asks
// for witnesses up to the newest that a quorum of them cosigned: tiles, entry bundles,
// charters and the checkpoints under which they came into force, openings
// (docs/PROTOCOL.md, Export). `directory` appears when it is
// whole; ALREADY_EXISTS when it is there before. Reads only, beside a running
// ledger; memory does not grow with the log. The founding token is left out.
absl::StatusOr<Checkpoint> ExportLog(const Store& store,
                                     const NetworkFile& network,
                                     const std::string& directory);

}  // namespace amparo::broker

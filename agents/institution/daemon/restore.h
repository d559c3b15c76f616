#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/institution/daemon/backup.h"
#include "agents/institution/daemon/data_dir.h"

namespace amparo::agent {

// Makes the directory `data`, which must not exist, from the backup
// `asked.file`: whole or not at all. The agent that starts on it makes new keys
// and asks its peers for what they sent since. Returns what to print.
// ALREADY_EXISTS (code "conflict") for an existing directory; PERMISSION_DENIED
// ("config") for a wrong passphrase, DATA_LOSS ("storage") for a damaged file,
// UNIMPLEMENTED ("config") for another version's, INVALID_ARGUMENT ("config")
// for what is no backup.
absl::StatusOr<std::string> RestoreBackup(const DataDir& data,
                                          const BackupCommand& asked);

}  // namespace amparo::agent

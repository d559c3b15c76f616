#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/institution/daemon/data_dir.h"
#include "base/clock.h"

namespace amparo::agent {

// What a backup has of an agent, and how it is told (docs/OPERATIONS.md,
// Backups).
struct BackupCommand {
  std::string file;
  std::string passphrase_file;  // empty: asked on the terminal
  std::string officer;          // known to the running agent; empty: by uid
  bool json = false;
};

// Writes a backup of the agent in `data`, which may run, to `file`: whole or
// not at all, mode 0600, replacing what is there. Identity, witness and vault
// key as keystore.json has them, certificate, configuration, network files, and
// the store without keys and rows of one moment (StaysBehind). Returns what to
// print.
absl::StatusOr<std::string> MakeBackup(const DataDir& data,
                                       const BackupCommand& asked,
                                       const Clock& clock);

}  // namespace amparo::agent

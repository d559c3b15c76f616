#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/daemon/config.h"
#include "agents/institution/daemon/secrets.h"
#include "crypto/digest.h"
#include "proto/network/network_file.h"

namespace amparo::agent {

// The agent's data directory (docs/OPERATIONS.md, The agent's directory):
//   agent.toml       configuration          network.json  addresses, CA, log
//   key keystore.json    I, W, vault key        charter-1.json  pinned at join
//   certificate.pem  for the broker's port  store/        everything else,
//   sealed
class DataDir {
 public:
  explicit DataDir(std::string path) : path_(std::move(path)) {}

  std::string Path(absl::string_view name) const;
  // A path of agent.toml: absolute, or below this directory.
  std::string Resolve(const std::string& path) const;

  // With the certificate a join is done.
  bool HasJoined() const;
  // FAILED_PRECONDITION (code "config"), with what to do, without it: it never
  // came, or was lost.
  absl::Status CheckJoined() const;
  // FAILED_PRECONDITION (code "config") with what to do where nobody joined,
  // INVALID_ARGUMENT (code "config") with file, key and what to do where the
  // configuration is not right. A certificate is not asked for.
  absl::StatusOr<AgentConfig> ReadConfig() const;
  absl::StatusOr<NetworkFile> ReadNetwork() const;  // as ReadNetworkFile

  // The secrets, unlocked as the configuration says: asks on the terminal,
  // reads the key file, or the systemd credential "amparo-keystore".
  // PERMISSION_DENIED (code "config") for a wrong passphrase; every other error
  // names its one cause, too: DATA_LOSS ("storage") for a damaged file,
  // UNIMPLEMENTED for another version's, NOT_FOUND and FAILED_PRECONDITION for
  // a passphrase that is not there or that others may read.
  absl::StatusOr<AgentSecrets> Unlock(const AgentConfig& config) const;

 private:
  const std::string path_;
};

// Beside what stands above: the mark of a restore, until the agent started; a
// copy of the store while it is backed up.
inline constexpr char kRestoredMark[] = "restored";
inline constexpr char kStoreCopy[] = "store.copy";

// The agent's network.json. FAILED_PRECONDITION (code "config") names the file
// and says what to do where it is missing or not right.
absl::StatusOr<NetworkFile> ReadNetworkFile(const std::string& path);

// Deletes the folder `path` and all in it; OK when there is none.
absl::Status RemoveFolder(const std::string& path);

// The first line of the file `path`, which others may not read. NOT_FOUND with
// `missing` as hint, FAILED_PRECONDITION when others may.
absl::StatusOr<SecretBuffer> ReadPassphrase(const std::string& path,
                                            absl::string_view missing);

// INVALID_ARGUMENT (code "config") for one that is too short to be a new one's:
// 12 characters, as for a governance key.
absl::Status CheckNewPassphrase(const SecretBuffer& passphrase);

// Asks for a new passphrase, twice. INVALID_ARGUMENT when they differ, and as
// CheckNewPassphrase. `instead`: as of AskPassphrase.
absl::StatusOr<SecretBuffer> AskNewPassphrase(absl::string_view instead);

// Asks for a passphrase without echo. FAILED_PRECONDITION without a terminal;
// its hint is `instead`, how else this one is given.
absl::StatusOr<SecretBuffer> AskPassphrase(absl::string_view prompt,
                                           absl::string_view instead);

}  // namespace amparo::agent

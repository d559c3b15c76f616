#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/daemon/config.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "crypto/secret.h"
#include "crypto/x509.h"
#include "proto/network/network_file.h"

namespace amparo::broker {

// The broker's data directory (docs/OPERATIONS.md, The broker's directory):
// where each file is, and the ones that are read whole. Immutable.
class DataDir {
 public:
  explicit DataDir(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string config() const { return path_ + "/broker.toml"; }
  std::string network_file() const { return path_ + "/network.json"; }
  std::string store() const { return path_ + "/store"; }
  // One of the two is the log's key: network.json names it.
  std::string log_key() const { return path_ + "/log.key"; }
  std::string second_log_key() const { return path_ + "/log-2.key"; }
  // A CA: its private key, its certificate.
  struct CaFiles {
    std::string key, certificate;
  };
  // Where a CA may lie: network.json says which of them is the network's.
  CaFiles ca() const { return {path_ + "/ca.key.pem", path_ + "/ca.pem"}; }
  CaFiles second_ca() const {
    return {path_ + "/ca-2.key.pem", path_ + "/ca-2.pem"};
  }
  std::string server_key() const { return path_ + "/server.key.pem"; }
  std::string server_certificate() const { return path_ + "/server.pem"; }
  // Written by a running broker.
  std::string trusted_cas() const { return path_ + "/trusted-ca.pem"; }
  std::string listen_file() const { return path_ + "/listen.json"; }
  std::string metrics_address() const { return path_ + "/metrics.addr"; }
  std::string last_checkpoint() const { return path_ + "/last-checkpoint"; }
  std::string socket() const { return path_ + "/admin.sock"; }

  // What `backup` wrote into its copy: nobody knows what the log showed since,
  // so it is to be rebuilt before it runs.
  std::string backup_mark() const { return path_ + "/backup.json"; }
  // The store that `rebuild` makes, until it takes the other's place.
  std::string rebuilt_store() const { return path_ + "/store.rebuild"; }
  // Two signed notes that contradict each other, kept by `rebuild`.
  std::string fork_evidence() const { return path_ + "/fork-evidence"; }

  // PERMISSION_DENIED unless only its owner can enter it: the sockets and keys
  // in it rely on that.
  absl::Status CheckOwnerOnly() const;
  // NOT_FOUND with a hint when the directory was never founded.
  absl::StatusOr<BrokerConfig> ReadConfig() const;
  absl::StatusOr<NetworkFile> ReadNetworkFile() const;
  // The key that `network` names, and the other one while the key changes.
  // FAILED_PRECONDITION (code "config") when neither file holds it.
  struct LogKeys {
    SigningKey key;
    std::optional<SigningKey> second;
  };
  absl::StatusOr<LogKeys> ReadLogKeys(const NetworkFile& network) const;
  // The CAs that `network` names. FAILED_PRECONDITION (code "config") when no
  // file holds one of them.
  struct Cas {
    TlsKeyPair current;
    std::optional<TlsKeyPair> next;
  };
  absl::StatusOr<Cas> ReadCas(const NetworkFile& network) const;
  // Those that do not hold the present CA of `network`.
  absl::StatusOr<CaFiles> FilesForNextCa(const NetworkFile& network) const;

 private:
  absl::StatusOr<CaFiles> FilesOfCa(ByteView ca_der) const;

  std::string path_;
};

// A file that nobody but its owner can read: PERMISSION_DENIED when group or
// others have any right on it.
absl::StatusOr<SecretBuffer> ReadSecretFile(const std::string& path);

}  // namespace amparo::broker

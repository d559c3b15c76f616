#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "broker/daemon/config.h"
#include "broker/daemon/data_dir.h"
#include "proto/network/network_file.h"

// What init does, and the certificates that run renews.

namespace amparo::broker {

struct Founding {
  std::string network;
  BrokerConfig::Ports listen;
  BrokerConfig::Ports announced;
};

// A new file, for its owner only, with the private half of a log key.
absl::Status CreateLogKey(const std::string& path, absl::string_view network,
                          const SigningKey& key);

// Makes the data directory of a new network: CA, log key, server certificate,
// founding token, network.json and, last, broker.toml. ALREADY_EXISTS when the
// directory has anything in it: nothing is ever overwritten.
absl::StatusOr<NetworkFile> Found(const DataDir& data, const Founding& founding,
                                  const Clock& clock);

// A new CA of the network, for ten years.
absl::StatusOr<TlsKeyPair> MakeNetworkCa(const std::string& network,
                                         const Clock& clock);

// A server certificate, with a key of its own, for every host that `config`
// listens on or announces. Replaces the one before.
absl::Status RenewServerCertificate(const DataDir& data,
                                    const BrokerConfig& config,
                                    const Clock& clock);

// Rewrites network.json when the addresses in it are not `addresses`.
absl::Status KeepNetworkFile(const DataDir& data,
                             const BrokerConfig::Ports& addresses);

}  // namespace amparo::broker

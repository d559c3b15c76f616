#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/institution/daemon/config.h"
#include "base/clock.h"
#include "base/kv/kv.h"
#include "crypto/x509.h"

namespace amparo::agent {

// What the agent shows to IT systems on its TLS port.
struct ApiCertificate {
  std::string ca_pem;   // what they pin: the same for the life of the store
  TlsKeyPair identity;  // key and certificate of the port, new at each start
};

// The agent is its own authority for this port: the network's vouches for
// members to the broker, and whoever runs the broker must not be able to pose
// as an institution's agent to its systems. The authority's key lies in `kv`,
// which seals it; the port's own key is never stored. The certificate has the
// names of `config` and of this machine.
absl::StatusOr<ApiCertificate> MakeApiCertificate(const AgentConfig& config,
                                                  KeyValue& kv,
                                                  const Clock& clock);

}  // namespace amparo::agent

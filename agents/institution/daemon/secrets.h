#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/keys.h"
#include "crypto/keystore.h"
#include "crypto/secret.h"

namespace amparo::agent {

// What the keystore of an agent holds.
struct AgentSecrets {
  SigningKey identity;       // I, vouches for the agent's keys
  SigningKey witness;        // W, cosigns checkpoints
  SecretKeyBytes vault_key;  // everything on this agent's disk
  SecretBuffer tls_key_pem;  // of the client certificate

  static absl::StatusOr<AgentSecrets> Make();
};

// The keystore file's text, and back. Open: errors of OpenKeystore.
absl::StatusOr<std::string> SealSecrets(const AgentSecrets& secrets,
                                        const SecretBuffer& passphrase,
                                        KeystoreCost cost);
absl::StatusOr<AgentSecrets> OpenSecrets(absl::string_view file,
                                         const SecretBuffer& passphrase);

}  // namespace amparo::agent

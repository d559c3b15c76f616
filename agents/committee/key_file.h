#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/keys.h"
#include "crypto/keystore.h"
#include "crypto/secret.h"

// Governance keys at rest: keystore files that stay offline.

namespace amparo::committee {

// The content of a key file for `key`.
absl::StatusOr<std::string> SealKeyFile(const SigningKey& key,
                                        const SecretBuffer& passphrase,
                                        KeystoreCost cost);
// PERMISSION_DENIED for a wrong passphrase; else as OpenKeystore.
absl::StatusOr<SigningKey> OpenKeyFile(absl::string_view content,
                                       const SecretBuffer& passphrase);

// A passphrase that a machine makes and keeps: 160 random bits in base32.
SecretBuffer GeneratePassphrase();
// FAILED_PRECONDITION (code "config") for a file that others may read.
absl::Status CheckPrivate(const std::string& path);
// The first line of a file that others may not read.
absl::StatusOr<SecretBuffer> ReadPassphraseFile(const std::string& path);

}  // namespace amparo::committee

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/secret.h"

namespace amparo {

// Secrets at rest under a passphrase: Argon2id (RFC 9106) makes a key that
// XChaCha20-Poly1305 uses; the header (format, cost, salt, key commitment) is
// its associated data. Text, one line, versioned. Files are the caller's.

enum class KeystoreCost {
  kInteractive,  // 64 MiB; local networks and machine-made passphrases
  kModerate,     // 256 MiB; agents
  kSensitive,    // 1 GiB; governance keys
};

// The keystore file that holds `secret`. Each call has its own salt.
// INVALID_ARGUMENT for an empty passphrase, RESOURCE_EXHAUSTED when the memory
// that `cost` asks for cannot be had.
absl::StatusOr<std::string> SealKeystore(const SecretBuffer& secret,
                                         const SecretBuffer& passphrase,
                                         KeystoreCost cost);

// PERMISSION_DENIED for a wrong passphrase, DATA_LOSS for a damaged file,
// UNIMPLEMENTED for a version newer than this program, INVALID_ARGUMENT for
// what is no keystore at all or asks for a cost beyond kSensitive (nothing is
// computed then), RESOURCE_EXHAUSTED as above.
absl::StatusOr<SecretBuffer> OpenKeystore(absl::string_view file,
                                          const SecretBuffer& passphrase);

}  // namespace amparo

#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/secret.h"

namespace amparo {

// XChaCha20-Poly1305 under a 32-byte key with a random 24-byte nonce that
// travels in front of the ciphertext: what an agent puts on its disk. A key of
// another size is a bug and aborts.

inline constexpr size_t kAeadKeySize = 32;
inline constexpr size_t kAeadOverhead = 24 + 16;

// nonce || ciphertext || tag. `associated` is bound, not stored.
Bytes SealLocal(const SecretKeyBytes& key, ByteView associated,
                ByteView plaintext);

// PERMISSION_DENIED when key, associated data or bytes do not match.
absl::StatusOr<SecretBuffer> OpenLocal(const SecretKeyBytes& key,
                                       ByteView associated, ByteView sealed);

// Published vectors fix the nonce (24 bytes); nothing else may.
Bytes SealLocalForTest(const SecretKeyBytes& key, ByteView nonce,
                       ByteView associated, ByteView plaintext);

}  // namespace amparo

#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/secret.h"

namespace amparo {

// HKDF-SHA256 (RFC 5869), on libsodium's HMAC; libsodium 1.0.18 has none.
SecretKeyBytes HkdfExtract(ByteView salt, ByteView ikm);
// INVALID_ARGUMENT when `size` is over 255 * 32.
absl::StatusOr<SecretKeyBytes> HkdfExpand(const SecretKeyBytes& prk,
                                          ByteView info, size_t size);

}  // namespace amparo

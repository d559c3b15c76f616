#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/keys.h"
#include "crypto/secret.h"

// HPKE, RFC 9180: mode Base, single shot, DHKEM(X25519, HKDF-SHA256) 0x0020,
// HKDF-SHA256 0x0001, ChaCha20Poly1305 0x0003.
//
// Anyone can seal to a SealingKey; only its OpeningKey opens. Sealing hides
// content. It does not say who sealed: that is the envelope signature's job.

namespace amparo {

struct Sealed {
  Bytes enc;         // 32 bytes: the encapsulated key
  Bytes ciphertext;  // plaintext size + 16
};

// Seals `plaintext` to `recipient`. `info` (RFC 9180 section 5.1) is bound, not
// hidden. PERMISSION_DENIED for a recipient key of small order.
absl::StatusOr<Sealed> Seal(const SealingKey& recipient, ByteView info,
                            ByteView plaintext);

// The plaintext. PERMISSION_DENIED when key, info or ciphertext do not match;
// the cases look alike to the caller on purpose.
absl::StatusOr<SecretBuffer> Open(const OpeningKey& key, ByteView info,
                                  ByteView enc, ByteView ciphertext);

// RFC 9180 vectors fix the ephemeral key and use a sequence number and an aad;
// nothing else may.
absl::StatusOr<Sealed> SealForTest(const SealingKey& recipient, ByteView info,
                                   ByteView aad, ByteView plaintext,
                                   uint64_t sequence,
                                   const OpeningKey& ephemeral);
absl::StatusOr<SecretBuffer> OpenForTest(const OpeningKey& key, ByteView info,
                                         ByteView aad, ByteView enc,
                                         ByteView ciphertext,
                                         uint64_t sequence);
// DeriveKeyPair of RFC 9180 section 7.1.3.
absl::StatusOr<OpeningKey> DeriveOpeningKeyForTest(ByteView ikm);

// The parts, for the vectors of RFC 7748 and RFC 8439: X25519 with the check
// for an all-zero result (PERMISSION_DENIED), and ChaCha20-Poly1305 under a
// given nonce of 12 bytes.
absl::StatusOr<SecretKeyBytes> X25519ForTest(const OpeningKey& key,
                                             const SealingKey& peer);
Bytes AeadSealForTest(const SecretKeyBytes& key, ByteView nonce, ByteView aad,
                      ByteView plaintext);
absl::StatusOr<SecretBuffer> AeadOpenForTest(const SecretKeyBytes& key,
                                             ByteView nonce, ByteView aad,
                                             ByteView ciphertext);

}  // namespace amparo

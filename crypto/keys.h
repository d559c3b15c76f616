#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

// Four types of key, no usage flags: a key cannot be used for another purpose.
// Ed25519 (RFC 8032) signs, X25519 (RFC 7748) seals; neither becomes the other.

namespace amparo {

// Checks signatures. Immutable.
class VerifyKey {
 public:
  static constexpr size_t kSize = 32;

  // PERMISSION_DENIED for a point that is not canonical, not on the curve, or
  // of small order; INVALID_ARGUMENT for another size.
  static absl::StatusOr<VerifyKey> FromBytes(ByteView bytes);
  // "ed25519:" + base64url without padding.
  static absl::StatusOr<VerifyKey> Parse(absl::string_view text);

  std::string ToString() const;  // as Parse takes it
  ByteView bytes() const { return bytes_; }
  // RFC 7638 thumbprint of the key as an OKP JWK (RFC 8037): its `kid`.
  Digest Thumbprint() const;
  auto operator<=>(const VerifyKey&) const = default;

 private:
  explicit VerifyKey(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}
  std::array<uint8_t, kSize> bytes_;
};

// Signs. Holds the 32-byte seed; the public half is always derived from it.
class SigningKey {
 public:
  static constexpr size_t kSeedSize = 32;

  static SigningKey Generate();
  // INVALID_ARGUMENT unless the seed has 32 bytes.
  static absl::StatusOr<SigningKey> FromSeed(const SecretKeyBytes& seed);

  const VerifyKey& verify_key() const { return verify_key_; }
  const SecretKeyBytes& seed() const { return seed_; }
  SigningKey Copy() const;

 private:
  SigningKey(SecretKeyBytes seed, SecretKeyBytes expanded, VerifyKey verify_key);
  friend std::array<uint8_t, 64> SignRaw(const SigningKey& key, ByteView message);

  SecretKeyBytes seed_;
  SecretKeyBytes expanded_;  // libsodium's 64-byte form, derived from the seed
  VerifyKey verify_key_;
};

// Anyone can seal to it. Immutable.
class SealingKey {
 public:
  static constexpr size_t kSize = 32;
  // INVALID_ARGUMENT for another size. Low-order points are refused by Seal.
  static absl::StatusOr<SealingKey> FromBytes(ByteView bytes);
  ByteView bytes() const { return bytes_; }
  // H("amparo/v1/prekey"; key): names the key in an envelope's header.
  Digest Id() const;
  auto operator<=>(const SealingKey&) const = default;

 private:
  friend class OpeningKey;
  explicit SealingKey(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}
  std::array<uint8_t, kSize> bytes_;
};

// Opens what was sealed to its SealingKey.
class OpeningKey {
 public:
  static OpeningKey Generate();
  // INVALID_ARGUMENT unless 32 bytes.
  static absl::StatusOr<OpeningKey> FromSecret(const SecretKeyBytes& secret);

  const SealingKey& sealing_key() const { return sealing_key_; }
  const SecretKeyBytes& secret() const { return secret_; }

 private:
  OpeningKey(SecretKeyBytes secret, SealingKey sealing_key);
  SecretKeyBytes secret_;
  SealingKey sealing_key_;
};

}  // namespace amparo

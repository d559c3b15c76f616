#include "crypto/keys.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr absl::string_view kVerifyKeyPrefix = "ed25519:";

using Array32 = std::array<uint8_t, 32>;

absl::StatusOr<Array32> ToArray32(ByteView bytes) {
  Array32 array;
  if (bytes.size() != array.size())
    return absl::InvalidArgumentError("a key has 32 bytes");
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return array;
}

}  // namespace

absl::StatusOr<VerifyKey> VerifyKey::FromBytes(ByteView bytes) {
  ASSIGN_OR_RETURN(const Array32 array, ToArray32(bytes));
  if (crypto_core_ed25519_is_valid_point(array.data()) != 1)
    return absl::PermissionDeniedError("not a valid ed25519 key");
  return VerifyKey(array);
}

absl::StatusOr<VerifyKey> VerifyKey::Parse(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kVerifyKeyPrefix))
    return absl::InvalidArgumentError("a verify key begins with ed25519:");
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(text));
  return FromBytes(bytes);
}

std::string VerifyKey::ToString() const {
  return absl::StrCat(absl::string_view(kVerifyKeyPrefix), ToBase64Url(bytes_));
}

Digest VerifyKey::Thumbprint() const {
  // RFC 7638: the required members only, in lexicographic order, no spaces.
  return Sha256(absl::StrCat(R"({"crv":"Ed25519","kty":"OKP","x":")",
                             ToBase64Url(bytes_), R"("})"));
}

SigningKey::SigningKey(SecretKeyBytes seed, SecretKeyBytes expanded,
                       VerifyKey verify_key)
    : seed_(std::move(seed)),
      expanded_(std::move(expanded)),
      verify_key_(verify_key) {}

SigningKey SigningKey::Generate() {
  auto key = FromSeed(SecretKeyBytes::Random(kSeedSize));
  if (!key.ok()) std::abort();
  return *std::move(key);
}

absl::StatusOr<SigningKey> SigningKey::FromSeed(const SecretKeyBytes& seed) {
  static_assert(kSeedSize == crypto_sign_SEEDBYTES);
  if (seed.size() != kSeedSize)
    return absl::InvalidArgumentError("a signing key's seed has 32 bytes");
  SecretKeyBytes expanded(crypto_sign_SECRETKEYBYTES);
  Array32 public_half;
  if (crypto_sign_seed_keypair(public_half.data(), expanded.Mutable().data(),
                               seed.Expose().data()) != 0)
    return absl::InternalError("no key pair from a seed");
  ASSIGN_OR_RETURN(const VerifyKey verify_key,
                   VerifyKey::FromBytes(public_half));
  return SigningKey(seed.Copy(), std::move(expanded), verify_key);
}

SigningKey SigningKey::Copy() const {
  return SigningKey(seed_.Copy(), expanded_.Copy(), verify_key_);
}

absl::StatusOr<SealingKey> SealingKey::FromBytes(ByteView bytes) {
  ASSIGN_OR_RETURN(const Array32 array, ToArray32(bytes));
  return SealingKey(array);
}

Digest SealingKey::Id() const {
  return LabelledHash("amparo/v1/prekey").Fixed(bytes_).Finish();
}

OpeningKey::OpeningKey(SecretKeyBytes secret, SealingKey sealing_key)
    : secret_(std::move(secret)), sealing_key_(sealing_key) {}

OpeningKey OpeningKey::Generate() {
  auto key = FromSecret(SecretKeyBytes::Random(crypto_scalarmult_SCALARBYTES));
  if (!key.ok()) std::abort();
  return *std::move(key);
}

absl::StatusOr<OpeningKey> OpeningKey::FromSecret(
    const SecretKeyBytes& secret) {
  if (secret.size() != crypto_scalarmult_SCALARBYTES)
    return absl::InvalidArgumentError("an opening key has 32 bytes");
  Array32 public_half;
  if (crypto_scalarmult_base(public_half.data(), secret.Expose().data()) != 0)
    return absl::InternalError("no key pair from a secret");
  return OpeningKey(secret.Copy(), SealingKey(public_half));
}

}  // namespace amparo

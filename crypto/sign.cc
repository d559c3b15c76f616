#include "crypto/sign.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "base/status.h"

namespace amparo {
namespace {

using Point = std::array<uint8_t, 32>;
using Scalar = std::array<uint8_t, 32>;

// Order of the prime-order subgroup, little-endian (RFC 8032 section 5.1).
constexpr Scalar kOrder = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                           0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                           0,    0,    0,    0,    0,    0,    0,    0,
                           0,    0,    0,    0,    0,    0,    0,    0x10};
constexpr Point kIdentity = {1};

Point PointOfOrderTwo() {  // (0, -1)
  Point point;
  point.fill(0xff);
  point.front() = 0xec;
  point.back() = 0x7f;
  return point;
}

// The base point plus the point of order two: on the curve, canonical, of
// order 2L. Libsodium before 1.0.18-1+deb12u1 calls it valid (CVE-2025-69277).
Point PointOfOrderTwoL() {
  Point point;
  point.fill(0x99);
  point.front() = 0x95;
  return point;
}

Scalar SmallScalar(uint8_t value) {
  Scalar scalar{};
  scalar[0] = value;
  return scalar;
}

Bytes Labelled(absl::string_view label, ByteView bytes) {
  Bytes message;
  message.reserve(label.size() + 1 + bytes.size());
  Append(message, AsBytes(label));
  message.push_back(0);
  Append(message, bytes);
  return message;
}

// A signature over `message` by the key of the public scalar 3, whose R is
// `nonce_point`, S fitting R = nonce * B: what an attacker who knows the key
// can make. Nothing in it is secret.
struct Crafted {
  Point key;
  Signature signature;
};
Crafted Craft(const Scalar& nonce, const Point& nonce_point, ByteView message) {
  const Scalar secret = SmallScalar(3);
  Crafted crafted;
  if (crypto_scalarmult_ed25519_base_noclamp(crafted.key.data(),
                                             secret.data()) != 0)
    std::abort();
  Bytes hashed(nonce_point.begin(), nonce_point.end());
  Append(hashed, crafted.key);
  Append(hashed, message);
  std::array<uint8_t, crypto_hash_sha512_BYTES> hash;
  if (crypto_hash_sha512(hash.data(), hashed.data(), hashed.size()) != 0)
    std::abort();
  Scalar challenge, product, s;
  crypto_core_ed25519_scalar_reduce(challenge.data(), hash.data());
  crypto_core_ed25519_scalar_mul(product.data(), challenge.data(),
                                 secret.data());
  crypto_core_ed25519_scalar_add(s.data(), product.data(), nonce.data());
  std::copy(nonce_point.begin(), nonce_point.end(), crafted.signature.begin());
  std::copy(s.begin(), s.end(), crafted.signature.begin() + 32);
  return crafted;
}

bool LibraryAccepts(const Crafted& crafted, ByteView message) {
  return crypto_sign_verify_detached(crafted.signature.data(), message.data(),
                                     message.size(), crafted.key.data()) == 0;
}

Crafted CraftHonest(ByteView message) {
  const Scalar nonce = SmallScalar(5);
  Point point;
  if (crypto_scalarmult_ed25519_base_noclamp(point.data(), nonce.data()) != 0)
    std::abort();
  return Craft(nonce, point, message);
}

// Does the library itself refuse an R of small and of mixed order? It does
// when it compares R's bytes with s * B - h * A (the key's order was checked),
// and refuses the identity.
bool LibraryRefusesBadR(ByteView message) {
  const Crafted identity = Craft(SmallScalar(0), kIdentity, message);
  Crafted mixed = CraftHonest(message);
  Point honest_r, mixed_r;
  std::copy_n(mixed.signature.begin(), honest_r.size(), honest_r.begin());
  if (crypto_core_ed25519_add(mixed_r.data(), honest_r.data(),
                              PointOfOrderTwo().data()) != 0)
    std::abort();
  mixed = Craft(SmallScalar(5), mixed_r, message);
  return !LibraryAccepts(identity, message) && !LibraryAccepts(mixed, message);
}

// The check of R costs as much as the verification: it runs only with a
// library that needs it.
bool MustCheckR() {
  static const bool must = !LibraryRefusesBadR(AsBytes("amparo self-test"));
  return must;
}

}  // namespace

Signature SignRaw(const SigningKey& key, ByteView message) {
  Signature signature;
  if (crypto_sign_detached(signature.data(), nullptr, message.data(),
                           message.size(), key.expanded_.Expose().data()) != 0)
    std::abort();
  return signature;
}

Signature Sign(const SigningKey& key, absl::string_view label, ByteView bytes) {
  return SignRaw(key, Labelled(label, bytes));
}

absl::Status VerifyStrictRaw(const VerifyKey& key, ByteView message,
                             ByteView signature) {
  // The key's own check was made when the VerifyKey was.
  if (signature.size() != crypto_sign_BYTES ||
      (MustCheckR() &&
       crypto_core_ed25519_is_valid_point(signature.data()) != 1) ||
      crypto_sign_verify_detached(signature.data(), message.data(),
                                  message.size(), key.bytes().data()) != 0)
    return absl::PermissionDeniedError("the signature does not fit");
  return absl::OkStatus();
}

absl::Status VerifyStrict(const VerifyKey& key, absl::string_view label,
                          ByteView bytes, ByteView signature) {
  return VerifyStrictRaw(key, Labelled(label, bytes), signature);
}

absl::Status SelfTestSign() {
  const ByteView message = AsBytes("amparo self-test");
  if (crypto_core_ed25519_is_valid_point(PointOfOrderTwoL().data()) != 0 ||
      crypto_core_ed25519_is_valid_point(PointOfOrderTwo().data()) != 0 ||
      crypto_core_ed25519_is_valid_point(kIdentity.data()) != 0)
    return absl::FailedPreconditionError(
        "libsodium takes bad points for keys (CVE-2025-69277): update it");
  Crafted crafted = CraftHonest(message);
  if (crypto_core_ed25519_is_valid_point(crafted.key.data()) != 1 ||
      !LibraryAccepts(crafted, message))
    return absl::FailedPreconditionError("libsodium refuses a good signature");
  sodium_add(crafted.signature.data() + 32, kOrder.data(), kOrder.size());
  if (LibraryAccepts(crafted, message))
    return absl::FailedPreconditionError(
        "libsodium takes a malleable signature");
  return absl::OkStatus();
}

}  // namespace amparo

#include "crypto/hkdf.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

namespace amparo {
namespace {

constexpr size_t kHashSize = crypto_auth_hmacsha256_BYTES;

// HMAC-SHA256 of `parts` in a row, into 32 bytes at `out`.
void Hmac(ByteView key, std::initializer_list<ByteView> parts, uint8_t* out) {
  crypto_auth_hmacsha256_state state;
  // libsodium wants a pointer even to an empty key.
  constexpr uint8_t kNone = 0;
  bool good = crypto_auth_hmacsha256_init(
                  &state, key.empty() ? &kNone : key.data(), key.size()) == 0;
  for (const ByteView part : parts)
    good = good &&
           crypto_auth_hmacsha256_update(&state, part.data(), part.size()) == 0;
  good = good && crypto_auth_hmacsha256_final(&state, out) == 0;
  // libsodium leaves the keyed state on the stack.
  sodium_memzero(&state, sizeof(state));
  if (!good) std::abort();
}

}  // namespace

SecretKeyBytes HkdfExtract(ByteView salt, ByteView ikm) {
  SecretKeyBytes prk(kHashSize);
  Hmac(salt, {ikm}, prk.Mutable().data());
  return prk;
}

absl::StatusOr<SecretKeyBytes> HkdfExpand(const SecretKeyBytes& prk,
                                          ByteView info, size_t size) {
  if (size > 255 * kHashSize)
    return absl::InvalidArgumentError("HKDF gives 8160 bytes at most");
  // Whole blocks, so that each is written where it stays.
  const size_t blocks = (size + kHashSize - 1) / kHashSize;
  SecretKeyBytes okm(blocks * kHashSize);
  for (size_t i = 0; i < blocks; ++i) {
    uint8_t* const block = okm.Mutable().data() + i * kHashSize;
    const uint8_t number = static_cast<uint8_t>(i + 1);
    const ByteView previous =
        i == 0 ? ByteView() : ByteView(block - kHashSize, kHashSize);
    Hmac(prk.Expose(), {previous, info, ByteView(&number, 1)}, block);
  }
  if (okm.size() == size) return okm;
  return SecretKeyBytes::CopyOf(okm.Expose().first(size));
}

}  // namespace amparo

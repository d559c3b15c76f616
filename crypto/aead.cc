#include "crypto/aead.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/random.h"

namespace amparo {
namespace {

constexpr size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
static_assert(kAeadKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
static_assert(kAeadOverhead ==
              kNonceSize + crypto_aead_xchacha20poly1305_ietf_ABYTES);

Bytes SealWith(const SecretKeyBytes& key, ByteView nonce, ByteView associated,
               ByteView plaintext) {
  if (key.size() != kAeadKeySize || nonce.size() != kNonceSize) std::abort();
  Bytes sealed(plaintext.size() + kAeadOverhead);
  std::copy(nonce.begin(), nonce.end(), sealed.begin());
  unsigned long long written = 0;
  if (crypto_aead_xchacha20poly1305_ietf_encrypt(
          sealed.data() + kNonceSize, &written, plaintext.data(),
          plaintext.size(), associated.data(), associated.size(), nullptr,
          nonce.data(), key.Expose().data()) != 0 ||
      written + kNonceSize != sealed.size())
    std::abort();
  return sealed;
}

}  // namespace

Bytes SealLocal(const SecretKeyBytes& key, ByteView associated,
                ByteView plaintext) {
  return SealWith(key, RandomArray<kNonceSize>(), associated, plaintext);
}

absl::StatusOr<SecretBuffer> OpenLocal(const SecretKeyBytes& key,
                                       ByteView associated, ByteView sealed) {
  if (key.size() != kAeadKeySize) std::abort();
  const auto refused = [] {
    return absl::PermissionDeniedError("the sealed bytes do not open");
  };
  if (sealed.size() < kAeadOverhead) return refused();
  const ByteView nonce = sealed.first(kNonceSize);
  const ByteView ciphertext = sealed.subspan(kNonceSize);
  SecretBuffer plaintext(sealed.size() - kAeadOverhead);
  unsigned long long written = 0;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plaintext.Mutable().data(), &written, nullptr, ciphertext.data(),
          ciphertext.size(), associated.data(), associated.size(), nonce.data(),
          key.Expose().data()) != 0 ||
      written != plaintext.size())
    return refused();
  return plaintext;
}

Bytes SealLocalForTest(const SecretKeyBytes& key, ByteView nonce,
                       ByteView associated, ByteView plaintext) {
  return SealWith(key, nonce, associated, plaintext);
}

}  // namespace amparo

#include "crypto/hpke.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "absl/strings/string_view.h"
#include "base/status.h"
#include "crypto/hkdf.h"

namespace amparo {
namespace {

constexpr size_t kKeySize = crypto_aead_chacha20poly1305_ietf_KEYBYTES;
constexpr size_t kNonceSize = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagSize = crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr size_t kSharedSecretSize = 32;
constexpr uint8_t kModeBase = 0x00;

// suite_id of RFC 9180 sections 4.1 and 5.1.
constexpr uint8_t kKemSuite[] = {'K', 'E', 'M', 0x00, 0x20};
constexpr uint8_t kHpkeSuite[] = {'H',  'P',  'K',  'E',  0x00,
                                  0x20, 0x00, 0x01, 0x00, 0x03};

// One wording for all: what failed is nobody's business.
absl::Status DoesNotOpen() {
  return absl::PermissionDeniedError("the ciphertext does not open");
}

// The inputs in a row. They may be secret, so the row is wiped.
SecretBuffer Concat(std::initializer_list<ByteView> parts) {
  size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  SecretBuffer row(size);
  uint8_t* out = row.Mutable().data();
  for (const ByteView part : parts)
    out = std::copy(part.begin(), part.end(), out);
  return row;
}

SecretKeyBytes LabeledExtract(ByteView suite, ByteView salt,
                              absl::string_view label, ByteView ikm) {
  return HkdfExtract(
      salt, Concat({AsBytes("HPKE-v1"), suite, AsBytes(label), ikm}).Expose());
}

absl::StatusOr<SecretKeyBytes> LabeledExpand(ByteView suite,
                                             const SecretKeyBytes& prk,
                                             absl::string_view label,
                                             ByteView info, size_t size) {
  const uint8_t length[] = {static_cast<uint8_t>(size >> 8),
                            static_cast<uint8_t>(size)};
  return HkdfExpand(
      prk,
      Concat({length, AsBytes("HPKE-v1"), suite, AsBytes(label), info})
          .Expose(),
      size);
}

absl::StatusOr<SecretKeyBytes> X25519(const OpeningKey& key, ByteView peer) {
  SecretKeyBytes shared(crypto_scalarmult_BYTES);
  // Non-zero: the peer's point is of small order and would fix the result.
  if (crypto_scalarmult(shared.Mutable().data(), key.secret().Expose().data(),
                        peer.data()) != 0)
    return absl::PermissionDeniedError("a key of small order");
  return shared;
}

// ExtractAndExpand of RFC 9180 section 4.1.
absl::StatusOr<SecretKeyBytes> KemSecret(const SecretKeyBytes& dh, ByteView enc,
                                         ByteView recipient) {
  const SecretKeyBytes prk =
      LabeledExtract(kKemSuite, {}, "eae_prk", dh.Expose());
  return LabeledExpand(kKemSuite, prk, "shared_secret",
                       Concat({enc, recipient}).Expose(), kSharedSecretSize);
}

// KeySchedule of RFC 9180 section 5.1, mode Base, and ComputeNonce of 5.2.
struct MessageKey {
  SecretKeyBytes key;
  SecretKeyBytes nonce;
};
absl::StatusOr<MessageKey> KeySchedule(const SecretKeyBytes& shared_secret,
                                       ByteView info, uint64_t sequence) {
  const SecretKeyBytes psk_id_hash =
      LabeledExtract(kHpkeSuite, {}, "psk_id_hash", {});
  const SecretKeyBytes info_hash =
      LabeledExtract(kHpkeSuite, {}, "info_hash", info);
  const SecretBuffer context = Concat(
      {ByteView(&kModeBase, 1), psk_id_hash.Expose(), info_hash.Expose()});
  const SecretKeyBytes secret =
      LabeledExtract(kHpkeSuite, shared_secret.Expose(), "secret", {});
  ASSIGN_OR_RETURN(
      SecretKeyBytes key,
      LabeledExpand(kHpkeSuite, secret, "key", context.Expose(), kKeySize));
  ASSIGN_OR_RETURN(SecretKeyBytes nonce,
                   LabeledExpand(kHpkeSuite, secret, "base_nonce",
                                 context.Expose(), kNonceSize));
  for (size_t i = 0; i < 8; ++i)
    nonce.Mutable()[kNonceSize - 1 - i] ^=
        static_cast<uint8_t>(sequence >> (8 * i));
  return MessageKey{std::move(key), std::move(nonce)};
}

Bytes AeadSeal(const SecretKeyBytes& key, ByteView nonce, ByteView aad,
               ByteView plaintext) {
  if (key.size() != kKeySize || nonce.size() != kNonceSize) std::abort();
  Bytes ciphertext(plaintext.size() + kTagSize);
  unsigned long long written = 0;
  if (crypto_aead_chacha20poly1305_ietf_encrypt(
          ciphertext.data(), &written, plaintext.data(), plaintext.size(),
          aad.data(), aad.size(), nullptr, nonce.data(),
          key.Expose().data()) != 0 ||
      written != ciphertext.size())
    std::abort();
  return ciphertext;
}

absl::StatusOr<SecretBuffer> AeadOpen(const SecretKeyBytes& key, ByteView nonce,
                                      ByteView aad, ByteView ciphertext) {
  if (key.size() != kKeySize) std::abort();
  if (nonce.size() != kNonceSize || ciphertext.size() < kTagSize)
    return DoesNotOpen();
  SecretBuffer plaintext(ciphertext.size() - kTagSize);
  unsigned long long written = 0;
  if (crypto_aead_chacha20poly1305_ietf_decrypt(
          plaintext.Mutable().data(), &written, nullptr, ciphertext.data(),
          ciphertext.size(), aad.data(), aad.size(), nonce.data(),
          key.Expose().data()) != 0 ||
      written != plaintext.size())
    return DoesNotOpen();
  return plaintext;
}

absl::StatusOr<Sealed> SealWith(const SealingKey& recipient, ByteView info,
                                ByteView aad, ByteView plaintext,
                                uint64_t sequence,
                                const OpeningKey& ephemeral) {
  const ByteView enc = ephemeral.sealing_key().bytes();
  ASSIGN_OR_RETURN(const SecretKeyBytes dh,
                   X25519(ephemeral, recipient.bytes()));
  ASSIGN_OR_RETURN(const SecretKeyBytes shared_secret,
                   KemSecret(dh, enc, recipient.bytes()));
  ASSIGN_OR_RETURN(const MessageKey message,
                   KeySchedule(shared_secret, info, sequence));
  return Sealed{ToBytes(enc),
                AeadSeal(message.key, message.nonce.Expose(), aad, plaintext)};
}

absl::StatusOr<SecretBuffer> OpenWith(const OpeningKey& key, ByteView info,
                                      ByteView aad, ByteView enc,
                                      ByteView ciphertext, uint64_t sequence) {
  if (enc.size() != SealingKey::kSize) return DoesNotOpen();
  const auto dh = X25519(key, enc);
  if (!dh.ok()) return DoesNotOpen();
  ASSIGN_OR_RETURN(const SecretKeyBytes shared_secret,
                   KemSecret(*dh, enc, key.sealing_key().bytes()));
  ASSIGN_OR_RETURN(const MessageKey message,
                   KeySchedule(shared_secret, info, sequence));
  return AeadOpen(message.key, message.nonce.Expose(), aad, ciphertext);
}

}  // namespace

absl::StatusOr<Sealed> Seal(const SealingKey& recipient, ByteView info,
                            ByteView plaintext) {
  return SealWith(recipient, info, {}, plaintext, 0, OpeningKey::Generate());
}

absl::StatusOr<SecretBuffer> Open(const OpeningKey& key, ByteView info,
                                  ByteView enc, ByteView ciphertext) {
  return OpenWith(key, info, {}, enc, ciphertext, 0);
}

absl::StatusOr<Sealed> SealForTest(const SealingKey& recipient, ByteView info,
                                   ByteView aad, ByteView plaintext,
                                   uint64_t sequence,
                                   const OpeningKey& ephemeral) {
  return SealWith(recipient, info, aad, plaintext, sequence, ephemeral);
}

absl::StatusOr<SecretBuffer> OpenForTest(const OpeningKey& key, ByteView info,
                                         ByteView aad, ByteView enc,
                                         ByteView ciphertext,
                                         uint64_t sequence) {
  return OpenWith(key, info, aad, enc, ciphertext, sequence);
}

absl::StatusOr<OpeningKey> DeriveOpeningKeyForTest(ByteView ikm) {
  const SecretKeyBytes prk = LabeledExtract(kKemSuite, {}, "dkp_prk", ikm);
  ASSIGN_OR_RETURN(const SecretKeyBytes secret,
                   LabeledExpand(kKemSuite, prk, "sk", {}, 32));
  return OpeningKey::FromSecret(secret);
}

absl::StatusOr<SecretKeyBytes> X25519ForTest(const OpeningKey& key,
                                             const SealingKey& peer) {
  return X25519(key, peer.bytes());
}

Bytes AeadSealForTest(const SecretKeyBytes& key, ByteView nonce, ByteView aad,
                      ByteView plaintext) {
  return AeadSeal(key, nonce, aad, plaintext);
}

absl::StatusOr<SecretBuffer> AeadOpenForTest(const SecretKeyBytes& key,
                                             ByteView nonce, ByteView aad,
                                             ByteView ciphertext) {
  return AeadOpen(key, nonce, aad, ciphertext);
}

}  // namespace amparo

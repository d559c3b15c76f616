#include "proto/envelope/envelope.h"

#include <algorithm>
#include <bit>

#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

constexpr char kBodyLabel[] = "amparo/v1/body";
constexpr char kEnvelopeLabel[] = "amparo/v1/envelope";
constexpr char kSignatureLabel[] = "amparo/v1/envelope-sig";
constexpr char kSealLabel[] = "amparo/v1/seal";
constexpr size_t kSealTagBytes = 16;

// Padme (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files",
// PoPETs 2019): at most 12 % longer, and O(log log n) bits of size are seen.
size_t Padme(size_t size) {
  const int exponent = std::bit_width(size) - 1;
  const int mantissa_bits = std::bit_width(static_cast<unsigned>(exponent));
  const size_t mask = (size_t{1} << (exponent - mantissa_bits)) - 1;
  return (size + mask) & ~mask;
}

}  // namespace

Digest BodyDigest(ByteView enc, ByteView ciphertext) {
  return LabelledHash(kBodyLabel).Variable(enc).Variable(ciphertext).Finish();
}

Digest EnvelopeDigest(ByteView header_bytes, const Digest& body) {
  return LabelledHash(kEnvelopeLabel)
      .Variable(header_bytes)
      .Fixed(body)
      .Finish();
}

Digest EnvelopeDigest(const Envelope& envelope) {
  return EnvelopeDigest(envelope.header_bytes,
                        BodyDigest(envelope.enc, envelope.ciphertext));
}

Signature SignEnvelope(const SigningKey& key, const Digest& envelope_digest) {
  return Sign(key, kSignatureLabel, envelope_digest.bytes());
}

absl::Status VerifyEnvelope(const Envelope& envelope, const VerifyKey& key) {
  if (envelope.ciphertext.size() != envelope.header.ciphertext_bytes)
    return absl::PermissionDeniedError(
        "the ciphertext has another size than its header says");
  return VerifyEnvelopeSignature(envelope.header, envelope.header_bytes,
                                 BodyDigest(envelope.enc, envelope.ciphertext),
                                 envelope.signature, key);
}

absl::Status VerifyEnvelopeSignature(const Header& header,
                                     ByteView header_bytes, const Digest& body,
                                     const Signature& signature,
                                     const VerifyKey& key) {
  if (header.sender_kid != key.Thumbprint())
    return absl::PermissionDeniedError("the header names another signing key");
  return VerifyStrict(key, kSignatureLabel,
                      EnvelopeDigest(header_bytes, body).bytes(), signature);
}

Bytes SealInfo(ByteView header_bytes) {
  Bytes info = ToBytes(absl::string_view(kSealLabel));
  info.push_back(0x00);
  Append(info, header_bytes);
  return info;
}

size_t PaddedSize(size_t payload_bytes) {
  // One byte at least is padding, as sodium_pad has it.
  return Padme(std::max(payload_bytes + 1, kPaddedBytesMin));
}

size_t CiphertextSize(size_t payload_bytes) {
  return PaddedSize(payload_bytes) + kSealTagBytes;
}

bool IsCiphertextSize(uint64_t ciphertext_bytes) {
  if (ciphertext_bytes < kPaddedBytesMin + kSealTagBytes ||
      ciphertext_bytes > CiphertextSize(kPayloadBytesMax))
    return false;
  const size_t padded = ciphertext_bytes - kSealTagBytes;
  return Padme(padded) == padded;
}

}  // namespace amparo

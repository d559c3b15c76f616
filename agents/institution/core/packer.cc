#include "agents/institution/core/packer.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "crypto/hpke.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr uint8_t kPadStart = 0x80;  // ISO/IEC 7816-4, as sodium_pad does it

SecretBuffer Pad(const SecretBuffer& payload) {
  SecretBuffer padded(PaddedSize(payload.size()));
  const ByteView bytes = payload.Expose();
  std::copy(bytes.begin(), bytes.end(), padded.Mutable().begin());
  padded.Mutable()[bytes.size()] = kPadStart;
  return padded;
}

// The padding was authenticated with the rest: no need for constant time.
absl::StatusOr<ByteView> Unpad(ByteView padded) {
  size_t size = padded.size();
  while (size > 0 && padded[size - 1] == 0) --size;
  if (size == 0 || padded[size - 1] != kPadStart ||
      PaddedSize(size - 1) != padded.size())
    return absl::PermissionDeniedError("the padding is not right");
  return padded.first(size - 1);
}

}  // namespace

absl::StatusOr<Envelope> Packer::Pack(const MemberId& recipient,
                                      const Payload& payload, const Link& link,
                                      absl::Time now) const {
  ASSIGN_OR_RETURN(const SecretBuffer encoded, EncodePayload(payload));
  ASSIGN_OR_RETURN(const PrekeyRecord prekey, peers_.PrekeyFor(recipient, now));
  ASSIGN_OR_RETURN(const SigningKey signer, keys_.Signer());
  const auto peers = peers_.Now();
  const absl::Time created = TimeFromUnix(UnixSeconds(now));
  Header header{.suite = kSuite1,
                .network_id = peers->charter.network_id,
                .envelope_id = EnvelopeId::New(),
                .charter_hash = peers->charter.hash,
                .sender = keys_.self(),
                .sender_kid = signer.verify_key().Thumbprint(),
                .recipient = recipient,
                .prekey_id = prekey.key.Id(),
                .created = created,
                .expires = created + kEnvelopeLifeMax,
                .ciphertext_bytes = CiphertextSize(encoded.size()),
                .blobs = {},
                .link_seq = link.seq,
                .link_prev = link.prev,
                .anchor = AnchorOf(payload)};
  Bytes header_bytes = EncodeHeader(header);
  ASSIGN_OR_RETURN(Sealed sealed, Seal(prekey.key, SealInfo(header_bytes),
                                       Pad(encoded).Expose()));
  Envelope envelope{std::move(header), std::move(header_bytes),
                    std::move(sealed.enc), std::move(sealed.ciphertext), {}};
  envelope.signature = SignEnvelope(signer, EnvelopeDigest(envelope));
  return envelope;
}

absl::StatusOr<Payload> Packer::Unpack(const Envelope& envelope) const {
  ASSIGN_OR_RETURN(const OpeningKey key, keys_.OpeningFor(envelope.header.prekey_id));
  ASSIGN_OR_RETURN(const SecretBuffer padded,
                   Open(key, SealInfo(envelope.header_bytes), envelope.enc,
                        envelope.ciphertext));
  ASSIGN_OR_RETURN(const ByteView encoded, Unpad(padded.Expose()));
  ASSIGN_OR_RETURN(Payload payload, DecodePayload(encoded));
  if (AnchorOf(payload) != envelope.header.anchor)
    return absl::PermissionDeniedError("the payload is not the one that was anchored");
  return payload;
}

}  // namespace amparo::agent

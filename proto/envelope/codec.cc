#include "proto/envelope/codec.h"

#include <algorithm>
#include <string>
#include <utility>

#include "amparo/v1/envelope.pb.h"
#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

std::string Field(ByteView bytes) { return ToText(bytes); }
std::string Field(const Digest& digest) { return ToText(digest.bytes()); }

template <typename Message>
Bytes Serialize(const Message& message) {
  return ToBytes(absl::string_view(message.SerializeAsString()));
}

template <typename Message>
absl::StatusOr<Message> Parse(ByteView bytes, size_t size_max,
                              absl::string_view what) {
  Message message;
  if (bytes.size() > size_max)
    return absl::InvalidArgumentError(absl::StrCat(what, ": too large"));
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return absl::InvalidArgumentError(absl::StrCat(what, ": malformed"));
  return message;
}

// What was signed is what was received: bytes that a plain value would not
// give again (unknown, repeated or reordered fields) have a second reading.
absl::Status RequireSame(ByteView received, ByteView made,
                         absl::string_view what) {
  if (Equal(received, made)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, ": not canonical"));
}

absl::StatusOr<Digest> DecodeDigest(const std::string& field,
                                    absl::string_view name) {
  auto digest = Digest::FromBytes(AsBytes(field));
  if (!digest.ok()) return Annotate(digest.status(), name);
  return digest;
}

absl::StatusOr<MemberId> DecodeMember(const std::string& field,
                                      absl::string_view name) {
  auto member = MemberId::Parse(field);
  if (!member.ok()) return Annotate(member.status(), name);
  return member;
}

absl::StatusOr<absl::Time> DecodeTime(uint64_t seconds,
                                      absl::string_view name) {
  if (seconds == 0 || seconds > uint64_t{kUnixSecondsMax})
    return absl::InvalidArgumentError(absl::StrCat(name, ": not a time"));
  return TimeFromUnix(static_cast<int64_t>(seconds));
}

absl::StatusOr<std::vector<BlobRef>> DecodeBlobs(const v1::Header& message) {
  if (message.blobs_size() > static_cast<int>(kBlobsMax))
    return absl::InvalidArgumentError("header: too many blobs");
  std::vector<BlobRef> blobs;
  for (const v1::Blob& blob : message.blobs()) {
    ASSIGN_OR_RETURN(const Digest id, DecodeDigest(blob.id(), "blob id"));
    if (blob.size_bytes() == 0 || blob.size_bytes() > kBlobBytesMax)
      return absl::InvalidArgumentError("header: blob size out of range");
    blobs.push_back({id, blob.size_bytes()});
  }
  return blobs;
}

absl::Status CheckRanges(const Header& header) {
  if (header.suite != kSuite1)
    return absl::InvalidArgumentError("header: unknown suite");
  if (header.sender == header.recipient)
    return absl::InvalidArgumentError("header: sender is the recipient");
  const absl::Duration life = header.expires - header.created;
  if (life <= absl::ZeroDuration() || life > kEnvelopeLifeMax)
    return absl::InvalidArgumentError("header: life out of range");
  if (!IsCiphertextSize(header.ciphertext_bytes))
    return absl::InvalidArgumentError(
        "header: ciphertext size is not a padded one");
  // What is higher could not be asked for: no event names it.
  if (header.link_seq == 0 || header.link_seq > kLinkMax)
    return absl::InvalidArgumentError("header: link number out of range");
  return absl::OkStatus();
}

absl::StatusOr<Signature> DecodeSignature(ByteView bytes) {
  Signature signature;
  if (bytes.size() != signature.size())
    return absl::InvalidArgumentError("a signature has 64 bytes");
  std::copy(bytes.begin(), bytes.end(), signature.begin());
  return signature;
}

}  // namespace

Bytes EncodeHeader(const Header& header) {
  v1::Header message;
  message.set_suite(header.suite);
  message.set_network_id(Field(header.network_id));
  message.set_envelope_id(Field(header.envelope_id.bytes()));
  message.set_charter_hash(Field(header.charter_hash));
  message.set_sender(header.sender.text());
  message.set_sender_kid(Field(header.sender_kid));
  message.set_recipient(header.recipient.text());
  message.set_prekey_id(Field(header.prekey_id));
  message.set_created_s(static_cast<uint64_t>(UnixSeconds(header.created)));
  message.set_expires_s(static_cast<uint64_t>(UnixSeconds(header.expires)));
  message.set_ciphertext_bytes(header.ciphertext_bytes);
  for (const BlobRef& blob : header.blobs) {
    v1::Blob* const added = message.add_blobs();
    added->set_id(Field(blob.id));
    added->set_size_bytes(blob.size_bytes);
  }
  message.set_link_seq(header.link_seq);
  message.set_link_prev(Field(header.link_prev));
  message.set_anchor(Field(header.anchor));
  return Serialize(message);
}

absl::StatusOr<Header> DecodeHeader(ByteView bytes) {
  ASSIGN_OR_RETURN(
      const v1::Header message,
      Parse<v1::Header>(
          bytes, kHeaderBytesMax + kBlobsMax * kHeaderBytesPerBlob, "header"));
  const auto blob_count = static_cast<size_t>(message.blobs_size());
  if (bytes.size() > kHeaderBytesMax + blob_count * kHeaderBytesPerBlob)
    return absl::InvalidArgumentError("header: too large");
  ASSIGN_OR_RETURN(const Digest network_id,
                   DecodeDigest(message.network_id(), "network_id"));
  ASSIGN_OR_RETURN(const EnvelopeId envelope_id,
                   EnvelopeId::FromBytes(AsBytes(message.envelope_id())));
  ASSIGN_OR_RETURN(const Digest charter_hash,
                   DecodeDigest(message.charter_hash(), "charter_hash"));
  ASSIGN_OR_RETURN(const MemberId sender,
                   DecodeMember(message.sender(), "sender"));
  ASSIGN_OR_RETURN(const Digest sender_kid,
                   DecodeDigest(message.sender_kid(), "sender_kid"));
  ASSIGN_OR_RETURN(const MemberId recipient,
                   DecodeMember(message.recipient(), "recipient"));
  ASSIGN_OR_RETURN(const Digest prekey_id,
                   DecodeDigest(message.prekey_id(), "prekey_id"));
  ASSIGN_OR_RETURN(const absl::Time created,
                   DecodeTime(message.created_s(), "created_s"));
  ASSIGN_OR_RETURN(const absl::Time expires,
                   DecodeTime(message.expires_s(), "expires_s"));
  ASSIGN_OR_RETURN(std::vector<BlobRef> blobs, DecodeBlobs(message));
  ASSIGN_OR_RETURN(const Digest link_prev,
                   DecodeDigest(message.link_prev(), "link_prev"));
  ASSIGN_OR_RETURN(const Digest anchor,
                   DecodeDigest(message.anchor(), "anchor"));
  Header header{message.suite(),
                network_id,
                envelope_id,
                charter_hash,
                sender,
                sender_kid,
                recipient,
                prekey_id,
                created,
                expires,
                message.ciphertext_bytes(),
                std::move(blobs),
                message.link_seq(),
                link_prev,
                anchor};
  RETURN_IF_ERROR(CheckRanges(header));
  RETURN_IF_ERROR(RequireSame(bytes, EncodeHeader(header), "header"));
  return header;
}

Bytes EncodeEnvelope(const Envelope& envelope) {
  v1::Envelope message;
  message.set_header(Field(envelope.header_bytes));
  message.set_enc(Field(envelope.enc));
  message.set_ciphertext(Field(envelope.ciphertext));
  message.set_signature(Field(envelope.signature));
  return Serialize(message);
}

absl::StatusOr<Envelope> DecodeEnvelope(ByteView bytes) {
  ASSIGN_OR_RETURN(const v1::Envelope message,
                   Parse<v1::Envelope>(bytes, kEnvelopeBytesMax, "envelope"));
  ASSIGN_OR_RETURN(
      Envelope envelope,
      MakeEnvelope(ToBytes(absl::string_view(message.header())),
                   ToBytes(absl::string_view(message.enc())),
                   ToBytes(absl::string_view(message.ciphertext())),
                   AsBytes(message.signature())));
  RETURN_IF_ERROR(RequireSame(bytes, EncodeEnvelope(envelope), "envelope"));
  return envelope;
}

absl::StatusOr<Envelope> MakeEnvelope(Bytes header, Bytes enc, Bytes ciphertext,
                                      ByteView signature) {
  ASSIGN_OR_RETURN(Header decoded, DecodeHeader(header));
  if (enc.size() != kEncBytes)
    return absl::InvalidArgumentError("envelope: enc has 32 bytes in suite 1");
  if (ciphertext.size() != decoded.ciphertext_bytes)
    return absl::InvalidArgumentError(
        "envelope: the ciphertext has another size than its header says");
  ASSIGN_OR_RETURN(const Signature checked, DecodeSignature(signature));
  return Envelope{std::move(decoded), std::move(header), std::move(enc),
                  std::move(ciphertext), checked};
}

Bytes EncodeAnchor(const Anchor& anchor) {
  v1::Anchor message;
  message.set_network_id(Field(anchor.network_id));
  message.set_member(anchor.member.text());
  message.set_kid(Field(anchor.kid));
  message.set_created_s(static_cast<uint64_t>(UnixSeconds(anchor.created)));
  message.set_anchor(Field(anchor.anchor));
  return Serialize(message);
}

absl::StatusOr<SignedAnchor> MakeSignedAnchor(Bytes anchor,
                                              ByteView signature) {
  ASSIGN_OR_RETURN(const v1::Anchor message,
                   Parse<v1::Anchor>(anchor, kAnchorBytesMax, "anchor"));
  ASSIGN_OR_RETURN(const Digest network_id,
                   DecodeDigest(message.network_id(), "network_id"));
  ASSIGN_OR_RETURN(const MemberId member,
                   DecodeMember(message.member(), "member"));
  ASSIGN_OR_RETURN(const Digest kid, DecodeDigest(message.kid(), "kid"));
  ASSIGN_OR_RETURN(const absl::Time created,
                   DecodeTime(message.created_s(), "created_s"));
  ASSIGN_OR_RETURN(const Digest digest,
                   DecodeDigest(message.anchor(), "anchor"));
  const Anchor decoded{network_id, member, kid, created, digest};
  RETURN_IF_ERROR(RequireSame(anchor, EncodeAnchor(decoded), "anchor"));
  ASSIGN_OR_RETURN(const Signature checked, DecodeSignature(signature));
  return SignedAnchor{decoded, std::move(anchor), checked};
}

}  // namespace amparo

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/sign.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// How a document travels: sealed for one recipient, signed on the outside
// (docs/PROTOCOL.md, Envelope). All fields are public to the broker.

namespace amparo {

inline constexpr uint32_t kSuite1 = 1;

struct BlobRef {
  Digest id;  // SHA-256 of the ciphertext
  uint64_t size_bytes = 0;
  bool operator==(const BlobRef&) const = default;
};

struct Header {
  uint32_t suite = kSuite1;
  Digest network_id;
  EnvelopeId envelope_id;
  Digest charter_hash;
  MemberId sender;
  Digest sender_kid;
  MemberId recipient;
  Digest prekey_id;
  absl::Time created;  // whole seconds
  absl::Time expires;
  uint64_t ciphertext_bytes = 0;
  std::vector<BlobRef> blobs;
  uint64_t link_seq = 0;
  Digest link_prev;
  Digest anchor;
  bool operator==(const Header&) const = default;
};

// A header that was decoded from `header_bytes`, and what it heads. Forwarded
// and stored as the bytes received.
struct Envelope {
  Header header;
  Bytes header_bytes;
  Bytes enc;
  Bytes ciphertext;
  Signature signature;
};

// H("amparo/v1/body"; enc, ciphertext).
Digest BodyDigest(ByteView enc, ByteView ciphertext);
// H("amparo/v1/envelope"; header, body): the envelope's name in log, receipts
// and links; can be checked when the ciphertext is gone.
Digest EnvelopeDigest(ByteView header_bytes, const Digest& body);
Digest EnvelopeDigest(const Envelope& envelope);

Signature SignEnvelope(const SigningKey& key, const Digest& envelope_digest);

// PERMISSION_DENIED unless `key` signed this header and body, `key` is the one
// the header names, and the ciphertext has the size it says.
absl::Status VerifyEnvelope(const Envelope& envelope, const VerifyKey& key);
// The same where only the digest of the body is left.
absl::Status VerifyEnvelopeSignature(const Header& header,
                                     ByteView header_bytes, const Digest& body,
                                     const Signature& signature,
                                     const VerifyKey& key);

// info of the HPKE seal: "amparo/v1/seal" || 0x00 || header.
Bytes SealInfo(ByteView header_bytes);

// Ciphertext size for a payload of `payload_bytes`: padded to a Padme size of
// at least 1 KiB (docs/PROTOCOL.md, Padding), and the tag of 16 bytes.
size_t PaddedSize(size_t payload_bytes);
size_t CiphertextSize(size_t payload_bytes);
// Whether CiphertextSize gives it for some payload: another size would tell
// more about the content than the protocol allows, and is refused.
bool IsCiphertextSize(uint64_t ciphertext_bytes);

}  // namespace amparo

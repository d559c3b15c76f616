#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "proto/content/event_kind.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"

// What an envelope holds (docs/PROTOCOL.md, Payload).

namespace amparo {

// A file of a section, encrypted for this recipient alone.
struct PayloadAttachment {
  Section section;
  Digest plaintext;    // SHA-256; listed in the section too
  Digest blob_id;      // SHA-256 of the ciphertext
  SecretKeyBytes key;  // 32 bytes
};

// When and by whom the document was anchored, for a recipient that comes later:
// what opens the anchor's leaf, which the recipient finds in its own mirror.
struct PayloadOrigin {
  Bytes anchor;  // as signed
  Signature signature;
  std::array<uint8_t, 32> anchor_salt;
  LeafIndex leaf;
  absl::Time leaf_time;
  std::array<uint8_t, 32> leaf_salt;
};

struct Payload {
  std::optional<CaseId> case_id;  // none for link events
  EventId event_id;
  EventKind kind = EventKind::kHeartbeat;
  std::string purpose;         // of referral, updated, disclosed; else empty
  bool first_contact = false;  // the recipient makes first contact
  std::array<uint8_t, 32> salt{};
  std::array<uint8_t, 32> salt2{};
  std::string document;  // JWS, or the issuer-signed JWT of an SD-JWT
  std::vector<std::string> disclosures;
  std::vector<std::string> grants;  // "JWT~d~...~" or a JWS
  std::vector<PayloadAttachment> attachments;
  uint64_t seen_size = 0;  // the sender's view of the log
  Digest seen_root;
  std::optional<PayloadOrigin> origin;
};

// Canonical bytes. Numbers big-endian; `text`: u32 length and the bytes;
// `list`: u16 count and the items; `maybe`: u8 0, or u8 1 and the value.
//   u8 1 | maybe case_id 16 | event_id 16 | text kind | text purpose
//   | u8 first_contact | salt 32 | salt2 32 | text document
//   | list text disclosures | list text grants
//   | list (text section | plaintext 32 | blob_id 32 | key 32) attachments
//   | u64 seen_size | seen_root 32
//   | maybe (text anchor | signature 64 | anchor_salt 32 | u64 leaf
//            | u64 leaf_time | leaf_salt 32) origin
// INVALID_ARGUMENT (code "too_large") beyond the limits of
// proto/envelope/limits.h.
absl::StatusOr<SecretBuffer> EncodePayload(const Payload& payload);
// INVALID_ARGUMENT for anything EncodePayload does not make.
absl::StatusOr<Payload> DecodePayload(ByteView bytes);

// The anchor that the header of this payload's envelope bears: over salts,
// document, disclosures and grants.
Digest AnchorOf(const Payload& payload);

}  // namespace amparo

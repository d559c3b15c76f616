#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/merkle.h"
#include "crypto/sign.h"
#include "proto/envelope/envelope.h"

// What the log's leaves say (docs/PROTOCOL.md, Log entries). A closed list:
// docs/AUDIT_EVENTS.md is kept equal to it by a test.

namespace amparo {

// 0x01 | time u64 | commitment 32. Shows that something happened, and when.
struct CommitmentEntry {
  Digest commitment;
  bool operator==(const CommitmentEntry&) const = default;
};
// 0x02 | time u64 | class | content, in the open.
struct CharterEntry {  // class 1: version u64 | SHA-256 of the document
  uint64_t version = 0;
  Digest hash;
  bool operator==(const CharterEntry&) const = default;
};
struct KeyEventEntry {  // class 2: the JWS
  std::string document;
  bool operator==(const KeyEventEntry&) const = default;
};
struct SuspensionEntry {  // class 3: JWS general JSON by two governance keys
  std::string document;
  bool operator==(const SuspensionEntry&) const = default;
};

struct LogEntry {
  absl::Time time;  // whole seconds; never falls from leaf to leaf
  std::variant<CommitmentEntry, CharterEntry, KeyEventEntry, SuspensionEntry>
      content;
  bool operator==(const LogEntry&) const = default;
};
Bytes EncodeLogEntry(const LogEntry& entry);
// INVALID_ARGUMENT for anything EncodeLogEntry does not make.
absl::StatusOr<LogEntry> DecodeLogEntry(ByteView bytes);

// What a commitment hides: kept by the broker and the parties, until erased.
struct EnvelopeEvent {  // 1: header, digest of the body, signature
  Bytes header;
  Digest body;
  Signature signature;
};
struct AnchorEvent {  // 2: a SignedAnchor's fields
  Bytes anchor;
  Signature signature;
};
struct ReceiptEvent {  // 3: `delivered` or `undecryptable`
  std::string token;
};
struct RecallEvent {  // 4: JWS by the sender (proto/envelope/recall.h)
  std::string token;
};
struct ExpiryEvent {  // 5: by the broker alone: this envelope's time ran out
  Digest digest;
};
struct ErasureEvent {  // 6: JWS naming leaves and authority
  std::string token;
};
struct AccessLogEvent {  // 7: signed checkpoint of a member's access log
  std::string note;
};
using AuditEvent =
    std::variant<EnvelopeEvent, AnchorEvent, ReceiptEvent, RecallEvent,
                 ExpiryEvent, ErasureEvent, AccessLogEvent>;
// "envelope", "anchor", "receipt", "recall", "expiry", "erasure",
// "access_log_checkpoint".
absl::string_view NameOf(const AuditEvent& event);
// The kind in one byte, then each field with its length in 4 bytes, big-endian.
Bytes EncodeAuditEvent(const AuditEvent& event);
absl::StatusOr<AuditEvent> DecodeAuditEvent(ByteView bytes);

// H("amparo/v1/leaf"; salt 32, event). Another size of salt aborts.
Digest LeafCommitment(ByteView salt, ByteView event_bytes);

// The broker's signed word that an event stands at a leaf; the agent checks
// inclusion afterwards. Signature by the log key under "amparo/v1/submit-sig"
// over network_id 32 | leaf u64 | entry.
struct LeafReceipt {
  LeafIndex leaf;
  absl::Time time;
  Bytes salt;  // 32 bytes
  Signature signature;
};
Signature SignLeafReceipt(const SigningKey& log_key, const Digest& network_id,
                          LeafIndex leaf, const LogEntry& entry);
// The entry that `receipt` promises for `event_bytes`, when the log key signed
// it. PERMISSION_DENIED otherwise.
absl::StatusOr<LogEntry> VerifyLeafReceipt(const LeafReceipt& receipt,
                                           const Digest& network_id,
                                           ByteView event_bytes,
                                           const VerifyKey& log_key);

}  // namespace amparo

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "broker/store/record.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// Keys and values of the tables. Numbers are big-endian, so that byte order is
// theirs. Decoding fails with DATA_LOSS only: nobody else writes these rows.

namespace amparo::broker {

std::string NumberKey(uint64_t number);  // leaf, size, count
absl::StatusOr<uint64_t> DecodeNumber(absl::string_view text);
std::string HashKey(uint32_t tile_level, uint64_t index);

// Requests: what was asked before, and where it stands.
std::string EnvelopeRequestKey(const MemberId& sender, const EnvelopeId& id);
std::string EventRequestKey(const MemberId& member, ByteView event);
std::string SlotRequestKey(absl::string_view slot);
struct RequestRow {
  LeafIndex leaf;
  Digest digest;
};
Bytes EncodeRequest(const RequestRow& row);
absl::StatusOr<RequestRow> DecodeRequest(absl::string_view value);

// Records: envelopes, and how their stay ended.
struct RecordRow {
  EnvelopeRecord record;
  LeafIndex settled_leaf;  // once it is not pending
  Digest settled_digest;   // SHA-256 of the event that ended it
};
Bytes EncodeRecord(const RecordRow& row);
absl::StatusOr<RecordRow> DecodeRecord(absl::string_view value);

// Mailbox: a row per member and leaf.
enum class ItemKind : uint8_t { kEnvelope = 1, kNotice = 2, kRecall = 3 };
struct MailboxRow {
  ItemKind kind = ItemKind::kEnvelope;
  LeafIndex subject;  // kRecall: leaf of the envelope taken back
};
std::string MailboxKey(const MemberId& member, LeafIndex leaf);
// After every key of `member`, before the next member's first.
std::string MailboxEnd(absl::string_view member);
struct MailboxKeyParts {
  std::string member;
  LeafIndex leaf;
};
absl::StatusOr<MailboxKeyParts> DecodeMailboxKey(absl::string_view key);
Bytes EncodeMailbox(const MailboxRow& row);
absl::StatusOr<MailboxRow> DecodeMailbox(absl::string_view value);

std::string ExpiryKey(absl::Time expires, LeafIndex leaf);
std::string ErasureKey(LeafIndex leaf, const MemberId& member);

// Openings: parties, salt, then event.
Bytes EncodeOpening(const std::vector<MemberId>& parties, ByteView salt,
                    ByteView event);
absl::StatusOr<Opening> DecodeOpening(LeafIndex leaf, absl::string_view value);

// Envelopes: ciphertext, then enc and its length, so that the ciphertext can
// be taken out of the value without a copy.
Bytes EnvelopeTail(ByteView enc);
struct SealedBody {
  Bytes enc;
  std::string ciphertext;
};
absl::StatusOr<SealedBody> DecodeEnvelopeRow(std::string value);

Bytes EncodeHead(const LogHead& head);
absl::StatusOr<LogHead> DecodeHead(absl::string_view value);

Bytes EncodeInvitation(const InvitationRecord& invitation);
absl::StatusOr<InvitationRecord> DecodeInvitation(absl::string_view value);

}  // namespace amparo::broker

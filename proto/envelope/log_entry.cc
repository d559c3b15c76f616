#include "proto/envelope/log_entry.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/suspension.h"
#include "proto/network/key_event.h"

namespace amparo {
namespace {

constexpr char kLeafLabel[] = "amparo/v1/leaf";
constexpr char kSubmitLabel[] = "amparo/v1/submit-sig";

constexpr uint8_t kCommitmentEntry = 0x01;
constexpr uint8_t kOpenEntry = 0x02;
constexpr uint8_t kCharterClass = 1;
constexpr uint8_t kKeyEventClass = 2;
constexpr uint8_t kSuspensionClass = 3;

constexpr size_t kTimeBytes = 8;
constexpr size_t kVersionBytes = 8;
absl::Status Malformed(absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("log entry: ", why));
}

using Content = decltype(LogEntry::content);

absl::StatusOr<std::string> DecodeDocument(ByteView bytes, size_t size_max) {
  if (bytes.empty()) return Malformed("an empty document");
  if (bytes.size() > size_max) return Malformed("document too large");
  return ToText(bytes);
}

absl::StatusOr<Content> DecodeOpenContent(uint8_t entry_class, ByteView bytes) {
  switch (entry_class) {
    case kCharterClass: {
      if (bytes.size() != kVersionBytes + Digest::kSize)
        return Malformed("size of a charter entry");
      const uint64_t version = ReadU64(bytes);
      if (version == 0) return Malformed("charter versions count from 1");
      ASSIGN_OR_RETURN(const Digest hash,
                       Digest::FromBytes(bytes.subspan(kVersionBytes)));
      return CharterEntry{version, hash};
    }
    case kKeyEventClass: {
      ASSIGN_OR_RETURN(std::string document,
                       DecodeDocument(bytes, kKeyEventBytesMax));
      return KeyEventEntry{std::move(document)};
    }
    case kSuspensionClass: {
      ASSIGN_OR_RETURN(std::string document,
                       DecodeDocument(bytes, kSuspensionBytesMax));
      return SuspensionEntry{std::move(document)};
    }
    default:
      return Malformed("unknown class");
  }
}

struct ContentEncoder {
  Bytes& out;
  void operator()(const CommitmentEntry& entry) const {
    Append(out, entry.commitment.bytes());
  }
  void operator()(const CharterEntry& entry) const {
    out.push_back(kCharterClass);
    AppendU64(out, entry.version);
    Append(out, entry.hash.bytes());
  }
  void operator()(const KeyEventEntry& entry) const {
    out.push_back(kKeyEventClass);
    Append(out, AsBytes(entry.document));
  }
  void operator()(const SuspensionEntry& entry) const {
    out.push_back(kSuspensionClass);
    Append(out, AsBytes(entry.document));
  }
};

}  // namespace

Bytes EncodeLogEntry(const LogEntry& entry) {
  Bytes out;
  out.push_back(std::holds_alternative<CommitmentEntry>(entry.content)
                    ? kCommitmentEntry
                    : kOpenEntry);
  AppendU64(out, static_cast<uint64_t>(UnixSeconds(entry.time)));
  std::visit(ContentEncoder{out}, entry.content);
  return out;
}

absl::StatusOr<LogEntry> DecodeLogEntry(ByteView bytes) {
  if (bytes.size() < 1 + kTimeBytes + 1) return Malformed("too short");
  const uint64_t seconds = ReadU64(bytes.subspan(1));
  if (seconds > uint64_t{kUnixSecondsMax}) return Malformed("not a time");
  const absl::Time time = TimeFromUnix(static_cast<int64_t>(seconds));
  const ByteView rest = bytes.subspan(1 + kTimeBytes);
  if (bytes[0] == kCommitmentEntry) {
    ASSIGN_OR_RETURN(const Digest commitment, Digest::FromBytes(rest));
    return LogEntry{time, CommitmentEntry{commitment}};
  }
  if (bytes[0] != kOpenEntry) return Malformed("unknown first byte");
  ASSIGN_OR_RETURN(Content content,
                   DecodeOpenContent(rest[0], rest.subspan(1)));
  return LogEntry{time, std::move(content)};
}

Digest LeafCommitment(ByteView salt, ByteView event_bytes) {
  // A salt of another size would shift the event's bytes.
  if (salt.size() != kSaltBytes) std::abort();
  return LabelledHash(kLeafLabel).Fixed(salt).Variable(event_bytes).Finish();
}

namespace {

Bytes SubmitBytes(const Digest& network_id, LeafIndex leaf,
                  const LogEntry& entry) {
  Bytes bytes = ToBytes(network_id.bytes());
  AppendU64(bytes, leaf.value());
  Append(bytes, EncodeLogEntry(entry));
  return bytes;
}

}  // namespace

Signature SignLeafReceipt(const SigningKey& log_key, const Digest& network_id,
                          LeafIndex leaf, const LogEntry& entry) {
  return Sign(log_key, kSubmitLabel, SubmitBytes(network_id, leaf, entry));
}

absl::StatusOr<LogEntry> VerifyLeafReceipt(const LeafReceipt& receipt,
                                           const Digest& network_id,
                                           ByteView event_bytes,
                                           const VerifyKey& log_key) {
  if (receipt.salt.size() != kSaltBytes)
    return absl::PermissionDeniedError("a leaf's salt has 32 bytes");
  const LogEntry entry{
      receipt.time, CommitmentEntry{LeafCommitment(receipt.salt, event_bytes)}};
  RETURN_IF_ERROR(VerifyStrict(log_key, kSubmitLabel,
                               SubmitBytes(network_id, receipt.leaf, entry),
                               receipt.signature));
  return entry;
}

}  // namespace amparo

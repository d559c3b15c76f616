#include "agents/institution/core/promises.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "crypto/digest.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

constexpr char kPrefix[] = "promise/";

// Of the leaf and what was promised for it: two promises for one leaf cannot
// both be kept, and the second must not make the first forgotten.
std::string KeyOf(LeafIndex leaf, ByteView row) {
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  Append(suffix, Sha256(row).bytes());
  return absl::StrCat(kPrefix, AsText(suffix));
}

// leaf u64 | time u64 | salt 32 | event.
Bytes Encode(const LeafReceipt& receipt, ByteView event_bytes) {
  Bytes row;
  AppendU64(row, receipt.leaf.value());
  AppendU64(row, static_cast<uint64_t>(UnixSeconds(receipt.time)));
  Append(row, receipt.salt);
  Append(row, event_bytes);
  return row;
}

constexpr size_t kFixedBytes = 8 + 8 + Digest::kSize;

constexpr char kBrokenPrefix[] = "broken_promise/";

std::string BrokenKeyOf(LeafIndex leaf, const Digest& envelope) {
  Bytes suffix;
  AppendU64(suffix, leaf.value());
  Append(suffix, envelope.bytes());
  return absl::StrCat(kBrokenPrefix, AsText(suffix));
}

void NoteBroken(LeafIndex leaf, ByteView event_bytes, Batch& rows) {
  const auto event = DecodeAuditEvent(event_bytes);
  const auto* envelope =
      event.ok() ? std::get_if<EnvelopeEvent>(&*event) : nullptr;
  if (envelope == nullptr) return;
  rows.Put(BrokenKeyOf(leaf, EnvelopeDigest(envelope->header, envelope->body)),
           {});
}

}  // namespace

absl::Status Promises::Keep(const LeafReceipt& receipt, ByteView event_bytes,
                            Batch& rows) const {
  const auto peers = peers_.Now();
  absl::Status verified = absl::PermissionDeniedError("the charter names no log key");
  for (const NoteVerifier& log_key : peers->charter.charter.log_keys) {
    verified = VerifyLeafReceipt(receipt, peers->charter.network_id, event_bytes,
                                 log_key.key())
                   .status();
    if (verified.ok()) break;
  }
  RETURN_IF_ERROR(verified);
  const Bytes row = Encode(receipt, event_bytes);
  rows.Put(KeyOf(receipt.leaf, row), row);
  return absl::OkStatus();
}

void Promises::NoteUnwitnessed() {
  const auto peers = peers_.Now();
  // The first entry that no quorum has seen.
  const auto entry = log_.EntryAt(LeafIndex(peers->witnessed_size.value()));
  const bool late = peers->charter.charter.witness_quorum > 0 && entry.ok() &&
                    clock_.Now() > entry->time + kUnwitnessedAlarm;
  if (late)
    alarms_.Raise("unwitnessed", std::nullopt, clock_.Now());
  else
    alarms_.Settle("unwitnessed", std::nullopt);
}

absl::Status Promises::Settle() {
  NoteUnwitnessed();
  std::vector<std::pair<std::string, Bytes>> open;
  RETURN_IF_ERROR(
      kv_.Scan(kPrefix, "", [&](absl::string_view key, ByteView value) {
        if (value.size() >= kFixedBytes)
          open.emplace_back(std::string(key), ToBytes(value));
        return true;
      }));
  Batch settled;
  bool late = false;
  for (const auto& [key, row] : open) {
    const ByteView view(row);
    const LeafReceipt receipt{
        LeafIndex(ReadU64(view)),
        TimeFromUnix(static_cast<int64_t>(ReadU64(view.subspan(8)))),
        ToBytes(view.subspan(16, Digest::kSize)),
        {}};
    const absl::Status included =
        log_.CheckIncluded(receipt, view.subspan(kFixedBytes));
    if (absl::IsOutOfRange(included)) {
      late = late || clock_.Now() > receipt.time + late_after_;
      continue;
    }
    if (included.ok())
      log_.KeepOpening(receipt, view.subspan(kFixedBytes), settled);
    else if (absl::IsDataLoss(included))
      NoteBroken(receipt.leaf, view.subspan(kFixedBytes), settled);
    // A broken promise rang already; asking again would change nothing.
    settled.Delete(key);
  }
  if (late)
    alarms_.Raise("inclusion_late", std::nullopt, clock_.Now());
  else
    alarms_.Settle("inclusion_late", std::nullopt);
  if (settled.empty()) return absl::OkStatus();
  return kv_.Write(settled);
}

absl::StatusOr<bool> IsPromiseBroken(const KeyValue& kv, LeafIndex leaf,
                                     const Digest& envelope) {
  const absl::Status found = kv.Get(BrokenKeyOf(leaf, envelope)).status();
  if (absl::IsNotFound(found)) return false;
  RETURN_IF_ERROR(found);
  return true;
}

}  // namespace amparo::agent

#include "agents/institution/core/log_rows.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr size_t kFixedBytes = 16;  // size u64, time u64; then the nodes

Bytes EncodeNumber(uint64_t number) {
  Bytes bytes;
  AppendU64(bytes, number);
  return bytes;
}

}  // namespace

Bytes EncodeLogEdge(const LogEdge& edge) {
  Bytes bytes = EncodeNumber(edge.range.size().value());
  AppendU64(bytes, static_cast<uint64_t>(UnixSeconds(edge.newest)));
  for (const Digest& node : edge.range.nodes()) Append(bytes, node.bytes());
  return bytes;
}

absl::StatusOr<LogEdge> DecodeLogEdge(ByteView bytes) {
  if (bytes.size() < kFixedBytes ||
      (bytes.size() - kFixedBytes) % Digest::kSize != 0)
    return absl::DataLossError("the stored edge of the log is damaged");
  std::vector<Digest> nodes;
  for (size_t at = kFixedBytes; at < bytes.size(); at += Digest::kSize) {
    ASSIGN_OR_RETURN(nodes.emplace_back(),
                     Digest::FromBytes(bytes.subspan(at, Digest::kSize)));
  }
  ASSIGN_OR_RETURN(CompactRange range,
                   CompactRange::FromNodes(TreeSize(ReadU64(bytes)), nodes));
  return LogEdge{std::move(range), TimeFromUnix(static_cast<int64_t>(
                                       ReadU64(bytes.subspan(8))))};
}

std::string CharterRowKey(const Digest& hash) {
  return absl::StrCat("log/charter/", ToHex(hash.bytes()));
}

std::string CharterNoteKey(uint64_t version) {
  return absl::StrCat(kLogCharterNotePrefix, AsText(EncodeNumber(version)));
}

std::string OpenEntryKey(LeafIndex leaf) {
  return absl::StrCat(kLogOpenPrefix, AsText(EncodeNumber(leaf.value())));
}

LeafIndex LeafOfOpenEntry(absl::string_view key) {
  key.remove_prefix(sizeof kLogOpenPrefix - 1);
  return LeafIndex(ReadU64(AsBytes(key)));
}

Bytes EncodeSince(absl::Time since) {
  return EncodeNumber(static_cast<uint64_t>(UnixSeconds(since)));
}

absl::Time DecodeSince(ByteView row) {
  return TimeFromUnix(static_cast<int64_t>(ReadU64(row)));
}

absl::StatusOr<LeafIndex> ReadEnacted(const KeyValue& kv) {
  const auto row = kv.Get(kLogEnactedKey);
  if (absl::IsNotFound(row.status())) return LeafIndex(0);
  RETURN_IF_ERROR(row.status());
  return LeafIndex(ReadU64(*row));
}

Bytes EncodeEnacted(LeafIndex enacted) { return EncodeNumber(enacted.value()); }

absl::Time ReadWitnessedTime(const KeyValue& kv) {
  const auto row = kv.Get(kLogWitnessedTimeKey);
  return row.ok() ? DecodeSince(*row) : absl::UnixEpoch();
}

}  // namespace amparo::agent

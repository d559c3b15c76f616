#include "agents/institution/core/log_mirror.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/log_rows.h"
#include "base/status.h"
#include "crypto/tile.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

// Rows: entries by leaf; complete nodes at tree levels 8, 16, ... by level and
// place. Those at level 0 are the entries' own hashes.
constexpr char kEntryPrefix[] = "log/entry/";
constexpr char kNodePrefix[] = "log/node/";
constexpr char kOpeningPrefix[] = "log/opening/";  // salt 32 | event
constexpr uint32_t kTileHeight = 8;

std::string LeafKey(const char* prefix, uint64_t leaf) {
  Bytes suffix;
  AppendU64(suffix, leaf);
  return absl::StrCat(prefix, AsText(suffix));
}

std::string EntryKey(uint64_t leaf) { return LeafKey(kEntryPrefix, leaf); }

std::string NodeKey(NodeId node) {
  Bytes suffix;
  AppendU64(suffix, node.level);
  AppendU64(suffix, node.index);
  return absl::StrCat(kNodePrefix, AsText(suffix));
}

}  // namespace

void LogMirror::Append(ByteView entry, CompactRange& range, Batch& rows) const {
  rows.Put(EntryKey(range.size().value()), entry);
  range.Append(LeafHash(entry), [&](NodeId node, const Digest& hash) {
    if (node.level > 0 && node.level % kTileHeight == 0)
      rows.Put(NodeKey(node), hash.bytes());
  });
}

absl::StatusOr<Bytes> LogMirror::EntryAt(LeafIndex leaf) const {
  return kv_.Get(EntryKey(leaf.value()));
}

void LogMirror::PutOpening(LeafIndex leaf, ByteView salt, ByteView event,
                           Batch& rows) const {
  Bytes row = ToBytes(salt);
  amparo::Append(row, event);
  rows.Put(LeafKey(kOpeningPrefix, leaf.value()), row);
}

absl::StatusOr<LogMirror::Opening> LogMirror::OpeningAt(LeafIndex leaf) const {
  ASSIGN_OR_RETURN(const Bytes row,
                   kv_.Get(LeafKey(kOpeningPrefix, leaf.value())));
  if (row.size() < kSaltBytes)
    return absl::DataLossError("a stored opening is damaged");
  const ByteView view(row);
  return Opening{ToBytes(view.first(kSaltBytes)),
                 ToBytes(view.subspan(kSaltBytes))};
}

absl::StatusOr<std::string> LogMirror::CharterOf(const Digest& hash) const {
  ASSIGN_OR_RETURN(const Bytes document, kv_.Get(CharterRowKey(hash)));
  return ToText(document);
}

absl::StatusOr<Digest> LogMirror::NodeAt(NodeId node) const {
  const uint32_t above = node.level % kTileHeight;
  const uint32_t level = node.level - above;
  const uint64_t first = node.index << above;
  std::vector<Digest> hashes;
  for (uint64_t at = first; at < first + (uint64_t{1} << above); ++at) {
    if (level == 0) {
      ASSIGN_OR_RETURN(const Bytes entry, EntryAt(LeafIndex(at)));
      hashes.push_back(LeafHash(entry));
    } else {
      ASSIGN_OR_RETURN(const Bytes row, kv_.Get(NodeKey({level, at})));
      ASSIGN_OR_RETURN(hashes.emplace_back(), Digest::FromBytes(row));
    }
  }
  return PerfectRoot(hashes);
}

absl::StatusOr<Digest> LogMirror::RootAt(TreeSize size) const {
  return RootFrom(size, [this](NodeId node) { return NodeAt(node); });
}

}  // namespace amparo::agent

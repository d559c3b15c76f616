#include "broker/core/start_guard.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle_path.h"
#include "crypto/tile.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

absl::Status Damage(const char* code, absl::string_view message) {
  return MakeError(absl::StatusCode::kDataLoss, message, {.code = code});
}

// Stored are the nodes of each eighth level: what lies between is computed.
NodeSource NodesOf(const Store& store) {
  return [&store](NodeId node) -> absl::StatusOr<Digest> {
    const uint32_t below = node.level % 8;
    const uint32_t width = uint32_t{1} << below;
    ASSIGN_OR_RETURN(const std::vector<Digest> hashes,
                     store.Hashes(node.level / 8, node.index << below, width));
    if (hashes.size() < width)
      return Damage("tampered", "the store lacks a node of the tree");
    return PerfectRoot(hashes);
  };
}

absl::Status CheckNote(const Store& store, const NoteVerifier& log,
                       const std::string& note, TreeSize size) {
  const absl::StatusOr<Checkpoint> checkpoint = VerifyCheckpoint(note, log);
  if (!checkpoint.ok())
    return Damage("tampered", "a checkpoint is not signed by the log's key");
  if (checkpoint->size > size)
    return MakeError(
        absl::StatusCode::kDataLoss,
        absl::StrCat("the store has ", size.value(),
                     " entries, a checkpoint was signed for ",
                     checkpoint->size.value()),
        {.code = "tampered",
         .hint = "an older store was put back: amparo-broker rebuild --data "
                 "DIR --from MIRROR, with the mirrors of as many members as "
                 "there are"});
  ASSIGN_OR_RETURN(const Digest root,
                   RootFrom(checkpoint->size, NodesOf(store)));
  if (root != checkpoint->root)
    return Damage(
        "root_mismatch",
        absl::StrCat("the root of the first ", checkpoint->size.value(),
                     " entries is not the one that was signed"));
  return absl::OkStatus();
}

// The edge that the next leaf is appended to is the edge of what is stored.
absl::Status CheckEdge(const Store& store, const LogHead& head) {
  const TreeSize size = head.range.size();
  ASSIGN_OR_RETURN(const Digest root, RootFrom(size, NodesOf(store)));
  if (root != head.range.Root())
    return Damage("tampered", "the tree's edge does not fit its nodes");
  const uint64_t last = size.value() == 0 ? 0 : size.value() - 1;
  ASSIGN_OR_RETURN(const std::vector<Bytes> entries,
                   store.Entries(LeafIndex(last), 2));
  ASSIGN_OR_RETURN(const std::vector<Digest> hashes, store.Hashes(0, last, 2));
  const size_t expected = size.value() == 0 ? 0 : 1;
  if (entries.size() != expected || hashes.size() != expected ||
      (expected == 1 && LeafHash(entries[0]) != hashes[0]))
    return Damage("tampered", "the last entry does not fit the tree");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStart(const Store& store, const NoteVerifier& log,
                        std::span<const std::string> known) {
  const LogHead head = store.Head();
  RETURN_IF_ERROR(CheckEdge(store, head));
  const absl::StatusOr<std::string> newest = store.NewestCheckpoint();
  if (newest.ok()) {
    RETURN_IF_ERROR(CheckNote(store, log, *newest, head.range.size()));
  } else if (!absl::IsNotFound(newest.status())) {
    return newest.status();
  }
  for (const std::string& note : known)
    RETURN_IF_ERROR(CheckNote(store, log, note, head.range.size()));
  return absl::OkStatus();
}

absl::StatusOr<Digest> StoredRoot(const Store& store, TreeSize size) {
  return RootFrom(size, NodesOf(store));
}

absl::Status CheckWholeLog(const Store& store) {
  const LogHead head = store.Head();
  CompactRange range;
  while (range.size() < head.range.size()) {
    const uint64_t start = range.size().value();
    ASSIGN_OR_RETURN(const std::vector<Bytes> entries,
                     store.Entries(LeafIndex(start), kPageEntriesMax));
    ASSIGN_OR_RETURN(
        const std::vector<Digest> hashes,
        store.Hashes(0, start, static_cast<uint32_t>(entries.size())));
    if (entries.empty() || hashes.size() != entries.size())
      return Damage("tampered", absl::StrCat("entry ", start, " is missing"));
    for (size_t i = 0; i < entries.size() && range.size() < head.range.size();
         ++i) {
      if (LeafHash(entries[i]) != hashes[i])
        return Damage("tampered", absl::StrCat("entry ", start + i,
                                               " does not have its hash"));
      absl::Status node_status;
      range.Append(hashes[i], [&](NodeId node, const Digest& hash) {
        if (node.level == 0 || node.level % 8 != 0) return;
        const auto stored = store.Hashes(node.level / 8, node.index, 1);
        if (!stored.ok() || stored->empty() || stored->front() != hash)
          node_status =
              Damage("tampered", absl::StrCat("a node above entry ", start + i,
                                              " does not fit its leaves"));
      });
      RETURN_IF_ERROR(node_status);
    }
  }
  if (range.Root() != head.range.Root())
    return Damage("tampered", "the tree's edge does not fit its entries");
  return absl::OkStatus();
}

}  // namespace amparo::broker

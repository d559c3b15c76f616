#include "tests/support/shown_log.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/status.h"
#include "crypto/compact_range.h"
#include "tests/support/status_matchers.h"

namespace amparo::auditor {

ShownLog::ShownLog(broker::BrokerFixture& broker, std::string shown)
    : note(std::move(shown)) {
  const broker::Store& store = broker.store();
  const uint64_t size = store.Head().range.size().value();
  while (entries.size() < size)
    for (Bytes& entry : VALUE_OF(store.Entries(LeafIndex(entries.size()), 100)))
      entries.push_back(std::move(entry));
  for (const Bytes& entry : entries) leaves.push_back(LeafHash(entry));
  for (const broker::Opening& opening :
       VALUE_OF(store.Openings(LeafIndex(0), LeafIndex(size), 1 << 20)))
    openings[opening.leaf.value()] = {opening.leaf.value(), opening.salt,
                                      opening.event};
  for (const broker::Publication& published :
       VALUE_OF(store.Publications(0, 1 << 20)))
    if (!published.document.empty())
      documents[Sha256(published.document)] = published.document;
  for (uint64_t version = 1; version <= documents.size(); ++version)
    if (const auto kept = store.WitnessedCharter(version); kept.ok())
      charter_checkpoints[version] = *kept;
}

absl::Status ShownLog::Answer() {
  if (answers_left == 0) return absl::UnavailableError("the broker is away");
  --answers_left;
  return absl::OkStatus();
}

absl::StatusOr<std::string> ShownLog::Checkpoint() {
  RETURN_IF_ERROR(Answer());
  return note;
}

absl::StatusOr<std::vector<Bytes>> ShownLog::Entries(uint64_t start,
                                                     uint32_t count) {
  RETURN_IF_ERROR(Answer());
  if (start >= entries.size()) return absl::NotFoundError("no such entry");
  const size_t end = std::min<size_t>(start + count, entries.size());
  return std::vector<Bytes>(entries.begin() + static_cast<long>(start),
                            entries.begin() + static_cast<long>(end));
}

absl::StatusOr<Bytes> ShownLog::HashTile(const TileId& tile) {
  RETURN_IF_ERROR(Answer());
  std::vector<Digest> nodes;
  CompactRange range;
  for (const Digest& leaf : leaves)
    range.Append(leaf, [&](NodeId node, const Digest& hash) {
      if (node.level == 8 * tile.level) nodes.push_back(hash);
    });
  const uint64_t first = tile.index * kTileWidth;
  if (first + tile.width > nodes.size()) return absl::NotFoundError("no tile");
  Bytes hashes;
  for (uint32_t i = 0; i < tile.width; ++i)
    Append(hashes, nodes[first + i].bytes());
  return hashes;
}

absl::StatusOr<std::string> ShownLog::Document(const Digest& hash) {
  RETURN_IF_ERROR(Answer());
  const auto found = documents.find(hash);
  if (found == documents.end()) return absl::NotFoundError("no such document");
  return found->second;
}

absl::StatusOr<std::string> ShownLog::CharterCheckpoint(uint64_t version) {
  RETURN_IF_ERROR(Answer());
  const auto found = charter_checkpoints.find(version);
  if (found == charter_checkpoints.end())
    return absl::NotFoundError("no quorum brought it into force");
  return found->second;
}

absl::StatusOr<std::vector<Opening>> ShownLog::Openings(uint64_t start,
                                                        uint32_t count) {
  RETURN_IF_ERROR(Answer());
  std::vector<Opening> found;
  for (auto at = openings.lower_bound(start);
       at != openings.end() && at->first < start + count; ++at)
    found.push_back(at->second);
  return found;
}

}  // namespace amparo::auditor

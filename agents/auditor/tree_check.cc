#include "agents/auditor/tree_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "crypto/tile.h"

namespace amparo::auditor {
namespace {

constexpr uint32_t kLevelsATile = 8;

LeafIndex FirstLeafOf(uint32_t level, uint64_t node) {
  return LeafIndex(node << (kLevelsATile * level));
}

Finding MismatchFinding(uint32_t level, const TileId& tile, uint32_t place) {
  const LeafIndex leaf = FirstLeafOf(level, tile.index * kTileWidth + place);
  const std::string where =
      absl::StrCat("bytes ", place * Digest::kSize, " to ",
                   (place + 1) * Digest::kSize - 1, " of ", TilePath(tile));
  if (level == 0)
    return {
        FindingCode::kLeafMismatch, leaf,
        absl::StrCat("entry ", leaf.value(), " does not have the hash that ",
                     TilePath(tile), " records"),
        absl::StrCat("SHA-256 of a zero byte and the entry, against ", where)};
  return {FindingCode::kLeafMismatch, leaf,
          absl::StrCat("the tree over the entries from ", leaf.value(),
                       " on does not have the hash that ", TilePath(tile),
                       " records"),
          absl::StrCat("RFC 6962 tree hash of those ",
                       uint64_t{1} << (kLevelsATile * level),
                       " entries, against ", where)};
}

}  // namespace

absl::Status TreeCheck::Append(ByteView entry) {
  if (levels_.empty()) levels_.resize(1);
  range_.Append(LeafHash(entry), [this](NodeId node, const Digest& hash) {
    if (node.level % kLevelsATile != 0) return;
    const size_t level = node.level / kLevelsATile;
    if (level >= levels_.size()) levels_.resize(level + 1);
    levels_[level].nodes.push_back({hash});
  });
  for (uint32_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].nodes.size() < kTileWidth) break;
    RETURN_IF_ERROR(CompareTile(level));
  }
  return absl::OkStatus();
}

std::vector<std::vector<Digest>> TreeCheck::Edge() const {
  std::vector<std::vector<Digest>> edge;
  for (const Level& level : levels_) {
    edge.emplace_back();
    for (const Node& node : level.nodes) edge.back().push_back(node.hash);
  }
  return edge;
}

absl::Status TreeCheck::Restore(TreeSize size,
                                const std::vector<std::vector<Digest>>& edge) {
  const absl::Status refused =
      absl::InvalidArgumentError("no edge of that tree");
  uint32_t levels = 0;
  while (levels < 8 && size.value() >> (kLevelsATile * levels) > 0) ++levels;
  if (edge.size() != levels) return refused;
  levels_.assign(levels, {});
  for (uint32_t level = 0; level < levels; ++level) {
    const TileCount tiles = TilesAt(size, level);
    if (edge[level].size() != tiles.partial) return refused;
    levels_[level].index = tiles.full;
    for (const Digest& hash : edge[level])
      levels_[level].nodes.push_back({hash});
  }
  ASSIGN_OR_RETURN(
      range_, CompactRange::FromSource(
                  size, [&](NodeId node) -> absl::StatusOr<Digest> {
                    ASSIGN_OR_RETURN(const NodeInTile place,
                                     FindNode(node, size));
                    return PerfectRoot(
                        std::span<const Digest>(edge[place.tile.level])
                            .subspan(place.begin, place.end - place.begin));
                  }));
  return absl::OkStatus();
}

std::optional<Digest> TreeCheck::LeafAt(LeafIndex leaf) const {
  if (levels_.empty()) return std::nullopt;
  const uint64_t place = leaf.value() - levels_[0].index * kTileWidth;
  if (place >= levels_[0].nodes.size()) return std::nullopt;
  return levels_[0].nodes[place].hash;
}

absl::Status TreeCheck::Finish() {
  for (uint32_t level = 0; level < levels_.size(); ++level)
    if (!levels_[level].nodes.empty()) RETURN_IF_ERROR(CompareTile(level));
  return absl::OkStatus();
}

absl::Status TreeCheck::CompareTile(uint32_t level) {
  Level& mine = levels_[level];
  const TileId tile{level, mine.index,
                    static_cast<uint32_t>(mine.nodes.size())};
  const absl::StatusOr<Bytes> bytes = source_.HashTile(tile);
  if (bytes.ok()) {
    const absl::StatusOr<std::vector<Digest>> shown =
        DecodeTile(*bytes, tile.width);
    if (shown.ok())
      CompareNodes(level, *shown);
    else
      AddMissing(level, tile);
  } else if (absl::IsNotFound(bytes.status()) ||
             absl::IsInvalidArgument(bytes.status())) {
    AddMissing(level, tile);
  } else {
    return bytes.status();
  }
  report_.Checked(Step::kTiles);

  const bool explained =
      std::any_of(mine.nodes.begin(), mine.nodes.end(),
                  [](const Node& node) { return node.explained; });
  if (tile.width == kTileWidth && level + 1 < levels_.size() &&
      !levels_[level + 1].nodes.empty())
    levels_[level + 1].nodes.back().explained = explained;
  mine.nodes.clear();
  ++mine.index;
  return absl::OkStatus();
}

void TreeCheck::CompareNodes(uint32_t level, const std::vector<Digest>& shown) {
  Level& mine = levels_[level];
  const TileId tile{level, mine.index,
                    static_cast<uint32_t>(mine.nodes.size())};
  for (uint32_t i = 0; i < tile.width; ++i) {
    Node& node = mine.nodes[i];
    if (node.hash == shown[i] || node.explained) continue;
    report_.Add(Step::kTiles, MismatchFinding(level, tile, i));
    node.explained = true;
  }
}

void TreeCheck::AddMissing(uint32_t level, const TileId& tile) {
  report_.Add(
      Step::kTiles,
      {FindingCode::kTileMissing, FirstLeafOf(level, tile.index * kTileWidth),
       absl::StrCat(TilePath(tile), " is missing or has a wrong size"),
       absl::StrCat("the file has ", tile.width * Digest::kSize, " bytes")});
}

}  // namespace amparo::auditor

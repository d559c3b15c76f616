#include "crypto/tile.h"

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr uint32_t kTileHeight = 8;  // tree levels in one tile

// Number of nodes at tree level 8 * tile_level.
uint64_t NodesAt(TreeSize size, uint32_t tile_level) {
  const uint64_t shift = uint64_t{kTileHeight} * tile_level;
  return shift < 64 ? size.value() >> shift : 0;
}

// "x001/x234/067", then ".p/W" where the tile is partial.
std::string IndexPath(uint64_t index, uint32_t width) {
  std::string path = absl::StrFormat("%03d", index % 1000);
  for (index /= 1000; index > 0; index /= 1000)
    path = absl::StrCat(absl::StrFormat("x%03d/", index % 1000), path);
  if (width < kTileWidth) absl::StrAppend(&path, ".p/", width);
  return path;
}

// No node of a tree of 2^64 leaves lies beyond.
constexpr uint64_t kIndexEnd = uint64_t{1} << 56;
constexpr uint32_t kLevelMax = 7;

absl::StatusOr<uint64_t> ParseIndex(absl::string_view path) {
  const absl::Status refused = absl::InvalidArgumentError("no tile's index");
  uint64_t index = 0;
  for (absl::string_view group : absl::StrSplit(path, '/')) {
    absl::ConsumePrefix(&group, "x");
    uint32_t digits = 0;
    if (group.size() != 3 || !absl::SimpleAtoi(group, &digits) ||
        index >= kIndexEnd / 1000)
      return refused;
    index = index * 1000 + digits;
  }
  return index;
}

}  // namespace

absl::StatusOr<TilePathParts> ParseTilePath(absl::string_view path) {
  const absl::Status refused = absl::InvalidArgumentError("no tile's path");
  const absl::string_view whole = path;
  TilePathParts parts;
  if (!absl::ConsumePrefix(&path, "tile/")) return refused;
  const std::pair<absl::string_view, absl::string_view> level =
      absl::StrSplit(path, absl::MaxSplits('/', 1));
  parts.is_bundle = level.first == "entries";
  if (!parts.is_bundle && (!absl::SimpleAtoi(level.first, &parts.tile.level) ||
                           parts.tile.level > kLevelMax))
    return refused;
  path = level.second;
  if (const size_t at = path.find(".p/"); at != absl::string_view::npos) {
    if (!absl::SimpleAtoi(path.substr(at + 3), &parts.tile.width) ||
        parts.tile.width == 0 || parts.tile.width >= kTileWidth)
      return refused;
    path = path.substr(0, at);
  }
  ASSIGN_OR_RETURN(parts.tile.index, ParseIndex(path));
  // Signs, blanks, zeros in front, an x too many: another spelling.
  const std::string spelt = parts.is_bundle
                                ? BundlePath(parts.tile.index, parts.tile.width)
                                : TilePath(parts.tile);
  if (spelt != whole) return refused;
  return parts;
}

std::string TilePath(const TileId& tile) {
  return absl::StrCat("tile/", tile.level, "/",
                      IndexPath(tile.index, tile.width));
}

std::string BundlePath(uint64_t index, uint32_t width) {
  return absl::StrCat("tile/entries/", IndexPath(index, width));
}

TileCount TilesAt(TreeSize size, uint32_t level) {
  const uint64_t nodes = NodesAt(size, level);
  return {nodes / kTileWidth, static_cast<uint32_t>(nodes % kTileWidth)};
}

bool HasTile(TreeSize size, const TileId& tile) {
  const TileCount count = TilesAt(size, tile.level);
  return tile.index < count.full ||
         (tile.index == count.full && tile.width <= count.partial);
}

std::vector<TileId> AllTiles(TreeSize size) {
  std::vector<TileId> tiles;
  for (uint32_t level = 0; NodesAt(size, level) > 0; ++level) {
    const TileCount count = TilesAt(size, level);
    for (uint64_t index = 0; index < count.full; ++index)
      tiles.push_back({level, index, kTileWidth});
    if (count.partial > 0) tiles.push_back({level, count.full, count.partial});
  }
  return tiles;
}

absl::StatusOr<NodeInTile> FindNode(NodeId node, TreeSize size) {
  if (node.level >= 64 || node.index >= size.value() >> node.level)
    return absl::InvalidArgumentError("no complete node there");
  const uint32_t level = node.level / kTileHeight;
  const uint32_t run = 1u << (node.level % kTileHeight);
  // No overflow: the node lies within the tree.
  const uint64_t first = node.index * run;
  const uint64_t index = first / kTileWidth;
  const TileCount count = TilesAt(size, level);
  const uint32_t begin = static_cast<uint32_t>(first % kTileWidth);
  return NodeInTile{
      {level, index, index < count.full ? kTileWidth : count.partial},
      begin,
      begin + run};
}

absl::StatusOr<std::vector<Digest>> DecodeTile(ByteView bytes, uint32_t width) {
  if (width == 0 || width > kTileWidth || bytes.size() != width * Digest::kSize)
    return absl::InvalidArgumentError("the tile has not the size of its width");
  std::vector<Digest> hashes;
  hashes.reserve(width);
  for (; !bytes.empty(); bytes = bytes.subspan(Digest::kSize)) {
    ASSIGN_OR_RETURN(const Digest hash,
                     Digest::FromBytes(bytes.first(Digest::kSize)));
    hashes.push_back(hash);
  }
  return hashes;
}

Digest PerfectRoot(std::span<const Digest> hashes) {
  if (hashes.empty()) std::abort();
  if (hashes.size() == 1) return hashes.front();
  const size_t half = hashes.size() / 2;
  return NodeHash(PerfectRoot(hashes.first(half)),
                  PerfectRoot(hashes.subspan(half)));
}

Bytes EncodeBundle(const std::vector<Bytes>& entries) {
  Bytes bundle;
  for (const Bytes& entry : entries) {
    if (entry.size() > kEntryBytesMax) std::abort();
    AppendU16(bundle, static_cast<uint16_t>(entry.size()));
    Append(bundle, entry);
  }
  return bundle;
}

absl::StatusOr<std::vector<Bytes>> DecodeBundle(ByteView bytes,
                                                uint32_t width) {
  const absl::Status refused = absl::InvalidArgumentError(
      "the bundle does not hold exactly its width of entries");
  if (width == 0 || width > kTileWidth) return refused;
  std::vector<Bytes> entries;
  entries.reserve(width);
  while (entries.size() < width) {
    if (bytes.size() < 2) return refused;
    const size_t size = ReadU16(bytes);
    bytes = bytes.subspan(2);
    if (bytes.size() < size) return refused;
    entries.push_back(ToBytes(bytes.first(size)));
    bytes = bytes.subspan(size);
  }
  if (!bytes.empty()) return refused;
  return entries;
}

}  // namespace amparo

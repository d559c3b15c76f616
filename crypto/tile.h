#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/merkle_path.h"

// Tiles of a log: names and contents as C2SP tlog-tiles (c2sp.org/tlog-tiles).

namespace amparo {

inline constexpr uint32_t kTileWidth = 256;      // hashes, entries a full tile
inline constexpr size_t kEntryBytesMax = 65535;  // an entry in a bundle

// A hash tile: `width` consecutive nodes at tree level 8 * level, from node
// index * 256 on. Width 256 is a full tile; less is a partial one.
struct TileId {
  uint32_t level = 0;
  uint64_t index = 0;
  uint32_t width = kTileWidth;
  auto operator<=>(const TileId&) const = default;
};

// "tile/0/x001/234.p/40"; bundles are "tile/entries/...".
std::string TilePath(const TileId& tile);
std::string BundlePath(uint64_t index, uint32_t width);

// What such a path names; the tile of a bundle is that of its leaf hashes.
struct TilePathParts {
  TileId tile;
  bool is_bundle = false;
};
// INVALID_ARGUMENT for what TilePath and BundlePath do not make: one spelling.
absl::StatusOr<TilePathParts> ParseTilePath(absl::string_view path);

// The tiles that a tree of `size` has at `level`: number of full ones, and the
// width of the partial one (0 for none).
struct TileCount {
  uint64_t full;
  uint32_t partial;
};
TileCount TilesAt(TreeSize size, uint32_t level);
// Whether a tree of `size` has all hashes of `tile`; also of one that was
// partial in a smaller tree.
bool HasTile(TreeSize size, const TileId& tile);

// All hash tiles of a tree of `size`, level by level; levels without a node
// are left out.
std::vector<TileId> AllTiles(TreeSize size);

// The tile of a tree of `size` in which `node` can be computed, and what part:
// the node is the root of hashes [begin, end) of that tile.
struct NodeInTile {
  TileId tile;
  uint32_t begin;
  uint32_t end;
};
absl::StatusOr<NodeInTile> FindNode(NodeId node, TreeSize size);

// `bytes` as width * 32 bytes of hashes. INVALID_ARGUMENT for another size.
absl::StatusOr<std::vector<Digest>> DecodeTile(ByteView bytes, uint32_t width);
// Root of a power-of-two run of hashes.
Digest PerfectRoot(std::span<const Digest> hashes);

// Entry bundle: each entry with its length in two bytes, big-endian.
// Precondition: no entry is over kEntryBytesMax.
Bytes EncodeBundle(const std::vector<Bytes>& entries);
// INVALID_ARGUMENT unless `bytes` is exactly `width` entries.
absl::StatusOr<std::vector<Bytes>> DecodeBundle(ByteView bytes, uint32_t width);

}  // namespace amparo

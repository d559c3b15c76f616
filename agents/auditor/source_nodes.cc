#include "agents/auditor/source_nodes.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crypto/tile.h"

namespace amparo::auditor {
namespace {

// A proof goes up one path, and along one edge: a tile a level of each.
constexpr size_t kTilesKept = 16;

}  // namespace

NodeSource NodesOf(LeafSource& source, TreeSize size) {
  const auto kept = std::make_shared<std::map<TileId, std::vector<Digest>>>();
  return [&source, size, kept](NodeId node) -> absl::StatusOr<Digest> {
    ASSIGN_OR_RETURN(const NodeInTile place, FindNode(node, size));
    auto tile = kept->find(place.tile);
    if (tile == kept->end()) {
      ASSIGN_OR_RETURN(const Bytes bytes, source.HashTile(place.tile));
      ASSIGN_OR_RETURN(std::vector<Digest> hashes,
                       DecodeTile(bytes, place.tile.width));
      if (kept->size() == kTilesKept) kept->clear();
      tile = kept->emplace(place.tile, std::move(hashes)).first;
    }
    return PerfectRoot(std::span<const Digest>(tile->second)
                           .subspan(place.begin, place.end - place.begin));
  };
}

}  // namespace amparo::auditor

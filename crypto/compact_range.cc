#include "crypto/compact_range.h"

#include <bit>
#include <utility>

#include "base/status.h"

namespace amparo {

absl::StatusOr<CompactRange> CompactRange::FromNodes(
    TreeSize size, std::vector<Digest> nodes) {
  if (nodes.size() != static_cast<size_t>(std::popcount(size.value())))
    return absl::InvalidArgumentError(
        "a tree of that size has another number of edge nodes");
  CompactRange range;
  range.size_ = size;
  range.nodes_ = std::move(nodes);
  return range;
}

absl::StatusOr<CompactRange> CompactRange::FromSource(TreeSize size,
                                                      const NodeSource& nodes) {
  // One perfect subtree for each bit of the size, the largest one leftmost.
  std::vector<Digest> edge;
  uint64_t begin = 0;
  for (uint64_t rest = size.value(); rest != 0;) {
    const uint32_t level = static_cast<uint32_t>(std::bit_width(rest)) - 1;
    ASSIGN_OR_RETURN(const Digest node, nodes({level, begin >> level}));
    edge.push_back(node);
    begin += uint64_t{1} << level;
    rest -= uint64_t{1} << level;
  }
  return FromNodes(size, std::move(edge));
}

void CompactRange::Append(
    const Digest& leaf,
    const std::function<void(NodeId, const Digest&)>& completed) {
  NodeId id{0, size_.value()};
  Digest hash = leaf;
  if (completed) completed(id, hash);
  // Each set bit at the low end of the size is a subtree that this one fills
  // up to the next power of two.
  while ((id.index & 1) == 1) {
    hash = NodeHash(nodes_.back(), hash);
    nodes_.pop_back();
    id = {id.level + 1, id.index >> 1};
    if (completed) completed(id, hash);
  }
  nodes_.push_back(hash);
  size_ = TreeSize(size_.value() + 1);
}

Digest CompactRange::Root() const {
  if (nodes_.empty()) return EmptyRoot();
  Digest hash = nodes_.back();
  for (size_t i = nodes_.size() - 1; i > 0; --i)
    hash = NodeHash(nodes_[i - 1], hash);
  return hash;
}

}  // namespace amparo

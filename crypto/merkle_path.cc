#include "crypto/merkle_path.h"

#include <algorithm>
#include <bit>

#include "base/status.h"

namespace amparo {
namespace {

// Hash of leaves [begin, end), where `begin` is a multiple of the smallest
// power of two that is not below their number: the node of RFC 6962 over them,
// complete or not. Precondition: begin < end.
absl::StatusOr<Digest> RangeRoot(uint64_t begin, uint64_t end,
                                 const NodeSource& nodes) {
  // From the right, smallest perfect subtree first: each joins what lies to
  // its right.
  const uint32_t lowest = static_cast<uint32_t>(std::countr_zero(end - begin));
  uint64_t rest = end - (uint64_t{1} << lowest);
  ASSIGN_OR_RETURN(Digest hash, nodes({lowest, rest >> lowest}));
  while (rest > begin) {
    const uint32_t level =
        static_cast<uint32_t>(std::countr_zero(rest - begin));
    rest -= uint64_t{1} << level;
    ASSIGN_OR_RETURN(const Digest left, nodes({level, rest >> level}));
    hash = NodeHash(left, hash);
  }
  return hash;
}

// Leaves in the left subtree of a node over `count` > 1 leaves: the largest
// power of two below `count`.
uint64_t LeftCount(uint64_t count) { return std::bit_floor(count - 1); }

}  // namespace

absl::StatusOr<Digest> RootFrom(TreeSize size, const NodeSource& nodes) {
  if (size.value() == 0) return EmptyRoot();
  return RangeRoot(0, size.value(), nodes);
}

absl::StatusOr<std::vector<Digest>> InclusionProof(LeafIndex index,
                                                   TreeSize size,
                                                   const NodeSource& nodes) {
  if (index.value() >= size.value())
    return absl::InvalidArgumentError("no such leaf in a tree of that size");
  // Down from the root; the proof lists the siblings from the leaf up.
  std::vector<Digest> proof;
  uint64_t begin = 0;
  uint64_t end = size.value();
  while (end - begin > 1) {
    const uint64_t middle = begin + LeftCount(end - begin);
    const bool goes_left = index.value() < middle;
    ASSIGN_OR_RETURN(const Digest sibling,
                     goes_left ? RangeRoot(middle, end, nodes)
                               : RangeRoot(begin, middle, nodes));
    proof.push_back(sibling);
    (goes_left ? end : begin) = middle;
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

absl::StatusOr<std::vector<Digest>> ConsistencyProof(TreeSize old_size,
                                                     TreeSize new_size,
                                                     const NodeSource& nodes) {
  if (old_size.value() == 0 || old_size > new_size)
    return absl::InvalidArgumentError("no tree of that size to prove");
  // Down from the new root to the node where the old tree ends.
  std::vector<Digest> proof;
  uint64_t begin = 0;
  uint64_t end = new_size.value();
  while (end != old_size.value()) {
    const uint64_t middle = begin + LeftCount(end - begin);
    const bool goes_left = old_size.value() <= middle;
    ASSIGN_OR_RETURN(const Digest sibling,
                     goes_left ? RangeRoot(middle, end, nodes)
                               : RangeRoot(begin, middle, nodes));
    proof.push_back(sibling);
    (goes_left ? end : begin) = middle;
  }
  // From the left edge it is the old tree itself, whose root both sides know.
  if (begin != 0) {
    ASSIGN_OR_RETURN(const Digest last, RangeRoot(begin, end, nodes));
    proof.push_back(last);
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

}  // namespace amparo

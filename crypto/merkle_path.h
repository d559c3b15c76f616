#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// Which nodes a proof needs: index arithmetic over the perfect subtrees that
// hash tiles store, and the proofs made from them.

namespace amparo {

// The root of the perfect subtree of 2^level leaves that starts at leaf
// index * 2^level.
struct NodeId {
  uint32_t level;
  uint64_t index;
  auto operator<=>(const NodeId&) const = default;
};

// Reads a complete node; an error ends the proof.
using NodeSource = std::function<absl::StatusOr<Digest>(NodeId)>;

// Root of the tree of `size` leaves. OUT_OF_RANGE never: size 0 gives EmptyRoot.
absl::StatusOr<Digest> RootFrom(TreeSize size, const NodeSource& nodes);

// Proof that VerifyInclusion accepts. INVALID_ARGUMENT unless index < size.
absl::StatusOr<std::vector<Digest>> InclusionProof(LeafIndex index, TreeSize size,
                                                   const NodeSource& nodes);

// Proof that VerifyConsistency accepts. INVALID_ARGUMENT unless
// 0 < old_size <= new_size.
absl::StatusOr<std::vector<Digest>> ConsistencyProof(TreeSize old_size,
                                                     TreeSize new_size,
                                                     const NodeSource& nodes);

}  // namespace amparo

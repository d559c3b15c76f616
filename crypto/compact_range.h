#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/merkle_path.h"

namespace amparo {

// The right edge of a growing tree: at most 64 hashes are all that appending
// and the root need, so start-up never loads the tree. One thread at a time;
// copyable.
class CompactRange {
 public:
  CompactRange() = default;
  // From the edge's hashes, as nodes() gave them for `size`, largest subtree
  // first. INVALID_ARGUMENT when their number does not fit `size`.
  static absl::StatusOr<CompactRange> FromNodes(TreeSize size,
                                                std::vector<Digest> nodes);
  // From stored nodes.
  static absl::StatusOr<CompactRange> FromSource(TreeSize size,
                                                 const NodeSource& nodes);

  // Adds a leaf. `completed`, if set, is called for every node that became
  // complete, the leaf itself (level 0) first: what tiles store.
  void Append(const Digest& leaf,
              const std::function<void(NodeId, const Digest&)>& completed = nullptr);

  TreeSize size() const { return size_; }
  Digest Root() const;
  const std::vector<Digest>& nodes() const { return nodes_; }

 private:
  TreeSize size_{0};
  std::vector<Digest> nodes_;
};

}  // namespace amparo

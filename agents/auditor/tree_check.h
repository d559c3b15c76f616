#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/report.h"
#include "base/bytes.h"
#include "crypto/compact_range.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

namespace amparo::auditor {

// Step 3: hashes every entry, recomputes the tree, and compares each hash tile
// with what the source shows. Holds one tile a level, whatever the log's size.
// One thread at a time.
class TreeCheck {
 public:
  // Both must outlive the TreeCheck.
  TreeCheck(LeafSource& source, Report& report)
      : source_(source), report_(report) {}

  // The next entry. An error is the source's own failure, no finding.
  absl::Status Append(ByteView entry);
  // Compares the tiles at the right edge: call after the last entry.
  absl::Status Finish();

  // The hashes of the tiles at the right edge, by level: all that the tree is
  // made of from there on. Before Finish.
  std::vector<std::vector<Digest>> Edge() const;
  // Goes on after `size` entries. INVALID_ARGUMENT when `edge` is not that of a
  // tree of so many.
  absl::Status Restore(TreeSize size,
                       const std::vector<std::vector<Digest>>& edge);
  // The leaf hash that the tile under way has for `leaf`; nullopt: none.
  std::optional<Digest> LeafAt(LeafIndex leaf) const;

  TreeSize size() const { return range_.size(); }
  Digest Root() const { return range_.Root(); }

 private:
  struct Node {
    Digest hash;
    // A finding below it says already what is wrong.
    bool explained = false;
  };
  struct Level {
    std::vector<Node> nodes;  // of the tile that is being filled
    uint64_t index = 0;       // of that tile
  };

  absl::Status CompareTile(uint32_t level);
  void CompareNodes(uint32_t level, const std::vector<Digest>& shown);
  void AddMissing(uint32_t level, const TileId& tile);

  LeafSource& source_;
  Report& report_;
  CompactRange range_;
  std::vector<Level> levels_;
};

}  // namespace amparo::auditor

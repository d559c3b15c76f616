#pragma once

#include <cstdint>
#include <map>

#include "crypto/merkle.h"

namespace amparo::auditor {

// Leaf indexes as runs: what is missing in a log is mostly missing in a row.
// One thread at a time.
class LeafSet {
 public:
  void Add(LeafIndex leaf);
  // [begin, end), which must lie after all others.
  void AddRun(uint64_t begin, uint64_t end);
  void Remove(LeafIndex leaf);
  bool Contains(LeafIndex leaf) const;
  uint64_t size() const { return size_; }
  // First leaf of each run -> the leaf after its last.
  const std::map<uint64_t, uint64_t>& runs() const { return runs_; }

 private:
  std::map<uint64_t, uint64_t> runs_;
  uint64_t size_ = 0;
};

}  // namespace amparo::auditor

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

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
  // The leaf that `place` others come before. Precondition: place < size().
  LeafIndex At(uint64_t place) const;
  // How many lie in [begin, end); `enough`: the counting stops there.
  uint64_t CountWithin(uint64_t begin, uint64_t end, uint64_t enough) const;
  // First leaf of each run -> the leaf after its last.
  const std::map<uint64_t, uint64_t>& runs() const { return runs_; }

 private:
  std::map<uint64_t, uint64_t> runs_;
  uint64_t size_ = 0;
};

// The leaves that `takes` takes, told which of `sets` hold them; it is not
// asked of those that none does.
LeafSet Select(const std::vector<const LeafSet*>& sets,
               const std::function<bool(const std::vector<bool>& in)>& takes);

}  // namespace amparo::auditor

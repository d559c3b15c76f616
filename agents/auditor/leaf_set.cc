#include "agents/auditor/leaf_set.h"

#include <iterator>

namespace amparo::auditor {

bool LeafSet::Contains(LeafIndex leaf) const {
  const auto after = runs_.upper_bound(leaf.value());
  return after != runs_.begin() && std::prev(after)->second > leaf.value();
}

void LeafSet::Add(LeafIndex leaf) {
  if (Contains(leaf)) return;
  ++size_;
  uint64_t begin = leaf.value();
  uint64_t end = begin + 1;
  const auto after = runs_.upper_bound(begin);
  if (after != runs_.begin() && std::prev(after)->second == begin)
    begin = std::prev(after)->first;
  if (after != runs_.end() && after->first == end) {
    end = after->second;
    runs_.erase(after);
  }
  runs_[begin] = end;
}

void LeafSet::AddRun(uint64_t begin, uint64_t end) {
  runs_[begin] = end;
  size_ += end - begin;
}

void LeafSet::Remove(LeafIndex leaf) {
  if (!Contains(leaf)) return;
  --size_;
  const auto run = std::prev(runs_.upper_bound(leaf.value()));
  const auto [begin, end] = *run;
  runs_.erase(run);
  if (begin < leaf.value()) runs_[begin] = leaf.value();
  if (leaf.value() + 1 < end) runs_[leaf.value() + 1] = end;
}

}  // namespace amparo::auditor

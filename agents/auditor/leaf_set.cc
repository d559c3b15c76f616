#include "agents/auditor/leaf_set.h"

#include <algorithm>
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

LeafIndex LeafSet::At(uint64_t place) const {
  for (const auto& [begin, end] : runs_) {
    if (place < end - begin) return LeafIndex(begin + place);
    place -= end - begin;
  }
  return LeafIndex(0);
}

uint64_t LeafSet::CountWithin(uint64_t begin, uint64_t end,
                              uint64_t enough) const {
  uint64_t count = 0;
  auto run = runs_.upper_bound(begin);
  if (run != runs_.begin()) --run;
  for (; run != runs_.end() && run->first < end && count < enough; ++run) {
    const uint64_t from = std::max(begin, run->first);
    const uint64_t to = std::min(end, run->second);
    if (from < to) count += to - from;
  }
  return count;
}

LeafSet Select(const std::vector<const LeafSet*>& sets,
               const std::function<bool(const std::vector<bool>& in)>& takes) {
  std::vector<uint64_t> edges;
  for (const LeafSet* set : sets)
    for (const auto& [begin, end] : set->runs()) {
      edges.push_back(begin);
      edges.push_back(end);
    }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  LeafSet selected;
  std::vector<bool> in(sets.size());
  bool under_way = false;  // a run that began at `begin`
  uint64_t begin = 0;
  for (const uint64_t edge : edges) {
    bool any = false;
    for (size_t i = 0; i < sets.size(); ++i) {
      in[i] = sets[i]->Contains(LeafIndex(edge));
      any = any || in[i];
    }
    const bool taken = any && takes(in);
    if (taken && !under_way) begin = edge;
    if (!taken && under_way) selected.AddRun(begin, edge);
    under_way = taken;
  }
  return selected;
}

}  // namespace amparo::auditor

#include <benchmark/benchmark.h>

#include <map>

#include "crypto/compact_range.h"
#include "crypto/merkle_path.h"
#include "tests/support/status_matchers.h"

namespace amparo::bench {
namespace {

Digest LeafOf(uint64_t i) {
  Bytes entry(41);  // a commitment's
  for (size_t k = 0; k < 8; ++k) entry[k] = static_cast<uint8_t>(i >> (8 * k));
  return LeafHash(entry);
}

// A tree with every node kept.
struct Tree {
  explicit Tree(uint64_t size) {
    for (uint64_t i = 0; i < size; ++i)
      range.Append(LeafOf(i),
                   [&](NodeId id, const Digest& hash) { nodes[id] = hash; });
  }
  NodeSource Source() const {
    return [this](NodeId id) -> absl::StatusOr<Digest> { return nodes.at(id); };
  }
  CompactRange range;
  std::map<NodeId, Digest> nodes;
};

void BM_Append(benchmark::State& state) {
  CompactRange range;
  uint64_t i = 0;
  for (auto _ : state) range.Append(LeafOf(i++));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Append);

void BM_InclusionProof(benchmark::State& state) {
  const Tree tree(static_cast<uint64_t>(state.range(0)));
  uint64_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(VALUE_OF(
        InclusionProof(LeafIndex(i), tree.range.size(), tree.Source())));
    i = (i + 7919) % tree.range.size().value();
  }
}
BENCHMARK(BM_InclusionProof)->Arg(1000)->Arg(100'000);

void BM_VerifyInclusion(benchmark::State& state) {
  const Tree tree(static_cast<uint64_t>(state.range(0)));
  const LeafIndex index(tree.range.size().value() / 3);
  const auto proof =
      VALUE_OF(InclusionProof(index, tree.range.size(), tree.Source()));
  const Digest leaf = LeafOf(index.value()), root = tree.range.Root();
  for (auto _ : state)
    benchmark::DoNotOptimize(
        VerifyInclusion(leaf, index, tree.range.size(), proof, root));
}
BENCHMARK(BM_VerifyInclusion)->Arg(1000)->Arg(100'000);

void BM_ConsistencyProof(benchmark::State& state) {
  const Tree tree(static_cast<uint64_t>(state.range(0)));
  const TreeSize old(tree.range.size().value() / 3);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        VALUE_OF(ConsistencyProof(old, tree.range.size(), tree.Source())));
}
BENCHMARK(BM_ConsistencyProof)->Arg(100'000);

}  // namespace
}  // namespace amparo::bench

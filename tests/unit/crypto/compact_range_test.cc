#include "crypto/compact_range.h"

#include <map>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/naive_merkle.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

constexpr uint64_t kSizeMax = 64;

// A tree built leaf by leaf, with every node that was reported complete.
struct Grown {
  CompactRange range;
  std::map<NodeId, Digest> nodes;

  void Append(const Digest& leaf) {
    range.Append(leaf, [this](NodeId id, const Digest& hash) {
      const bool is_new = nodes.emplace(id, hash).second;
      EXPECT_TRUE(is_new) << "a node was completed twice";
    });
  }
  NodeSource Source() const {
    return [this](NodeId id) -> absl::StatusOr<Digest> {
      const auto found = nodes.find(id);
      if (found == nodes.end()) return absl::NotFoundError("no such node");
      return found->second;
    };
  }
};

TEST(CompactRange, TheEmptyTreeHasTheEmptyRoot) {
  EXPECT_EQ(CompactRange().Root(), EmptyRoot());
  EXPECT_EQ(CompactRange().size(), TreeSize(0));
}

TEST(CompactRange, TheRootAfterEveryLeafIsThatOfTheRfc) {
  const naive::Leaves leaves = naive::MakeLeaves(kSizeMax);
  CompactRange range;
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    range.Append(leaves[size - 1]);
    EXPECT_EQ(range.size(), TreeSize(size));
    EXPECT_EQ(range.Root(), naive::Root(naive::Slice(leaves, 0, size)));
  }
}

TEST(CompactRange, ReportsEveryCompleteNodeOnceAndNoOther) {
  const naive::Leaves leaves = naive::MakeLeaves(kSizeMax);
  Grown tree;
  for (uint64_t size = 1; size <= kSizeMax; ++size) {
    tree.Append(leaves[size - 1]);
    size_t complete = 0;
    for (uint64_t width = 1; width <= size; width *= 2)
      complete += size / width;
    EXPECT_EQ(tree.nodes.size(), complete);
  }
  for (const auto& [id, hash] : tree.nodes)
    EXPECT_EQ(hash, naive::Root(naive::Slice(leaves, id.index << id.level,
                                             (id.index + 1) << id.level)));
}

TEST(CompactRange, ReportsTheLeafFirst) {
  const naive::Leaves leaves = naive::MakeLeaves(4);
  CompactRange range;
  for (uint64_t i = 0; i < 3; ++i) range.Append(leaves[i]);
  std::vector<NodeId> order;
  range.Append(leaves[3],
               [&](NodeId id, const Digest&) { order.push_back(id); });
  EXPECT_EQ(order, (std::vector<NodeId>{{0, 3}, {1, 1}, {2, 0}}));
}

TEST(CompactRange, ARestartAtAnySizeGoesOnAsIfThereHadBeenNone) {
  const naive::Leaves leaves = naive::MakeLeaves(kSizeMax);
  Grown tree;
  for (uint64_t size = 0; size < kSizeMax; ++size) {
    CompactRange restarted =
        VALUE_OF(CompactRange::FromSource(TreeSize(size), tree.Source()));
    EXPECT_EQ(restarted.nodes(), tree.range.nodes());
    CompactRange reloaded =
        VALUE_OF(CompactRange::FromNodes(TreeSize(size), tree.range.nodes()));
    EXPECT_EQ(reloaded.Root(), tree.range.Root());
    tree.Append(leaves[size]);
    restarted.Append(leaves[size]);
    reloaded.Append(leaves[size]);
    EXPECT_EQ(restarted.Root(), tree.range.Root());
    EXPECT_EQ(reloaded.Root(), tree.range.Root());
  }
}

TEST(CompactRange, RefusesEdgesThatDoNotFitTheSize) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(CompactRange::FromNodes(TreeSize(0), {Digest()}), refused);
  EXPECT_THAT(CompactRange::FromNodes(TreeSize(5), {Digest()}), refused);
  EXPECT_THAT(CompactRange::FromNodes(TreeSize(4), {Digest(), Digest()}),
              refused);
  EXPECT_OK(CompactRange::FromNodes(TreeSize(0), {}));
}

TEST(CompactRange, AMissingNodeIsReported) {
  EXPECT_THAT(CompactRange::FromSource(TreeSize(3), Grown().Source()),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace amparo

#include "crypto/merkle_path.h"

#include <map>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/naive_merkle.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

constexpr uint64_t kSizeMax = 64;

// Only complete nodes of a tree of `size`, made from the leaves on demand;
// reading another one is a failure of the test.
NodeSource CompleteNodes(const naive::Leaves& leaves, uint64_t size) {
  return [&leaves, size](NodeId id) -> absl::StatusOr<Digest> {
    const uint64_t begin = id.index << id.level;
    const uint64_t end = (id.index + 1) << id.level;
    if (end > size) return absl::OutOfRangeError("not complete");
    return naive::Root(naive::Slice(leaves, begin, end));
  };
}

NodeSource Broken() {
  return [](NodeId) -> absl::StatusOr<Digest> {
    return absl::DataLossError("the disk is gone");
  };
}

TEST(MerklePath, TheRootOfEveryTreeIsThatOfTheRfc) {
  const naive::Leaves leaves = naive::MakeLeaves(kSizeMax);
  for (uint64_t size = 0; size <= kSizeMax; ++size)
    EXPECT_EQ(VALUE_OF(RootFrom(TreeSize(size), CompleteNodes(leaves, size))),
              naive::Root(naive::Slice(leaves, 0, size)));
}

TEST(MerklePath, EveryInclusionProofIsThatOfTheRfc) {
  const naive::Leaves leaves = naive::MakeLeaves(kSizeMax);
  for (uint64_t size = 1; size <= kSizeMax; ++size)
    for (uint64_t index = 0; index < size; ++index)
      EXPECT_EQ(VALUE_OF(InclusionProof(LeafIndex(index), TreeSize(size),
                                        CompleteNodes(leaves, size))),
                naive::Path(index, naive::Slice(leaves, 0, size)))
          << index << " of " << size;
}

TEST(MerklePath, EveryConsistencyProofIsThatOfTheRfc) {
  const naive::Leaves leaves = naive::MakeLeaves(kSizeMax);
  for (uint64_t size = 1; size <= kSizeMax; ++size)
    for (uint64_t old_size = 1; old_size <= size; ++old_size)
      EXPECT_EQ(VALUE_OF(ConsistencyProof(TreeSize(old_size), TreeSize(size),
                                          CompleteNodes(leaves, size))),
                naive::SubProof(old_size, naive::Slice(leaves, 0, size), true))
          << old_size << " to " << size;
}

TEST(MerklePath, RefusesWhatTheTreeDoesNotHold) {
  const NodeSource nodes = Broken();
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(InclusionProof(LeafIndex(0), TreeSize(0), nodes), refused);
  EXPECT_THAT(InclusionProof(LeafIndex(5), TreeSize(5), nodes), refused);
  EXPECT_THAT(ConsistencyProof(TreeSize(0), TreeSize(5), nodes), refused);
  EXPECT_THAT(ConsistencyProof(TreeSize(6), TreeSize(5), nodes), refused);
}

TEST(MerklePath, AnUnreadableNodeEndsTheProof) {
  const auto lost = StatusIs(absl::StatusCode::kDataLoss);
  EXPECT_THAT(RootFrom(TreeSize(3), Broken()), lost);
  EXPECT_THAT(InclusionProof(LeafIndex(1), TreeSize(3), Broken()), lost);
  EXPECT_THAT(ConsistencyProof(TreeSize(2), TreeSize(3), Broken()), lost);
}

// Sizes near 2^64 take the same few nodes, and no arithmetic overflows.
TEST(MerklePath, ProofsOfTheLargestTreesFit) {
  const NodeSource nodes = [](NodeId id) -> absl::StatusOr<Digest> {
    return Sha256(
        Bytes{static_cast<uint8_t>(id.level), static_cast<uint8_t>(id.index)});
  };
  const TreeSize size(~uint64_t{0});
  const LeafIndex last(~uint64_t{0} - 1);
  const Digest root = VALUE_OF(RootFrom(size, nodes));
  const std::vector<Digest> proof = VALUE_OF(InclusionProof(last, size, nodes));
  EXPECT_EQ(proof.size(), 63u);
  EXPECT_OK(VerifyInclusion(VALUE_OF(nodes({0, last.value()})), last, size,
                            proof, root));
  // The old tree's only subtree is one of those the new root is made of.
  const TreeSize half(uint64_t{1} << 63);
  EXPECT_OK(VerifyConsistency(half, VALUE_OF(RootFrom(half, nodes)), size, root,
                              VALUE_OF(ConsistencyProof(half, size, nodes))));
}

}  // namespace
}  // namespace amparo

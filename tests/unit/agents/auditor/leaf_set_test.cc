#include "agents/auditor/leaf_set.h"

#include <set>

#include "gtest/gtest.h"

namespace amparo::auditor {
namespace {

TEST(LeafSet, KeepsWhatStandsInARowAsOneRun) {
  LeafSet set;
  for (const uint64_t leaf : {5, 3, 4, 9, 4}) set.Add(LeafIndex(leaf));
  EXPECT_EQ(set.size(), 4u);
  EXPECT_EQ(set.runs(), (std::map<uint64_t, uint64_t>{{3, 6}, {9, 10}}));
}

TEST(LeafSet, SplitsARunWhereALeafIsRemoved) {
  LeafSet set;
  for (uint64_t leaf = 0; leaf < 5; ++leaf) set.Add(LeafIndex(leaf));
  set.Remove(LeafIndex(2));
  set.Remove(LeafIndex(7));
  EXPECT_EQ(set.runs(), (std::map<uint64_t, uint64_t>{{0, 2}, {3, 5}}));
  EXPECT_FALSE(set.Contains(LeafIndex(2)));
  EXPECT_TRUE(set.Contains(LeafIndex(3)));
}

TEST(LeafSet, IsTheSameAsASetWhateverTheOrder) {
  LeafSet set;
  std::set<uint64_t> expected;
  uint64_t state = 1;
  for (int i = 0; i < 3000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t leaf = (state >> 33) % 40;
    if ((state >> 62) != 0) {
      set.Add(LeafIndex(leaf));
      expected.insert(leaf);
    } else {
      set.Remove(LeafIndex(leaf));
      expected.erase(leaf);
    }
    ASSERT_EQ(set.size(), expected.size());
    for (uint64_t each = 0; each < 40; ++each)
      ASSERT_EQ(set.Contains(LeafIndex(each)), expected.contains(each));
  }
}

TEST(LeafSet, CountsAndFindsByPlace) {
  LeafSet set;
  set.AddRun(2, 5);
  set.AddRun(9, 10);
  set.AddRun(12, 20);
  EXPECT_EQ(set.At(0), LeafIndex(2));
  EXPECT_EQ(set.At(3), LeafIndex(9));
  EXPECT_EQ(set.At(5), LeafIndex(13));
  EXPECT_EQ(set.CountWithin(0, 100, 100), 12u);
  EXPECT_EQ(set.CountWithin(4, 10, 100), 2u);
  EXPECT_EQ(set.CountWithin(5, 9, 100), 0u);
  EXPECT_EQ(set.CountWithin(13, 14, 100), 1u);
  EXPECT_GE(set.CountWithin(0, 100, 3), 3u);
}

TEST(LeafSet, SelectsByWhatHoldsALeaf) {
  LeafSet a, b;
  a.AddRun(0, 10);
  a.AddRun(20, 30);
  b.AddRun(5, 25);
  const auto both =
      Select({&a, &b}, [](const auto& in) { return in[0] && in[1]; });
  EXPECT_EQ(both.runs(), (std::map<uint64_t, uint64_t>{{5, 10}, {20, 25}}));
  const auto either = Select({&a, &b}, [](const auto&) { return true; });
  EXPECT_EQ(either.runs(), (std::map<uint64_t, uint64_t>{{0, 30}}));
  EXPECT_EQ(either.size(), 30u);
  EXPECT_EQ(Select({}, [](const auto&) { return true; }).size(), 0u);
}

}  // namespace
}  // namespace amparo::auditor

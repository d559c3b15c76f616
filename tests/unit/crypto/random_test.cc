#include "crypto/random.h"

#include <set>

#include "gtest/gtest.h"

namespace amparo {
namespace {

TEST(Random, HasTheSizeThatWasAskedFor) {
  EXPECT_EQ(RandomBytes(0).size(), 0u);
  EXPECT_EQ(RandomBytes(33).size(), 33u);
  EXPECT_EQ(RandomArray<16>().size(), 16u);
}

TEST(Random, DoesNotRepeatItself) {
  std::set<Bytes> seen;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(seen.insert(RandomBytes(16)).second);
}

TEST(Random, StaysBelowItsBound) {
  EXPECT_EQ(RandomBelow(0), 0u);
  EXPECT_EQ(RandomBelow(1), 0u);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(RandomBelow(7), 7u);
}

}  // namespace
}  // namespace amparo

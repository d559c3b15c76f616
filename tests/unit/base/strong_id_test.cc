#include "base/strong_id.h"

#include <string>
#include <type_traits>

#include "absl/hash/hash_testing.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using HouseId = StrongId<struct HouseTag>;
using StreetId = StrongId<struct StreetTag>;
using Floors = StrongNumber<struct FloorsTag>;
using Doors = StrongNumber<struct DoorsTag>;

// Ids and numbers of different tags are different things, and neither comes
// into being without its check or its name.
static_assert(!std::is_convertible_v<HouseId, StreetId>);
static_assert(!std::is_constructible_v<StreetId, HouseId>);
static_assert(!std::is_constructible_v<HouseId, std::string>);
static_assert(!std::is_default_constructible_v<HouseId>);
static_assert(!std::is_convertible_v<HouseId, std::string>);
static_assert(!std::is_constructible_v<Doors, Floors>);
static_assert(!std::is_convertible_v<uint64_t, Floors>);
static_assert(!std::is_convertible_v<Floors, uint64_t>);
static_assert(!std::is_invocable_v<std::equal_to<>, Floors, Doors>);
static_assert(!std::is_invocable_v<std::equal_to<>, HouseId, StreetId>);

TEST(StrongId, KeepsAGoodName) {
  for (const std::string& text :
       {std::string("a"), std::string("gnr"), std::string("uls-porto-2"),
        std::string("a-"), "a" + std::string(31, '0')})
    EXPECT_EQ(VALUE_OF(HouseId::Parse(text)).text(), text);
}

TEST(StrongId, RefusesEveryOtherName) {
  for (const std::string& text :
       {std::string(), std::string("1a"), std::string("-a"), std::string("A"),
        std::string("aB"), std::string("a_b"), std::string("a.b"),
        std::string("a b"), std::string("a/b"), std::string("../a"),
        std::string("a\n"), std::string("a\0", 2), std::string("\xc3\xa1"),
        "a" + std::string(32, '0')})
    EXPECT_THAT(HouseId::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(StrongId, DoesNotQuoteABadNameInItsError) {
  EXPECT_THAT(std::string(HouseId::Parse("Marta").status().message()),
              testing::Not(testing::HasSubstr("Marta")));
}

TEST(StrongId, ComparesAndHashesAsItsText) {
  const HouseId a = VALUE_OF(HouseId::Parse("a"));
  const HouseId b = VALUE_OF(HouseId::Parse("b"));
  EXPECT_LT(a, b);
  EXPECT_EQ(a, VALUE_OF(HouseId::Parse("a")));
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly({a, b}));
}

TEST(StrongNumber, ComparesAndHashesAsItsValue) {
  EXPECT_EQ(Floors().value(), 0u);
  EXPECT_LT(Floors(1), Floors(2));
  EXPECT_EQ(Floors(UINT64_MAX).value(), UINT64_MAX);
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {Floors(0), Floors(1), Floors(UINT64_MAX)}));
}

}  // namespace
}  // namespace amparo

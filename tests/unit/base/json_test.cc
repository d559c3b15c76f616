#include "base/json.h"

#include <string>

#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(ParseJson, KeepsTheOrderOfKeys) {
  EXPECT_EQ(DumpJson(VALUE_OF(ParseJson(R"( {"b":1,"a":[true,null,"é",-2.5]} )"))),
            R"({"b":1,"a":[true,null,"é",-2.5]})");
}

TEST(ParseJson, RefusesWhatHasASecondReading) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseJson(R"({"a":1,"a":2})"), refused);
  EXPECT_THAT(ParseJson(R"([{"x":{"a":1,"b":2,"a":1}}])"), refused);
  EXPECT_THAT(ParseJson("{} {}"), refused);
  EXPECT_THAT(ParseJson("{}x"), refused);
  EXPECT_THAT(ParseJson(""), refused);
  EXPECT_THAT(ParseJson("[1,]"), refused);
  EXPECT_THAT(ParseJson("18446744073709551615"), refused);
  EXPECT_THAT(ParseJson("1e999"), refused);
  EXPECT_THAT(ParseJson("\"\xff\""), refused);
  EXPECT_THAT(ParseJson("// c\n1"), refused);
}

TEST(ParseJson, RefusesNestingBeyondTheLimit) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_OK(ParseJson(nested(16)));
  EXPECT_THAT(ParseJson(nested(17)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseJson(nested(100000)), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseJson, DoesNotQuoteTheInputInItsError) {
  const auto parsed = ParseJson(R"({"name":"Marta EXEMPLO)");
  EXPECT_EQ(std::string(parsed.status().message()).find("Marta"), std::string::npos);
}

}  // namespace
}  // namespace amparo

#include "base/json.h"

#include <string>

#include "absl/strings/str_cat.h"
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

TEST(ParseJson, RefusesAByteOrderMarkAndAZeroByte) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseJson("\xef\xbb\xbf{}"), refused);
  EXPECT_THAT(ParseJson("\xef\xbb\xbf"), refused);
  EXPECT_THAT(ParseJson(absl::string_view("{}\0", 3)), refused);
  EXPECT_THAT(ParseJson(absl::string_view("{}\0{\"a\":1}", 10)), refused);
  EXPECT_THAT(ParseJson(absl::string_view("\"a\0b\"", 5)), refused);
  // Escaped, or inside a string, both are text like any other.
  EXPECT_OK(ParseJson("\"\\u0000\""));
  EXPECT_OK(ParseJson("\"\xef\xbb\xbf\""));
}

TEST(ParseJson, TakesIntegersOfInt64AndNoLargerOnes) {
  EXPECT_EQ(DumpJson(VALUE_OF(ParseJson("[9223372036854775807]"))),
            "[9223372036854775807]");
  EXPECT_EQ(DumpJson(VALUE_OF(ParseJson("[-9223372036854775808]"))),
            "[-9223372036854775808]");
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseJson("9223372036854775808"), refused);
  EXPECT_THAT(ParseJson("-9223372036854775809"), refused);
  EXPECT_THAT(ParseJson("99999999999999999999999"), refused);
  EXPECT_OK(ParseJson("1e300"));
  EXPECT_OK(ParseJson("9223372036854775808.0"));
}

TEST(ParseJson, TakesAnObjectOfAHundredThousandKeys) {
  constexpr int kKeys = 100000;
  std::string text = "{";
  for (int i = 0; i < kKeys; ++i)
    absl::StrAppend(&text, i == 0 ? "" : ",", "\"key", i, "\":", i);
  const Json object = VALUE_OF(ParseJson(text + "}"));
  ASSERT_EQ(object.size(), kKeys);
  EXPECT_EQ(object.begin().key(), "key0");
  EXPECT_EQ((--object.end()).key(), "key99999");
  EXPECT_EQ(VALUE_OF(JsonInt(object, "key99999")), 99999);
  EXPECT_THAT(ParseJson(text + ",\"key0\":1}"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ParseJson, RefusesNestingBeyondTheLimit) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_OK(ParseJson(nested(16)));
  EXPECT_THAT(ParseJson(nested(17)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseJson(nested(100000)), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(ParseJson(R"({"a":[{"b":1}]})", 3));
  EXPECT_THAT(ParseJson(R"({"a":[{"b":1}]})", 2),
              StatusIs(absl::StatusCode::kInvalidArgument));
  // Side by side is not nested.
  EXPECT_OK(ParseJson("[[],[],[]]", 2));
}

TEST(ParseJson, DoesNotQuoteTheInputInItsError) {
  const auto parsed = ParseJson(R"({"name":"Marta EXEMPLO)");
  EXPECT_EQ(std::string(parsed.status().message()).find("Marta"), std::string::npos);
}

TEST(JsonReading, GivesTheAskedTypeOrNamesTheKey) {
  const Json object = VALUE_OF(ParseJson(R"({"s":"x","i":-7,"f":1.5})"));
  EXPECT_EQ(VALUE_OF(JsonString(object, "s")), "x");
  EXPECT_EQ(VALUE_OF(JsonInt(object, "i")), -7);
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(JsonString(object, "i"), refused);
  EXPECT_THAT(JsonString(object, "absent"), refused);
  EXPECT_THAT(JsonInt(object, "f"), refused);
  EXPECT_THAT(JsonInt(Json::array(), "i"), refused);
  EXPECT_THAT(std::string(JsonInt(object, "s").status().message()),
              testing::HasSubstr("s"));
}

TEST(JsonKeysWithin, RefusesAKeyThatIsNotListedWithoutQuotingIt) {
  const Json object = VALUE_OF(ParseJson(R"({"a":1,"marta":2})"));
  EXPECT_OK(JsonKeysWithin(object, {"a", "b", "marta"}));
  EXPECT_OK(JsonKeysWithin(Json::object(), {}));
  const absl::Status refused = JsonKeysWithin(object, {"a", "b"});
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(refused.message()),
              testing::Not(testing::HasSubstr("marta")));
  EXPECT_THAT(JsonKeysWithin(Json::array(), {"a"}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace amparo

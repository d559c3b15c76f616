#include "base/config.h"

#include <string>

#include "base/error.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Config Read(absl::string_view text) {
  return VALUE_OF(Config::Parse(text, "agent.toml"));
}

std::string FieldOf(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail.has_value() ? detail->field : "";
}

TEST(Config, GivesWhatTheFileSays) {
  Config config = Read(R"(
member = "ong"
log    = { witness = false, inclusion_alarm_s = 90 }
[outbox.retry]
first_ms = 1000
purposes = ["support", "safety"]
)");
  EXPECT_EQ(config.String("member", "none"), "ong");
  EXPECT_FALSE(config.Bool("log.witness", true));
  EXPECT_EQ(config.Int("log.inclusion_alarm_s", 60, 1, 600), 90);
  EXPECT_EQ(config.Int("outbox.retry.first_ms", 1, 1, 300000), 1000);
  EXPECT_THAT(config.Strings("outbox.retry.purposes"),
              ElementsAre("support", "safety"));
  EXPECT_OK(config.Finish());
}

TEST(Config, GivesTheDefaultForWhatIsAbsent) {
  Config config = Read("");
  EXPECT_EQ(config.String("member", "none"), "none");
  EXPECT_TRUE(config.Bool("log.witness", true));
  EXPECT_EQ(config.Int("log.inclusion_alarm_s", 60, 1, 600), 60);
  EXPECT_THAT(config.Strings("purposes"), IsEmpty());
  EXPECT_OK(config.Finish());
}

TEST(Config, RefusesAKeyNobodyAskedFor) {
  const struct {
    const char* name;
    const char* text;
    const char* field;
  } cases[] = {
      {"at the top", "member = \"ong\"\nmembr = \"ong\"", "membr"},
      {"in a table", "[log]\nwitness = true\nwitnes = true", "log.witnes"},
      {"in an inline table", "log = { witnes = true }", "log.witnes"},
      {"an unknown table", "[logs]\nwitness = true", "logs.witness"},
      {"an empty unknown table", "[logs]", "logs"},
      {"a value where a table is known", "log = 5", "log"},
      {"a list of tables", "[[log]]\nwitness = true", "log"},
      {"a quoted key that looks like a path", "\"log.witness\" = true",
       "log.witness"},
      {"the same below a table", "[log]\n\"witness.x\" = 1", "log.witness.x"},
  };
  for (const auto& c : cases) {
    Config config = Read(c.text);
    config.String("member", "");
    config.Bool("log.witness", true);
    const absl::Status status = config.Finish();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument)) << c.name;
    EXPECT_EQ(ErrorCodeOf(status), "config") << c.name;
    EXPECT_EQ(FieldOf(status), c.field) << c.name;
  }
}

TEST(Config, TakesAKnownTableThatIsEmpty) {
  Config config = Read("[log]\n# witness = true\n");
  EXPECT_TRUE(config.Bool("log.witness", true));
  EXPECT_OK(config.Finish());
}

TEST(Config, RefusesAValueOfAnotherType) {
  const auto field_after = [](const char* text, const auto& read) {
    Config config = Read(text);
    read(config);
    EXPECT_THAT(config.Finish(), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
    return FieldOf(config.Finish());
  };
  const auto string = [](Config& c) { EXPECT_EQ(c.String("x.y", "d"), "d"); };
  const auto number = [](Config& c) { EXPECT_EQ(c.Int("x.y", 7, 0, 9), 7); };
  const auto flag = [](Config& c) { EXPECT_TRUE(c.Bool("x.y", true)); };
  const auto strings = [](Config& c) { c.Strings("x.y"); };
  EXPECT_EQ(field_after("x.y = 5", string), "x.y");
  EXPECT_EQ(field_after("x.y = true", string), "x.y");
  EXPECT_EQ(field_after("[x.y]\nz = 1", string), "x.y");
  EXPECT_EQ(field_after("x.y = \"5\"", number), "x.y");
  EXPECT_EQ(field_after("x.y = 5.0", number), "x.y");
  EXPECT_EQ(field_after("x.y = true", number), "x.y");
  EXPECT_EQ(field_after("x.y = 1", flag), "x.y");
  EXPECT_EQ(field_after("x.y = \"true\"", flag), "x.y");
  EXPECT_EQ(field_after("x.y = \"support\"", strings), "x.y");
  EXPECT_EQ(field_after("x.y = [\"support\", 5]", strings), "x.y");
}

TEST(Config, RefusesANumberOutOfItsRange) {
  for (const auto& [text, good] : {std::pair{"n = 1", true},
                                   {"n = 600", true},
                                   {"n = 0", false},
                                   {"n = 601", false},
                                   {"n = -1", false},
                                   {"n = 9223372036854775807", false}}) {
    Config config = Read(text);
    const int64_t value = config.Int("n", 60, 1, 600);
    EXPECT_EQ(config.Finish().ok(), good) << text;
    EXPECT_EQ(value == 60, !good) << text;
  }
  EXPECT_THAT(Config::Parse("n = 9223372036854775808", "agent.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Config, ReportsTheFirstFaultOfSeveral) {
  Config config = Read("a = 1\nb = 2\nunknown = 3");
  config.String("b", "");
  config.String("a", "");
  EXPECT_EQ(FieldOf(config.Finish()), "b");
}

TEST(Config, SaysWhereTheTextIsNotToml) {
  const auto config =
      Config::Parse("member = \"ong\"\nkey = secret-word\n", "agent.toml");
  EXPECT_THAT(config, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(ErrorCodeOf(config.status()), "config");
  const std::string message(config.status().message());
  EXPECT_THAT(message, HasSubstr("agent.toml: line 2"));
  EXPECT_THAT(message, Not(HasSubstr("secret-word")));
}

TEST(Config, RefusesAKeyThatStandsTwice) {
  EXPECT_THAT(Config::Parse("a = 1\na = 1", "agent.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Config::Parse("[log]\na = 1\n[log]\nb = 1", "agent.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Config, NamesTheFileAndTheKeyButNotTheValue) {
  Config config = Read("[keystore]\nunlock = 12345");
  config.String("keystore.unlock", "prompt");
  const std::string message(config.Finish().message());
  EXPECT_THAT(message, HasSubstr("agent.toml"));
  EXPECT_THAT(message, HasSubstr("keystore.unlock"));
  EXPECT_THAT(message, Not(HasSubstr("12345")));
}

}  // namespace
}  // namespace amparo

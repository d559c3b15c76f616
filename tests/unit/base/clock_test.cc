#include "base/clock.h"

#include <string>

#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(ParseUtc, ReadsWhatFormatUtcWrites) {
  for (const char* text :
       {"2026-11-21T09:30:00Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z",
        "2024-02-29T23:59:59Z", "9999-12-31T23:59:59Z", "1000-01-01T00:00:00Z"})
    EXPECT_EQ(FormatUtc(VALUE_OF(ParseUtc(text))), text);
}

TEST(ParseUtc, GivesTheSecondsOfTheEpoch) {
  EXPECT_EQ(UnixSeconds(VALUE_OF(ParseUtc("1970-01-01T00:00:00Z"))), 0);
  EXPECT_EQ(UnixSeconds(VALUE_OF(ParseUtc("2026-11-21T12:00:00Z"))),
            1795262400);
  EXPECT_EQ(UnixSeconds(VALUE_OF(ParseUtc("1969-12-31T23:59:59Z"))), -1);
  EXPECT_EQ(TimeFromUnix(1795262400),
            VALUE_OF(ParseUtc("2026-11-21T12:00:00Z")));
}

TEST(ParseUtc, RefusesEverySecondSpelling) {
  for (const char* text :
       {"", "2026-11-21", "2026-11-21T09:30:00", "2026-11-21T09:30:00z",
        "2026-11-21t09:30:00Z", "2026-11-21 09:30:00Z", "2026-11-21T09:30Z",
        "2026-11-21T09:30:00+00:00", "2026-11-21T10:30:00+01:00",
        "2026-11-21T09:30:00.0Z", "2026-11-21T09:30:00.5Z",
        " 2026-11-21T09:30:00Z", "2026-11-21T09:30:00Z ",
        "2026-11-21T09:30:00Z\n", "2026-11-21T9:30:00Z", "2026-1-21T09:30:00Z",
        "+026-11-21T09:30:00Z"})
    EXPECT_THAT(ParseUtc(text), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(ParseUtc, RefusesTimesThatDoNotExist) {
  for (const char* text :
       {"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T09:60:00Z", "2026-06-30T23:59:60Z"})
    EXPECT_THAT(ParseUtc(text), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(ParseUtc, RefusesYearsThatAreNotOfFourDigits) {
  for (const char* text :
       {"-202-11-21T09:30:00Z", "12026-11-21T09:30:00Z", "226-11-21T09:30:00Z",
        "0026-11-21T09:30:00Z", "infinite-future", "infinite-past"})
    EXPECT_THAT(ParseUtc(text), StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(FormatUtc, CutsOffWhatIsBelowASecond) {
  EXPECT_EQ(FormatUtc(TimeFromUnix(0) + absl::Milliseconds(999)),
            "1970-01-01T00:00:00Z");
  EXPECT_EQ(UnixSeconds(TimeFromUnix(5) + absl::Milliseconds(999)), 5);
}

TEST(IsDate, KnowsLeapDays) {
  EXPECT_TRUE(IsDate("2024-02-29"));
  EXPECT_TRUE(IsDate("2000-02-29"));
  EXPECT_FALSE(IsDate("2026-02-29"));
  EXPECT_FALSE(IsDate("2100-02-29"));
  EXPECT_FALSE(IsDate("2024-02-30"));
}

TEST(IsDate, RefusesEverySecondSpelling) {
  EXPECT_TRUE(IsDate("2026-11-21"));
  for (const char* text :
       {"", "2026-11-2", "2026-1-021", "2026-11-21Z", " 2026-11-2",
        "2026/11/21", "-202-11-21", "20261121", "2026-11", "21-11-2026",
        "2026-00-10", "2026-10-00", "2026-11-31", "0000-00-00"})
    EXPECT_FALSE(IsDate(text)) << text;
}

TEST(SystemClock, NeverReadsZero) {
  EXPECT_GT(SystemClock().Now(), TimeFromUnix(0));
}

}  // namespace
}  // namespace amparo

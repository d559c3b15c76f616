#include "base/event_log.h"

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using HouseId = StrongId<struct HouseTag>;
using Floors = StrongNumber<struct FloorsTag>;

// What was computed or received has no way into the journal as text.
template <typename T>
constexpr bool kIsLogged = std::is_constructible_v<EventField, const char*, T>;
static_assert(!kIsLogged<std::string>);
static_assert(!kIsLogged<const std::string&>);
static_assert(!kIsLogged<std::string_view>);
static_assert(!kIsLogged<absl::string_view>);
static_assert(!kIsLogged<Bytes>);
static_assert(!kIsLogged<ByteView>);
static_assert(!kIsLogged<Json>);
static_assert(!kIsLogged<absl::Status>);
static_assert(!kIsLogged<absl::Time>);
static_assert(!std::is_constructible_v<EventField, std::string, int>);
static_assert(kIsLogged<HouseId> && kIsLogged<Floors> && kIsLogged<int64_t> &&
              kIsLogged<bool> && kIsLogged<absl::Duration>);

const absl::Time kNoon = TimeFromUnix(1795262400);

TEST(FormatEvent, WritesOneJsonObjectOnOneLine) {
  const std::string line =
      FormatEvent(kNoon, "info", "envelope_accepted",
                  {{"member", VALUE_OF(HouseId::Parse("gnr"))},
                   {"leaf", Floors(17)},
                   {"code", "matrix"},
                   {"waiting", 3},
                   {"bytes", uint64_t{1179648}},
                   {"balance", int64_t{-5}},
                   {"retryable", true},
                   {"took_ms", absl::Milliseconds(1500)}});
  EXPECT_EQ(line, R"({"time":"2026-11-21T12:00:00Z","level":"info",)"
                  R"("event":"envelope_accepted","member":"gnr","leaf":17,)"
                  R"("code":"matrix","waiting":3,"bytes":1179648,"balance":-5,)"
                  R"("retryable":true,"took_ms":1500})");
  EXPECT_OK(ParseJson(line));
}

TEST(FormatEvent, StaysOneLineWhateverACodeHolds) {
  const std::string line =
      FormatEvent(kNoon, "info", "odd", {{"code", "a\nb\"\x01\xff"}});
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_OK(ParseJson(line));
}

// What `act` writes to standard error.
template <typename Act>
std::string Journal(const Act& act) {
  testing::internal::CaptureStderr();
  act();
  return testing::internal::GetCapturedStderr();
}

TEST(LogEvent, WritesALineAndItsNewline) {
  const std::string text = Journal([] {
    LogEvent("started", {{"members", 5}});
    LogEvent(EventLevel::kError, "ledger_closed");
  });
  const size_t end = text.find('\n');
  ASSERT_NE(end, std::string::npos);
  const Json first = VALUE_OF(ParseJson(text.substr(0, end)));
  const Json second = VALUE_OF(ParseJson(text.substr(end + 1)));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(VALUE_OF(JsonString(first, "event")), "started");
  EXPECT_EQ(VALUE_OF(JsonString(first, "level")), "info");
  EXPECT_EQ(VALUE_OF(JsonInt(first, "members")), 5);
  EXPECT_EQ(VALUE_OF(JsonString(second, "level")), "error");
  EXPECT_OK(ParseUtc(VALUE_OF(JsonString(first, "time"))));
}

TEST(LogEvent, WritesNothingBelowTheLevel) {
  SetEventLevel(EventLevel::kWarning);
  const std::string text = Journal([] {
    LogEvent("quiet");
    LogEvent(EventLevel::kWarning, "loud");
  });
  SetEventLevel(EventLevel::kInfo);
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("loud"), std::string::npos);
}

}  // namespace
}  // namespace amparo

#include "base/clock.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "absl/time/clock.h"

namespace amparo {
namespace {

constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%SZ";

// Years of four digits: Abseil also reads -202 and "infinite-future".
bool LooksLike(absl::string_view pattern, absl::string_view text) {
  return text.size() == pattern.size() &&
         std::equal(text.begin(), text.end(), pattern.begin(),
                    [](char c, char p) {
                      return p == '0' ? absl::ascii_isdigit(c) : c == p;
                    });
}

class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return absl::Now(); }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

int64_t UnixSeconds(absl::Time time) { return absl::ToUnixSeconds(time); }
absl::Time TimeFromUnix(int64_t seconds) {
  return absl::FromUnixSeconds(seconds);
}

std::string FormatUtc(absl::Time time) {
  return absl::FormatTime(kTimeFormat, time, absl::UTCTimeZone());
}

absl::StatusOr<absl::Time> ParseUtc(absl::string_view text) {
  absl::Time time;
  std::string error;
  // Formatting back refuses second spellings and days that do not exist.
  if (!LooksLike("0000-00-00T00:00:00Z", text) ||
      !absl::ParseTime(kTimeFormat, text, absl::UTCTimeZone(), &time, &error) ||
      FormatUtc(time) != text)
    return absl::InvalidArgumentError("not a time: expected YYYY-MM-DDThh:mm:ssZ");
  return time;
}

bool IsDate(absl::string_view text) {
  absl::CivilDay day;
  return LooksLike("0000-00-00", text) && absl::ParseCivilTime(text, &day) &&
         absl::FormatCivilTime(day) == text;
}

}  // namespace amparo

#include "base/clock.h"

#include "absl/time/civil_time.h"
#include "absl/time/clock.h"

namespace amparo {
namespace {

constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%SZ";

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
  if (!absl::ParseTime(kTimeFormat, text, absl::UTCTimeZone(), &time, &error) ||
      FormatUtc(time) != text)
    return absl::InvalidArgumentError("not a time: expected YYYY-MM-DDThh:mm:ssZ");
  return time;
}

bool IsDate(absl::string_view text) {
  absl::CivilDay day;
  return text.size() == 10 && absl::ParseCivilTime(text, &day) &&
         absl::FormatCivilTime(day) == text;
}

}  // namespace amparo

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace amparo {

// Where time comes from; tests bring their own. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() const = 0;
};

// The system's clock.
const Clock& SystemClock();

// Whole seconds since the Unix epoch, UTC: the only form in which time is
// signed or hashed.
int64_t UnixSeconds(absl::Time time);
absl::Time TimeFromUnix(int64_t seconds);

// RFC 3339, UTC, whole seconds, "Z": 2026-11-21T09:30:00Z, and nothing else.
std::string FormatUtc(absl::Time time);
absl::StatusOr<absl::Time> ParseUtc(absl::string_view text);

// YYYY-MM-DD of a day that exists.
bool IsDate(absl::string_view text);

}  // namespace amparo

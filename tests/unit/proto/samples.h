#pragma once

#include "absl/time/time.h"
#include "base/clock.h"
#include "crypto/digest.h"
#include "proto/network/member.h"
#include "tests/support/status_matchers.h"

// Made-up values for the tests of proto.

namespace amparo {

inline MemberId Id(absl::string_view name) {
  return VALUE_OF(MemberId::Parse(name));
}

// A digest that only a test would have: `byte` 32 times.
inline Digest Fill(uint8_t byte) {
  std::array<uint8_t, Digest::kSize> bytes;
  bytes.fill(byte);
  return Digest(bytes);
}

inline const absl::Time kNoon = TimeFromUnix(1795262400);  // 2026-11-21T12:00Z

}  // namespace amparo

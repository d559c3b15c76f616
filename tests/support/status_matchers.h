#pragma once

#include <stdexcept>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// The status matchers that this Abseil lacks.

namespace amparo {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& or_value) {
  return or_value.status();
}

MATCHER(IsOk, "") {
  *result_listener << StatusOf(arg).ToString();
  return arg.ok();
}

MATCHER_P(StatusIs, code, "") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

// The value of `expr`, or a fatal failure of the test with its status.
template <typename T>
T ValueOrDie(absl::StatusOr<T> or_value, const char* file, int line) {
  if (!or_value.ok()) {
    ADD_FAILURE_AT(file, line) << or_value.status();
    // A test without its value cannot go on, in whatever function it is.
    throw std::runtime_error("no value: " + or_value.status().ToString());
  }
  return std::move(or_value).value();
}

}  // namespace amparo

#define VALUE_OF(expr) ::amparo::ValueOrDie((expr), __FILE__, __LINE__)
#define EXPECT_OK(expr) EXPECT_THAT((expr), ::amparo::IsOk())
#define ASSERT_OK(expr) ASSERT_THAT((expr), ::amparo::IsOk())

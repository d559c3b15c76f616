#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// What this Abseil (20220623) lacks for error handling.

namespace amparo {

// `status` with "`context`: " before its message; code and payloads stay.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace amparo

#define AMPARO_CONCAT_(a, b) a##b
#define AMPARO_CONCAT(a, b) AMPARO_CONCAT_(a, b)

// Returns from the enclosing function when `expr` is an error.
#define RETURN_IF_ERROR(expr)                                   \
  do {                                                          \
    if (absl::Status amparo_status_ = (expr); !amparo_status_.ok()) \
      return amparo_status_;                                    \
  } while (false)

// `lhs = value of expr`, or returns its error. `lhs` may declare a variable.
#define ASSIGN_OR_RETURN(lhs, expr) \
  ASSIGN_OR_RETURN_(AMPARO_CONCAT(amparo_or_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_(or_value, lhs, expr)    \
  auto or_value = (expr);                         \
  if (!or_value.ok()) return or_value.status();   \
  lhs = std::move(or_value).value()

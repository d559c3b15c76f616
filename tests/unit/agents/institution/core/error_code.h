#pragma once

#include "base/error.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {

// An error whose code is `code`.
MATCHER_P(HasErrorCode, code, "") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && ErrorCodeOf(status) == code;
}

}  // namespace amparo::agent

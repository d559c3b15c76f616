#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace amparo {

// What a caller can act on, carried as a payload of an absl::Status and, over
// gRPC, as google.rpc.ErrorInfo. `code` is one of the closed list below; the
// other fields may be empty. None of them ever holds personal data.
struct ErrorDetail {
  std::string code;      // "invalid_form", "no_consent", ...
  std::string field;     // JSON pointer (RFC 6901) or name of the bad input
  std::string expected;  // what would have been right
  std::string hint;      // what to do next
  bool retryable = false;

  bool operator==(const ErrorDetail&) const = default;
};

// An error with a detail. `message`: lower case, no full stop, no content.
absl::Status MakeError(absl::StatusCode status_code, absl::string_view message,
                       const ErrorDetail& detail);

// The detail of `status`; nullopt when it bears none.
std::optional<ErrorDetail> DetailOf(const absl::Status& status);

// The code of `status`'s detail, or one derived from its absl code
// ("not_found", "internal", ...): never empty for an error.
std::string ErrorCodeOf(const absl::Status& status);

// The exit status of every program for an error code (docs/PROTOCOL.md, exit
// codes): 1 failed, 2 usage, 3 not found, 4 refused by policy or consent,
// 5 agent or broker not reachable, 6 verification failed. Unknown codes: 1.
int ExitOf(absl::string_view error_code);

}  // namespace amparo

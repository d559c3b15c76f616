#pragma once

#include <string>

#include "absl/status/status.h"

// How every program says that it failed (docs/PROTOCOL.md, Errors).

namespace amparo {

// The object "error/1", one line without a newline: what --json puts on
// stderr's last line. Precondition: `status` is an error.
std::string ErrorJson(const absl::Status& status);

// The same for people: "PROGRAM: message", then what was expected and what to
// do, a line each; ends with a newline.
std::string ErrorText(const std::string& program, const absl::Status& status);

// Exit status for `status`; 0 when it is OK.
int ExitOf(const absl::Status& status);

}  // namespace amparo

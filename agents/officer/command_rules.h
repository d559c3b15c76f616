#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agents/officer/command.h"

namespace amparo::officer {

// INVALID_ARGUMENT, code "usage". `hint` says what to type instead.
absl::Status UsageError(const std::string& message, const std::string& hint);

// What one flag alone does not tell: that all required ones are there, that
// values are among their choices, and which flags go together.
absl::Status CheckCommand(const Command& command);

// "amparo referral send --help", for hints.
std::string HelpCommand(const Verb& verb);

}  // namespace amparo::officer

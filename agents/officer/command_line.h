#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/officer/command.h"

namespace amparo::officer {

// `arguments`: without the program's name. INVALID_ARGUMENT, code "usage", for
// what the grammar has not; its hint says what was probably meant.
absl::StatusOr<Command> ParseCommandLine(
    const std::vector<std::string>& arguments);

// Whether a program asked: known even of a line that cannot be parsed.
bool WantsJson(const std::vector<std::string>& arguments);

}  // namespace amparo::officer

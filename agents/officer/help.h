#pragma once

#include <string>

#include "agents/officer/command.h"

namespace amparo::officer {

// What --help answers to `command`: about everything, a noun or a verb.
std::string HelpText(const Command& command);

}  // namespace amparo::officer

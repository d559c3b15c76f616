#pragma once

#include <string>
#include <vector>

#include "agents/officer/session.h"

namespace amparo::officer {

// The whole program: does what `arguments` (without the program's name) say
// and returns its exit status. Nothing of it throws.
int Run(const std::vector<std::string>& arguments, const Surroundings& around);

}  // namespace amparo::officer

#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace amparo::officer {

// The candidate that `typed` was probably meant to be; empty when none is
// near.
std::string Nearest(absl::string_view typed,
                    const std::vector<absl::string_view>& candidates);

}  // namespace amparo::officer

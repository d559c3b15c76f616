#pragma once

#include "absl/status/status.h"

namespace amparo::officer {

// `error` with what an officer can do next, where nobody said it yet.
absl::Status WithHint(const absl::Status& error);

}  // namespace amparo::officer

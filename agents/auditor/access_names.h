#pragma once

#include "absl/strings/string_view.h"

namespace amparo::auditor {

// Whether a record can name such a section, or its summary.
bool IsSlotName(absl::string_view name);

}  // namespace amparo::auditor

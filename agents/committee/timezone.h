#pragma once

#include <string>

#include "absl/status/status.h"

namespace amparo::committee {

// Agents reckon deadlines by it, and in UTC where nobody knows it. OK for a
// name of the IANA time zone database of this machine; INVALID_ARGUMENT (code
// "usage") names `field`.
absl::Status CheckTimezone(const std::string& name, const char* field);

}  // namespace amparo::committee

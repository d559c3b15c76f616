#pragma once

#include <variant>

#include "absl/status/statusor.h"
#include "base/json.h"
#include "proto/content/grant.h"

namespace amparo {

// A provision as its disclosure's value: {"effect": "permit"|"deny"|"exclude",
// ...}; why somebody is denied or excluded is not in it.
Json EncodeProvision(const std::variant<Permit, Denial, Exclusion>& content);
absl::StatusOr<std::variant<Permit, Denial, Exclusion>> DecodeProvision(
    const Json& json);

}  // namespace amparo

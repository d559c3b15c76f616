#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"

namespace amparo {

inline constexpr char kInvalidForm[] = "invalid_form";

// The JSON of a form that names itself `schema`. INVALID_ARGUMENT otherwise:
// "too_large" beyond 1 MiB, "invalid_form" for what is no such form.
absl::StatusOr<Json> ParseForm(absl::string_view text,
                               absl::string_view schema);

}  // namespace amparo

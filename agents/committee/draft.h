#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/network/charter.h"

// The charter as people read and edit it: TOML with the keys of the signed
// form (docs/PROTOCOL.md, Charter).

namespace amparo::committee {

// A draft that says what `charter` says, with a comment at each key.
std::string FormatDraft(const Charter& charter);

// What `text` says, as the successor of `before` (nullopt: version 1): version,
// prev_hash and net are the program's to set. INVALID_ARGUMENT names the line
// of what is no TOML, or the key that is unknown, missing or wrong.
absl::StatusOr<Charter> ParseDraft(
    absl::string_view text, const std::optional<AcceptedCharter>& before);

}  // namespace amparo::committee

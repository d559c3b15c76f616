#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/network/ca_note.h"

// By which CAs a profile knows the broker: ca.pem, and ca.note, which says so
// and how new that is.

namespace amparo::auditor {

// The note that was taken last; NOT_FOUND before the first.
absl::StatusOr<CaNote> KeptCa(const std::string& folder);

// Takes `ca`, of the verified `note`; `pem_file` is the profile's ca.pem.
absl::Status KeepCa(const std::string& folder, const std::string& pem_file,
                    const CaNote& ca, absl::string_view note);

}  // namespace amparo::auditor

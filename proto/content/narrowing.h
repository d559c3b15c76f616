#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/content/consent_form.h"
#include "proto/content/grant.h"
#include "proto/network/charter.h"

namespace amparo {

// The permits, denials and exclusions that a grant of `form` holds: each
// permit for one recipient rule, its sections spelled out and minus all that
// denials, withdrawals and exclusions take. A member that a denial or exclusion
// names gets permits of its own in place of those for its kind. `from` and
// `until` that the form leaves open count from `now`.
// INVALID_ARGUMENT (code "invalid_form") for a purpose or legal basis that the
// charter does not allow, NOT_FOUND (code "unknown_member").
absl::StatusOr<std::vector<std::variant<Permit, Denial, Exclusion>>> Narrow(
    const ConsentForm& form, const Charter& charter, absl::Time now);

// INVALID_ARGUMENT (code "invalid_form", of `field`) when the charter does not
// allow `basis`: names it, where it reads as a code and not as a text, and
// those that are allowed.
absl::Status CheckLegalBasis(const std::string& basis, const Charter& charter,
                             absl::string_view field);

// 6 months later, by the calendar.
absl::Time DefaultUntil(absl::Time now);

}  // namespace amparo

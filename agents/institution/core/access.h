#pragma once

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/officers.h"

namespace amparo::agent {

enum class Action {
  kSeeCases,     // lists and states
  kOpenContent,  // sections
  kRefer,        // send, answer, update, disclose, consent
  kSeeOfficers,
  kAddOfficers,
  kSeeAccessLog,
  kConfirmKeys,
};

// OK when one of the officer's roles allows it; PERMISSION_DENIED (code
// "role_missing") otherwise. Admins manage and see no case.
absl::Status AllowedByRole(const Officer& officer, Action action);

// OK unless the case excludes this officer: PERMISSION_DENIED (code
// "excluded"). A case that excludes somebody by a name that nobody here has
// is for supervisors only, until one of them looked.
absl::Status NotExcluded(const Officer& officer, const Case& entry,
                         const MemberId& self);

}  // namespace amparo::agent

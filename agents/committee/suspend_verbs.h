#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/verbs.h"
#include "base/clock.h"
#include "crypto/jws.h"

// A member stopped at once, by two governance keys of different institutions,
// until the committee can meet (proto/network/suspension.h).

namespace amparo::committee {

struct SuspendNowOptions {
  std::string member;
  std::optional<absl::Time> until;  // default: seven days from now
  SignOptions sign;
};
// Tells what it means, asks, and adds one signature to the suspension of the
// member that is being signed here; begins one where there is none, or only one
// that could not be published any more. FAILED_PRECONDITION (code
// "invalid_state") for a member that is not active.
absl::StatusOr<Outcome> SuspendNow(const CharterFolder& folder,
                                   const SuspendNowOptions& options,
                                   Dialog& dialog, const Clock& clock);

// Takes in what another machine signed: Merge calls it. PERMISSION_DENIED (code
// "verification_failed") when no governance key has signed it, or for another
// network; FAILED_PRECONDITION (code "conflict") when another one is being
// signed here.
absl::StatusOr<Outcome> MergeSuspension(const CharterFolder& folder,
                                        const MultiJws& other,
                                        const Clock& clock);

// Gives the suspension of `member` to the broker, when two have signed it.
// FAILED_PRECONDITION (code "invalid_state") where this folder knows of one
// that holds.
absl::StatusOr<Outcome> PublishSuspension(const CharterFolder& folder,
                                          const std::string& member,
                                          EnrolmentPort& broker,
                                          const Clock& clock);

}  // namespace amparo::committee

#pragma once

#include "absl/status/statusor.h"
#include "agents/officer/session.h"

namespace amparo::officer {

// Does what the session's command says. A finding (a refused send) is an
// answer with its own exit status, not an error.
absl::StatusOr<Answer> RunCommand(Session& session);

// `referral show` with and without --wait; `inbox --watch`. They stay as long
// as they are asked to.
absl::StatusOr<Answer> ShowReferral(Session& session);
absl::StatusOr<Answer> WatchInbox(Session& session);

}  // namespace amparo::officer

#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/content/codes.h"
#include "proto/network/charter.h"

namespace amparo {

// Where a referral to one recipient stands (docs/PROTOCOL.md, States).
enum class ReferralState {
  kSent,
  kReceived,
  kAccepted,
  kCancelRequested,
  kCompleted,  // an end, as are all that follow
  kNotCompleted,
  kDeclined,
  kCancelled,
  kExpired,
  kError,  // never left: policy forbade it when it was to be sealed
};
absl::string_view NameOf(ReferralState state);  // "cancel_requested", ...
std::optional<ReferralState> ParseReferralState(absl::string_view name);
bool IsEnd(ReferralState state);

enum class ReferralStep {
  kDeliver,
  kAccept,
  kDecline,
  kComplete,     // close with an outcome that completes
  kNotComplete,  // close with another
  kRequestCancel,
  kCancel,  // the recipient confirms
  kRecall,  // the broker gave it back undelivered
  kExpire,
  kFail,
};
enum class Actor { kSender, kRecipient, kSystem };

// The state after `step` by `actor`. FAILED_PRECONDITION (code
// "invalid_state") where the table has no such row, PERMISSION_DENIED where it
// has one for another actor.
absl::StatusOr<ReferralState> Next(ReferralState state, ReferralStep step,
                                   Actor actor);

// By when a recipient must have opened, and decided.
struct DueTimes {
  absl::Time acknowledge_by;
  absl::Time decide_by;
};
// The charter's durations, or the defaults; the routine acknowledgement counts
// working days (Monday to Friday) in `zone`, the charter's time zone.
DueTimes DueTimesOf(const Charter& charter, Priority priority,
                    absl::Time sent_at, const absl::TimeZone& zone);
bool IsOverdue(ReferralState state, Delivery delivery, const DueTimes& due,
               absl::Time now);
// Whether a referral that nobody answers may end as expired: only routine ones.
bool MayExpire(Priority priority);

}  // namespace amparo

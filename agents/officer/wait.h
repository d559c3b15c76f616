#pragma once

#include "absl/strings/string_view.h"
#include "amparo/agent/v1/agent.pb.h"

// When `referral show --wait STAGE` may go on (docs/PROTOCOL.md, Waiting).
// Pure.

namespace amparo::officer {

namespace v1 = ::amparo::agent::v1;

enum class WaitVerdict {
  kReached,  // every recipient is there, beyond or at an end; one was there
  kNotYet,
  kNever,  // no recipient can get there any more
};

// `stage`: a delivery (submitted delivered ...), a state (accepted ...), or
// "erased": all erasure receipts are here.
WaitVerdict JudgeWait(const v1::ReferralView& referral,
                      absl::string_view stage);

// Whether a referral in state `from` may still come to state `to` (docs/
// PROTOCOL.md, States); not from a state to itself.
bool MayBecome(absl::string_view from, absl::string_view to);

// Whether `id` is a whole id of a referral: "r-" and 26 characters base32.
bool IsWholeReferralId(absl::string_view id);

}  // namespace amparo::officer

#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/outbox.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "proto/content/case_state.h"
#include "proto/content/event_kind.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo::agent {

// Adds to `change` an event of `self` about a referral, to its other party:
// accepted, declined, closed, cancel_requested or cancelled, signed by `key`,
// with its draft.
absl::Status AddReferralEvent(Outbox& outbox, const SigningKey& key,
                              const Digest& net, absl::Time now,
                              const MemberId& self,
                              const PeerReferral& referral, EventKind kind,
                              const std::string& code, const EventId& id,
                              CaseChange& change);

}  // namespace amparo::agent

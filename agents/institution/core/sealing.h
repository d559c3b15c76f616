#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/peer_book.h"
#include "proto/content/payload.h"

namespace amparo::agent {

// What a draft becomes right before it is sealed.
struct Prepared {
  Payload payload;
  // The case event as it is now: with the slots that really go. None for link
  // events.
  std::optional<CaseEvent> event;
};

// Whether an event of this kind brings sections to its recipient: a referral,
// an update, a disclosure.
bool CarriesSections(EventKind kind);

// Decides again what of `draft` may go to its recipient now, and puts together
// the payload. `entry`: its case (null for link events); `content`: of document
// events. PERMISSION_DENIED with the reason's code when nothing may go any
// more; FAILED_PRECONDITION when the case does not know the event.
absl::StatusOr<Prepared> PreparePayload(const Draft& draft, const Case* entry,
                                        const std::optional<Content>& content,
                                        const Peers& peers,
                                        const LogWatch::View& seen, absl::Time now);

}  // namespace amparo::agent

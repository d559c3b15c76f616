#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/merkle.h"
#include "proto/content/case_event.h"
#include "proto/content/case_state.h"
#include "proto/content/event_document.h"
#include "proto/content/payload.h"
#include "proto/content/policy.h"
#include "proto/content/referral_document.h"
#include "proto/network/charter.h"

namespace amparo {

// What the envelope around a payload says, and the log.
struct Carrier {
  Digest net;
  MemberId sender;
  MemberId recipient;
  Digest anchor;
  Digest envelope;
  LeafIndex leaf;
  absl::Time leaf_time;
};

// A payload whose parts were verified and fit each other. Authority (MayAdd)
// and coverage (RequireCovered) are asked afterwards: they need the case.
struct InboundEvent {
  std::optional<CaseEvent> event;     // none for a link event
  std::optional<EventDocument> link;  // resend, skip, heartbeat
  std::optional<ReferralDocument> document;
};

// Anchor and manifest, signature and net of the document and of each grant,
// kind of payload and document, case and event id; issuer is the sender; each
// disclosure fits its slot. PERMISSION_DENIED or INVALID_ARGUMENT otherwise.
// `keys` gives the sender's keys only.
absl::StatusOr<InboundEvent> VerifyInbound(const Payload& payload,
                                           const Carrier& carrier,
                                           const KeyLookup& keys);

// Coverage of a document by the case's authority joined with what travelled
// along, at `now`; fills in which grant or basis allowed each slot.
// PERMISSION_DENIED with the code of the slot that is not covered.
absl::Status RequireCovered(const Charter& charter, const CaseState& state,
                            InboundEvent& inbound, absl::Time now);

}  // namespace amparo

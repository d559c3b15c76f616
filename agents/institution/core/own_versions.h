#pragma once

#include <set>
#include <vector>

#include "absl/status/status.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "proto/content/policy.h"
#include "proto/content/section.h"

namespace amparo::agent {

// A version of a referral that this agent issued: the referral, or an update.
struct OwnVersion {
  EventId event_id;
  DocumentSent sent;
};
// Oldest first; empty when another member issued it.
std::vector<OwnVersion> OwnVersionsOf(const Case& entry, const MemberId& self,
                                      const ReferralId& id);

// The question that policy is asked about a referral.
Transfer TransferOf(const PeerReferral& referral);

// Whether its recipient may still be told something: it has not ended, and
// nobody took it back, whatever the broker says to that.
absl::StatusOr<bool> IsOpen(const Desk& desk, const PeerReferral& referral);

// FAILED_PRECONDITION, code "invalid_state".
absl::Status WrongState(absl::string_view message);
// PERMISSION_DENIED with the code of a section that may not go.
absl::Status Refused(const SectionDecision& decision);

// Records in the access log, before `change` is stored: one by each ground that
// something of its documents goes by.
absl::Status LogStep(const Desk& desk, const Officer& officer,
                     const char* action, const CaseId& case_id,
                     const CaseChange& change);

}  // namespace amparo::agent

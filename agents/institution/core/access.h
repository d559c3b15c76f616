#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"

namespace amparo::agent {

enum class Action {
  kSeeCases,     // lists and states
  kOpenContent,  // sections, provisions
  kRefer,        // send, answer, update, disclose, consent
  kSeeOfficers,
  kAddOfficers,
  kSeeAccessLog,
  kConfirmKeys,
  kAcknowledgeAlarms,
  kSeeKeys,
  kManageKeys,
  kGiveEvidence,  // takes documents of a case out, for a court or an auditor
  kReview,        // disclosures without consent
};

// OK when one of the officer's roles allows it; PERMISSION_DENIED (code
// "role_missing") otherwise. Admins manage and see no case.
absl::Status AllowedByRole(const Officer& officer, Action action);

// OK unless the case excludes this officer, by id or by a name that fits the
// handle: PERMISSION_DENIED (code "excluded"). A case that excludes somebody by
// a name that fits nobody here is for supervisors only, until one of them read
// the name (NoteNamesRead).
absl::Status NotExcluded(const Desk& desk, const Officer& officer,
                         const Case& entry);

// A supervisor read whom `grant` excludes by name: officers whose handle no
// such name fits may see its case from now on.
absl::Status NoteNamesRead(const Desk& desk, const Grant& grant);

// OK unless this agent came back from a backup and somebody in the case has not
// answered yet what it sent since: FAILED_PRECONDITION (code "invalid_state").
// A revocation may be among it, so nothing is shown or sent before.
absl::Status NotAwaited(const Desk& desk, const CaseState& state);

// Cases as `officer` may see them. A case or referral bears NotAwaited. What is hidden is NOT_FOUND (code
// "not_found") just like what does not exist; looking for it leaves a record in
// the access log.
absl::StatusOr<std::shared_ptr<const Case>> VisibleCase(const Desk& desk,
                                                        const Officer& officer,
                                                        absl::string_view id);
struct VisibleReferral {
  ReferralKey key;
  std::shared_ptr<const Case> entry;

  const ReferralId& id() const { return key.second; }
};
absl::StatusOr<VisibleReferral> FindReferral(const Desk& desk,
                                             const Officer& officer,
                                             absl::string_view id);
struct VisibleGrant {
  GrantKey key;
  std::shared_ptr<const Case> entry;

  const MemberId& issuer() const { return key.first; }
  const GrantId& id() const { return key.second; }
};
absl::StatusOr<VisibleGrant> FindGrant(const Desk& desk, const Officer& officer,
                                       absl::string_view id);
std::vector<std::shared_ptr<const Case>> VisibleCases(const Desk& desk,
                                                      const Officer& officer);

}  // namespace amparo::agent

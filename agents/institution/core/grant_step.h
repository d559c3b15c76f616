#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/consent_rows.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/take_back.h"
#include "proto/content/grant.h"
#include "proto/content/policy.h"

namespace amparo::agent {

// A consent on its way into a case: who acts, when, with which key. All must
// outlive it.
struct GrantStep {
  const Desk& desk;
  const Moment& moment;
  const SigningKey& key;
  const Officer& officer;

  // Signs a grant of `record.form` and adds what its issuer keeps of it.
  absl::StatusOr<Grant> Issue(const CaseId& case_id, const GrantId& id,
                              const std::optional<GrantId>& supersedes,
                              const ConsentRecord& record,
                              CaseChange& change) const;

  // The event by which this agent itself knows of a grant or revocation, and
  // the one by which `to` learns of it.
  CaseEvent EventTo(const MemberId& to, const EventId& id,
                    const CaseId& case_id, EventBody body) const;
  void Queue(const CaseEvent& event, EventKind kind, std::string document,
             CaseChange& change) const;
};

// What follows when a case's authority changes.
struct Consequences {
  TakenBack taken;
  // Slots that a member has, or may get, and may not have any more.
  std::map<MemberId, std::set<Slot>> lost;
  // Members that were sent something by a grant of the chain: which of them.
  std::map<MemberId, std::set<GrantId>> holders;
};

// `notes`: the events that change the authority. Adds to `change` what takes
// back documents on their way of which nothing may go any more.
absl::StatusOr<Consequences> ConsequencesOf(
    const GrantStep& step, const Case& entry,
    const std::vector<const HeldGrant*>& chain,
    const std::vector<CaseEvent>& notes, CaseChange& change);

}  // namespace amparo::agent

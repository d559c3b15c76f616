#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/consent_rows.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "proto/content/grant.h"

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

}  // namespace amparo::agent

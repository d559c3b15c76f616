#include "agents/institution/core/grant_step.h"

#include <utility>

#include "base/status.h"

namespace amparo::agent {
absl::StatusOr<Grant> GrantStep::Issue(const CaseId& case_id, const GrantId& id,
                                       const std::optional<GrantId>& supersedes,
                                       const ConsentRecord& record,
                                       CaseChange& change) const {
  ASSIGN_OR_RETURN(Grant grant,
                   IssueGrant(record.form,
                              {.net = moment.net(),
                               .issuer = desk.cases.self(),
                               .now = moment.now,
                               .event_id = EventId::New(),
                               .case_id = case_id,
                               .id = id,
                               .collected_by = officer.id,
                               // The form names the notice; its text is not here.
                               .notice_hash = std::nullopt,
                               .evidence_hash = record.evidence_hash,
                               .supersedes = supersedes},
                              moment.charter(), key));
  KeepConsent(id, record, change.rows);
  return grant;
}

CaseEvent GrantStep::EventTo(const MemberId& to, const EventId& id,
                             const CaseId& case_id, EventBody body) const {
  return {.id = id,
          .case_id = case_id,
          .from = desk.cases.self(),
          .to = to,
          .at = moment.now,
          .leaf = std::nullopt,
          .envelope = std::nullopt,
          .body = std::move(body)};
}

void GrantStep::Queue(const CaseEvent& event, EventKind kind,
                      std::string document, CaseChange& change) const {
  desk.outbox.Add({.recipient = event.to,
                   .kind = kind,
                   .case_id = event.case_id,
                   .event_id = event.id,
                   .sections = {},
                   .content_of = std::nullopt,
                   .document = std::move(document)},
                  change.rows);
  change.events.push_back(event);
}

}  // namespace amparo::agent

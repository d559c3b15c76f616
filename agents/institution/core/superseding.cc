#include "agents/institution/core/superseding.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agents/institution/core/consent_rows.h"
#include "agents/institution/core/grant_chain.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

std::vector<std::string> TakenBackBy(const Consequences& consequences) {
  std::set<Slot> slots;
  for (const auto& [member, lost] : consequences.lost)
    slots.insert(lost.begin(), lost.end());
  std::vector<std::string> names;
  for (const Slot slot : slots) names.push_back(NameOf(slot));
  return names;
}

}  // namespace

absl::StatusOr<std::vector<const HeldGrant*>> ChainToChange(
    const MemberId& self, const Case& entry, const GrantId& id) {
  std::vector<const HeldGrant*> chain = ChainOf(entry.state, {self, id});
  if (chain.empty())
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "only the institution that recorded a consent changes it",
                     {.code = "invalid_state", .field = "consent"});
  if (chain.front()->status == GrantStatus::kRevoked)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "the consent was revoked",
                     {.code = "consent_revoked",
                      .field = "consent",
                      .hint = "record a new one"});
  return chain;
}

absl::StatusOr<Superseded> Supersede(
    const GrantStep& step, const Case& entry, const GrantId& id,
    const char* action,
    const std::function<absl::StatusOr<ConsentForm>(const ConsentForm&)>&
        rewrite) {
  const MemberId& self = step.desk.cases.self();
  const CaseId& case_id = entry.state.case_id;
  ASSIGN_OR_RETURN(const auto chain, ChainToChange(self, entry, id));
  const GrantId& old = chain.front()->grant.id;
  ASSIGN_OR_RETURN(ConsentRecord record, LoadConsent(step.desk.kv, old));
  ASSIGN_OR_RETURN(record.form, rewrite(record.form));

  Superseded superseded{
      .change = {}, .grant = GrantId::New(), .consequences = {}};
  CaseChange& change = superseded.change;
  ASSIGN_OR_RETURN(const Grant grant,
                   step.Issue(case_id, superseded.grant, old, record, change));
  const CaseEvent note =
      step.EventTo(self, grant.event_id, case_id, Granted{grant, {}});
  change.events.push_back(note);
  ASSIGN_OR_RETURN(superseded.consequences,
                   ConsequencesOf(step, entry, chain, {note}, change));
  RETURN_IF_ERROR(step.desk.access_log.Write(
      {.officer = step.officer.id,
       .action = action,
       .case_id = case_id,
       .sections = TakenBackBy(superseded.consequences),
       .grant_or_basis = superseded.grant.text(),
       .supersedes = old.text()}));
  for (const auto& [member, grants] : superseded.consequences.holders) {
    const auto lost = superseded.consequences.lost.find(member);
    step.Queue(
        step.EventTo(member, grant.event_id, case_id,
                     Granted{grant, lost == superseded.consequences.lost.end()
                                        ? std::set<Slot>()
                                        : lost->second}),
        EventKind::kGranted, SerializeSdJwt(grant.jwt, grant.disclosures()),
        change);
  }
  return superseded;
}

}  // namespace amparo::agent

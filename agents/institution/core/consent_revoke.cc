#include <algorithm>
#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/consent_desk.h"
#include "agents/institution/core/consent_views.h"
#include "agents/institution/core/consequences.h"
#include "agents/institution/core/grant_chain.h"
#include "agents/institution/core/grant_step.h"
#include "agents/institution/core/superseding.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/revocation.h"

namespace amparo::agent {
namespace {

// Who took the consent back. The others of the list need a record of why, which
// no form has yet.
constexpr char kRevokedBy[] = "subject";

absl::Status NoSuchPart(const char* field) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the consent has no such part",
                   {.code = "usage", .field = field});
}

absl::StatusOr<Withdrawal> WithdrawalOf(const ConsentDesk::Part& part) {
  Withdrawal withdrawal;
  if (!part.section.empty()) {
    const auto section = ParseSection(part.section);
    if (!section.ok()) return NoSuchPart("section");
    withdrawal.section = *section;
  }
  if (!part.member.empty()) {
    const auto member = MemberId::Parse(part.member);
    if (!member.ok()) return NoSuchPart("member");
    withdrawal.member = *member;
  }
  if (!part.purpose.empty()) {
    if (!IsOneOf(Purposes(), part.purpose)) return NoSuchPart("purpose");
    withdrawal.purpose = part.purpose;
  }
  return withdrawal;
}

// What was signed to end one grant.
struct SignedRevocation {
  EventId event_id;
  Digest grant;
  std::string token;
};

// Ends a chain, newest grant first.
struct Ending {
  const GrantStep& step;
  const Case& entry;
  const std::vector<const HeldGrant*>& chain;

  SignedRevocation Sign(const Grant& grant) const;
  CaseEvent EventTo(const MemberId& to, const SignedRevocation& revocation,
                    std::set<Slot> withdrawn) const;
  // Grants of the chain that wait to be sent: they would bring nothing.
  absl::Status DropGrants(CaseChange& change) const;
  absl::StatusOr<CaseChange> Change(Consequences& consequences) const;
};

SignedRevocation Ending::Sign(const Grant& grant) const {
  const Revocation revocation{.net = step.moment.net(),
                              .issuer = step.desk.cases.self(),
                              .at = step.moment.now,
                              .event_id = EventId::New(),
                              .case_id = grant.case_id,
                              .grant = grant.digest};
  return {revocation.event_id, grant.digest,
          SignRevocation(revocation, step.key)};
}

CaseEvent Ending::EventTo(const MemberId& to,
                          const SignedRevocation& revocation,
                          std::set<Slot> withdrawn) const {
  return step.EventTo(
      to, revocation.event_id, entry.state.case_id,
      Revoked{revocation.grant, kRevokedBy, std::move(withdrawn)});
}

absl::Status Ending::DropGrants(CaseChange& change) const {
  ASSIGN_OR_RETURN(const auto drafts, step.desk.outbox.Drafts());
  for (const Draft& draft : drafts) {
    if (draft.kind != EventKind::kGranted ||
        draft.case_id != entry.state.case_id)
      continue;
    ASSIGN_OR_RETURN(const auto under_way,
                     step.desk.outbox.UnderWay(draft.recipient));
    if (under_way && under_way->draft.seq == draft.seq) continue;
    for (const HeldGrant* held : chain)
      if (held->grant.event_id == draft.event_id)
        step.desk.outbox.Remove(draft, change.rows);
  }
  return absl::OkStatus();
}

absl::StatusOr<CaseChange> Ending::Change(Consequences& consequences) const {
  CaseChange change;
  RETURN_IF_ERROR(DropGrants(change));
  std::vector<SignedRevocation> revocations;
  for (const HeldGrant* held : chain) {
    revocations.push_back(Sign(held->grant));
    change.events.push_back(
        EventTo(step.desk.cases.self(), revocations.back(), {}));
  }
  const std::vector<CaseEvent> notes = change.events;
  ASSIGN_OR_RETURN(consequences,
                   ConsequencesOf(step, entry, chain, notes, change));
  for (const auto& [member, grants] : consequences.holders) {
    // The newest that it has answers for all: one receipt is enough.
    const auto lost = consequences.lost.find(member);
    std::set<Slot> withdrawn =
        lost == consequences.lost.end() ? std::set<Slot>() : lost->second;
    for (size_t i = 0; i < chain.size(); ++i) {
      if (!grants.contains(chain[i]->grant.id)) continue;
      step.Queue(EventTo(member, revocations[i],
                         std::exchange(withdrawn, std::set<Slot>())),
                 EventKind::kRevoked, revocations[i].token, change);
    }
  }
  return change;
}

// What was revoked now.
RevokeOutcome OutcomeOf(const Moment& moment, const GrantId& id,
                        const Consequences& consequences) {
  RevokeOutcome outcome{.grant_id = id,
                        .status = GrantStatus::kRevoked,
                        .revoked_by = kRevokedBy,
                        .revoked_at = moment.now,
                        .recalled = consequences.taken.envelopes,
                        .recipients = {}};
  for (const auto& [member, slots] : consequences.lost)
    outcome.recipients.push_back({.member = member,
                                  .slots = {slots.begin(), slots.end()},
                                  .answer = "pending",
                                  .legal_basis = {}});
  return outcome;
}

// What was revoked before, with the answers that came since.
RevokeOutcome OutcomeOf(const Moment& moment, const Case& entry,
                        const GrantKey& key) {
  const Grant& newest = ChainOf(entry.state, key).front()->grant;
  RevokeOutcome outcome{
      .grant_id = key.second,
      .status = GrantStatus::kRevoked,
      .revoked_by = kRevokedBy,
      .revoked_at = kNoTime,
      .recalled = {},
      .recipients = RevokedRecipientsOf(moment, entry, newest)};
  for (const CaseEvent& event : entry.events)
    if (const auto* revoked = std::get_if<Revoked>(&event.body);
        revoked != nullptr && revoked->grant == newest.digest)
      outcome.revoked_at = std::max(outcome.revoked_at, event.at);
  return outcome;
}

// What changes when `withdrawal`, or everything, is revoked.
absl::StatusOr<CaseChange> Take(const GrantStep& step, const Case& entry,
                                const GrantId& id, const Withdrawal& withdrawal,
                                Consequences& consequences,
                                std::optional<GrantId>& successor) {
  if (withdrawal == Withdrawal()) {
    ASSIGN_OR_RETURN(const auto chain,
                     ChainToChange(step.desk.cases.self(), entry, id));
    RETURN_IF_ERROR(step.desk.access_log.Write(
        {.officer = step.officer.id,
         .action = "consent_revoke",
         .case_id = entry.state.case_id,
         .sections = {},
         .grant_or_basis = chain.front()->grant.id.text()}));
    return Ending{step, entry, chain}.Change(consequences);
  }
  ASSIGN_OR_RETURN(
      Superseded superseded,
      Supersede(step, entry, id, "consent_revoke",
                [&](const ConsentForm& form) -> absl::StatusOr<ConsentForm> {
                  ConsentForm left =
                      Without(form, withdrawal, step.moment.charter());
                  if (EncodeConsentForm(left) == EncodeConsentForm(form))
                    return NoSuchPart("part");
                  return left;
                }));
  consequences = std::move(superseded.consequences);
  successor = superseded.grant;
  return std::move(superseded.change);
}

bool IsRevoked(const Case& entry, const GrantKey& key) {
  const auto chain = ChainOf(entry.state, key);
  return !chain.empty() && chain.front()->status == GrantStatus::kRevoked;
}

}  // namespace

absl::StatusOr<RevokeOutcome> ConsentDesk::Revoke(const Officer& officer,
                                                  absl::string_view id,
                                                  const Part& part) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kRefer));
  ASSIGN_OR_RETURN(const VisibleGrant found, FindGrant(desk_, officer, id));
  ASSIGN_OR_RETURN(const Withdrawal withdrawal, WithdrawalOf(part));
  const Moment moment = TakeMoment(desk_);
  // Taking back is as easy twice as once.
  if (IsRevoked(*found.entry, found.key))
    return OutcomeOf(moment, *found.entry, found.key);
  ASSIGN_OR_RETURN(const SigningKey key, desk_.keys.Signer());
  const GrantStep step{desk_, moment, key, officer};
  Consequences consequences;
  std::optional<GrantId> successor;
  const auto decide = [&](const Case* current) -> absl::StatusOr<CaseChange> {
    return Take(step, *current, found.id(), withdrawal, consequences,
                successor);
  };
  ASSIGN_OR_RETURN(const auto entry,
                   desk_.cases.Change(found.entry->state.case_id, decide));
  desk_.wake_courier();
  RevokeOutcome outcome = OutcomeOf(moment, found.id(), consequences);
  outcome.status =
      StatusAt(entry->state.authority.grants.at(found.key), moment.now);
  outcome.superseded_by = successor;
  return outcome;
}

}  // namespace amparo::agent

#include "agents/institution/core/grant_step.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "proto/content/case_state.h"

namespace amparo::agent {
namespace {

// Whether policy lets `to` have a slot of one of our documents.
bool MayHave(const GrantStep& step, const Authority& authority,
             const CaseEvent& event, const DocumentSent& sent, Slot slot) {
  const Transfer transfer{.sender = event.from,
                          .recipient = event.to,
                          .case_id = event.case_id,
                          .purpose = sent.purpose,
                          .first_contact = sent.first_contact};
  return MayShow(step.moment.charter(), authority, transfer, slot,
                 step.moment.now)
      .allowed();
}

struct Change {
  const GrantStep& step;
  const Case& entry;
  std::set<std::string> chain;  // ids of its grants
  Authority next;

  bool Lost(const CaseEvent& event, const DocumentSent& sent, Slot slot,
            const std::string& authority) const {
    return !MayHave(step, next, event, sent, slot) &&
           (chain.contains(authority) ||
            MayHave(step, entry.state.authority, event, sent, slot));
  }
  // Nothing of the document may go any more, and some of it could.
  bool LostWholly(const CaseEvent& event) const {
    const auto& sent = std::get<DocumentSent>(event.body);
    bool lost = false;
    for (const auto& [slot, authority] : sent.slots) {
      if (MayHave(step, next, event, sent, slot)) return false;
      lost = lost || Lost(event, sent, slot, authority);
    }
    return lost;
  }
};

bool IsErased(const Case& entry, const CaseEvent& event,
              const DocumentSent& sent, Slot slot) {
  const PeerReferral* referral = entry.state.Find(sent.referral_id, event.to);
  if (referral == nullptr) return false;
  const auto shared = referral->shared.find(slot);
  return shared != referral->shared.end() && shared->second.erased;
}

// Which grants a member was sent, by events that left for it.
void AddHolders(const Case& entry, const std::set<std::string>& chain,
                const CaseEvent& event,
                std::map<MemberId, std::set<GrantId>>& holders) {
  if (!HasLeft(entry, event)) return;
  const auto add = [&](const std::string& id) {
    if (!chain.contains(id)) return;
    if (const auto grant = GrantId::Parse(id); grant.ok())
      holders[event.to].insert(*grant);
  };
  if (const auto* sent = std::get_if<DocumentSent>(&event.body))
    for (const auto& [slot, authority] : sent->slots) add(authority);
  if (const auto* granted = std::get_if<Granted>(&event.body))
    add(granted->grant.id.text());
}

}  // namespace

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
                               .notice_hash = Sha256(record.form.notice),
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

absl::StatusOr<Consequences> ConsequencesOf(
    const GrantStep& step, const Case& entry,
    const std::vector<const HeldGrant*>& chain,
    const std::vector<CaseEvent>& notes, CaseChange& change) {
  const MemberId& self = step.desk.cases.self();
  std::vector<CaseEvent> events = entry.events;
  events.insert(events.end(), notes.begin(), notes.end());
  Change made{
      step, entry, {}, Fold(self, entry.state.case_id, events).authority};
  for (const HeldGrant* held : chain) made.chain.insert(held->grant.id.text());

  Consequences consequences;
  ASSIGN_OR_RETURN(
      consequences.taken,
      TakeBack(
          step.desk, step.moment, step.key, entry,
          [&](const CaseEvent& event) { return made.LostWholly(event); },
          Delivery::kFailed, "consent_revoked", change));
  for (const CaseEvent& event : entry.events) {
    if (event.from != self || event.to == self) continue;
    AddHolders(entry, made.chain, event, consequences.holders);
    const auto* sent = std::get_if<DocumentSent>(&event.body);
    if (sent == nullptr || !HasLeft(entry, event)) continue;
    for (const auto& [slot, authority] : sent->slots)
      if (!IsErased(entry, event, *sent, slot) &&
          made.Lost(event, *sent, slot, authority))
        consequences.lost[event.to].insert(slot);
  }
  return consequences;
}

}  // namespace amparo::agent

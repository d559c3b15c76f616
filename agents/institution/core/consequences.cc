#include "agents/institution/core/consequences.h"

#include <string>
#include <utility>

#include "base/status.h"
#include "proto/content/case_state.h"

namespace amparo::agent {
namespace {

// Everything that is asked before and after the change.
struct Comparison {
  const GrantStep& step;
  const Case& entry;
  std::set<GrantId> chain;
  std::set<GrantId> brought;  // by the notes, to whoever has one of the chain
  std::map<MemberId, std::set<GrantId>> sent;  // all grants a member has
  Authority next;

  bool EndsBy(const std::string& authority) const {
    for (const GrantId& id : chain)
      if (id.text() == authority) return true;
    return false;
  }
  bool HoldsOfChain(const MemberId& member) const;
  bool MayHave(const Authority& authority, const CaseEvent& event,
               Slot slot) const;
  // The part of `authority` that `member` can judge by.
  Authority KnownTo(const MemberId& member, Authority authority) const;
  bool IsErased(const CaseEvent& event, Slot slot) const;

  // Nothing of the document may go any more, and some of it could.
  bool LosesAll(const CaseEvent& event) const;
  // What the recipient of `event` has by it and may not keep.
  std::set<Slot> LostOf(const CaseEvent& event) const;
};

const DocumentSent& DocumentIn(const CaseEvent& event) {
  return std::get<DocumentSent>(event.body);
}

bool Comparison::HoldsOfChain(const MemberId& member) const {
  const auto held = sent.find(member);
  if (held == sent.end()) return false;
  for (const GrantId& id : held->second)
    if (chain.contains(id)) return true;
  return false;
}

bool Comparison::MayHave(const Authority& authority, const CaseEvent& event,
                         Slot slot) const {
  const DocumentSent& document = DocumentIn(event);
  const Transfer transfer{.sender = event.from,
                          .recipient = event.to,
                          .case_id = event.case_id,
                          .purpose = document.purpose,
                          .first_contact = document.first_contact};
  return MayShow(step.moment.charter(), authority, transfer, slot,
                 step.moment.now)
      .allowed();
}

Authority Comparison::KnownTo(const MemberId& member,
                              Authority authority) const {
  const auto held = sent.find(member);
  const bool gets = HoldsOfChain(member);
  std::erase_if(authority.grants, [&](const auto& grant) {
    const auto& [issuer, id] = grant.first;
    if (issuer != step.desk.cases.self()) return true;
    const bool known = held != sent.end() && held->second.contains(id);
    return !known && !(gets && brought.contains(id));
  });
  return authority;
}

bool Comparison::IsErased(const CaseEvent& event, Slot slot) const {
  const PeerReferral* referral =
      entry.state.Find(DocumentIn(event).referral_id, event.to);
  if (referral == nullptr) return false;
  const auto shared = referral->shared.find(slot);
  return shared != referral->shared.end() && shared->second.erased;
}

bool Comparison::LosesAll(const CaseEvent& event) const {
  bool loses = false;
  for (const auto& [slot, authority] : DocumentIn(event).slots) {
    if (MayHave(next, event, slot)) return false;
    loses = loses || EndsBy(authority) ||
            MayHave(entry.state.authority, event, slot);
  }
  return loses;
}

std::set<Slot> Comparison::LostOf(const CaseEvent& event) const {
  const Authority before = KnownTo(event.to, entry.state.authority);
  const Authority after = KnownTo(event.to, next);
  std::set<Slot> lost;
  for (const auto& [slot, authority] : DocumentIn(event).slots)
    if (!IsErased(event, slot) && !MayHave(after, event, slot) &&
        (EndsBy(authority) || MayHave(before, event, slot)))
      lost.insert(slot);
  return lost;
}

// Which grants members were sent, by events that left for them.
std::map<MemberId, std::set<GrantId>> GrantsSent(const Case& entry,
                                                 const MemberId& self) {
  std::map<MemberId, std::set<GrantId>> sent;
  for (const CaseEvent& event : entry.events) {
    if (event.from != self || event.to == self || !event.HasLeft()) continue;
    if (const auto* granted = std::get_if<Granted>(&event.body))
      sent[event.to].insert(granted->grant.id);
    const auto* document = std::get_if<DocumentSent>(&event.body);
    if (document == nullptr) continue;
    std::set<std::string> authorities = document->also_under;
    for (const auto& [slot, authority] : document->slots)
      authorities.insert(authority);
    for (const std::string& authority : authorities)
      if (const auto id = GrantId::Parse(authority); id.ok())
        sent[event.to].insert(*id);
  }
  return sent;
}

}  // namespace

absl::StatusOr<Consequences> ConsequencesOf(
    const GrantStep& step, const Case& entry,
    const std::vector<const HeldGrant*>& chain,
    const std::vector<CaseEvent>& notes, CaseChange& change) {
  const MemberId& self = step.desk.cases.self();
  std::vector<CaseEvent> events = entry.events;
  events.insert(events.end(), notes.begin(), notes.end());
  Comparison comparison{step,
                        entry,
                        {},
                        {},
                        GrantsSent(entry, self),
                        Fold(self, entry.state.case_id, events).authority};
  for (const HeldGrant* held : chain) comparison.chain.insert(held->grant.id);
  for (const CaseEvent& note : notes)
    if (const auto* granted = std::get_if<Granted>(&note.body))
      comparison.brought.insert(granted->grant.id);

  Consequences consequences;
  ASSIGN_OR_RETURN(
      consequences.taken,
      TakeBack(
          step.desk, step.moment, step.key, entry,
          [&](const CaseEvent& event) { return comparison.LosesAll(event); },
          Delivery::kFailed, "consent_revoked", change));
  for (const auto& [member, grants] : comparison.sent)
    for (const GrantId& id : grants)
      if (comparison.chain.contains(id))
        consequences.holders[member].insert(id);
  for (const CaseEvent& event : entry.events) {
    if (event.from != self || !consequences.holders.contains(event.to) ||
        !std::holds_alternative<DocumentSent>(event.body) || !event.HasLeft())
      continue;
    std::set<Slot> lost = comparison.LostOf(event);
    if (!lost.empty()) consequences.lost[event.to].merge(lost);
  }
  return consequences;
}

}  // namespace amparo::agent

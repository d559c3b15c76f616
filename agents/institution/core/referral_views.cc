#include "agents/institution/core/referral_views.h"

#include <algorithm>
#include <set>
#include <utility>

namespace amparo::agent {
namespace {

struct Verb {
  const char* name;
  ReferralStep step;
};
// A recipient that accepts a request to cancel confirms it.
constexpr Verb kVerbs[] = {{"accept", ReferralStep::kAccept},
                           {"accept", ReferralStep::kCancel},
                           {"decline", ReferralStep::kDecline},
                           {"close", ReferralStep::kComplete}};

bool IsAbout(const CaseEvent& event, const ReferralKey& key) {
  if (event.from != key.first && event.to != key.first) return false;
  if (const auto* sent = std::get_if<DocumentSent>(&event.body))
    return sent->referral_id == key.second;
  if (const auto* answered = std::get_if<Answered>(&event.body))
    return answered->referral_id == key.second;
  return false;
}

// The members and envelopes of a referral: receipts and consents name those.
struct Concerned {
  std::set<MemberId> peers;
  std::set<Digest> envelopes;

  bool Has(const CaseEvent& event) const {
    if (const auto* receipt = std::get_if<Acknowledged>(&event.body))
      return envelopes.contains(receipt->envelope);
    return peers.contains(event.from) || peers.contains(event.to);
  }
};

Concerned ConcernedBy(const Case& entry, const ReferralKey& key) {
  Concerned concerned;
  for (const auto& [place, referral] : entry.state.referrals)
    if (place.first == key.second && referral.sender == key.first)
      concerned.peers.insert(place.second);
  for (const CaseEvent& event : entry.events)
    if (event.envelope && IsAbout(event, key))
      concerned.envelopes.insert(*event.envelope);
  return concerned;
}

bool IsOther(const CaseEvent& event) {
  return !std::holds_alternative<DocumentSent>(event.body) &&
         !std::holds_alternative<Answered>(event.body);
}

}  // namespace

ReferralViews::ReferralViews(const Desk& desk, const Moment& moment)
    : desk_(desk), moment_(moment), zone_(absl::UTCTimeZone()) {
  absl::TimeZone zone;
  if (absl::LoadTimeZone(moment.charter().timezone, &zone)) zone_ = zone;
}

bool IsUnread(const PeerReferral& referral, const MemberId& self) {
  return referral.IsIncoming(self) && referral.delivery < Delivery::kOpened;
}

DueTimes ReferralViews::DueTimesFor(const PeerReferral& referral) const {
  return DueTimesOf(moment_.charter(), referral.priority, referral.created_at,
                    zone_);
}

bool ReferralViews::IsEmptied(const PeerReferral& referral) {
  return !referral.shared.empty() &&
         std::all_of(referral.shared.begin(), referral.shared.end(),
                     [](const auto& slot) { return slot.second.erased; });
}

ReferralRow ReferralViews::RowOf(const PeerReferral& referral) const {
  const MemberId& self = desk_.cases.self();
  const DueTimes due = DueTimesFor(referral);
  return {
      .referral_id = referral.referral_id,
      .case_id = referral.case_id,
      .incoming = referral.IsIncoming(self),
      .peer = referral.peer(self),
      .priority = referral.priority,
      .state = referral.state,
      .delivery = referral.delivery,
      .created_at = referral.created_at,
      .changed_at = referral.changed_at,
      .acknowledge_by = due.acknowledge_by,
      .decide_by = due.decide_by,
      .overdue = IsOverdue(referral.state, referral.delivery, due, moment_.now),
      .unread = IsUnread(referral, self),
      .emptied = IsEmptied(referral)};
}

RecipientState ReferralViews::StateOf(const PeerReferral& referral) const {
  const DueTimes due = DueTimesFor(referral);
  RecipientState state{
      .member = referral.recipient,
      .state = referral.state,
      .delivery = referral.delivery,
      .envelope_id = std::nullopt,
      .slots = {},
      .leaf = referral.leaf,
      .witnessed = referral.leaf && referral.leaf->value() <
                                    moment_.peers->witnessed_size.value(),
      .reason_code = referral.reason_code,
      .outcome = referral.outcome,
      .acknowledge_by = due.acknowledge_by,
      .decide_by = due.decide_by,
      .overdue = IsOverdue(referral.state, referral.delivery, due, moment_.now),
      .failure = referral.failure};
  // What was taken back or never left is not shared.
  if (referral.delivery < Delivery::kRecalled)
    for (const auto& [slot, shared] : referral.shared)
      if (!shared.erased && shared.reached) state.slots.push_back(slot);
  if (referral.envelope)
    if (const auto sent = desk_.outbox.SentAs(*referral.envelope); sent.ok())
      state.envelope_id = sent->envelope_id;
  return state;
}

std::vector<RecipientState> ReferralViews::StatesOf(
    const Case& entry, const ReferralKey& key) const {
  std::vector<RecipientState> states;
  for (const PeerReferral* referral : entry.state.FindAll(key))
    states.push_back(StateOf(*referral));
  return states;
}

std::vector<std::string> ReferralViews::NextOf(
    const PeerReferral& referral) const {
  std::vector<std::string> verbs;
  for (const Verb& verb : kVerbs)
    if (Next(referral.state, verb.step, Actor::kRecipient).ok())
      verbs.push_back(verb.name);
  return verbs;
}

absl::Time ReferralViews::DueOf(const PeerReferral& referral) const {
  if (referral.state != ReferralState::kSent &&
      referral.state != ReferralState::kReceived)
    return kNoTime;
  const DueTimes due = DueTimesFor(referral);
  return referral.delivery < Delivery::kOpened ? due.acknowledge_by
                                               : due.decide_by;
}

std::vector<EventView> EventsOf(const Case& entry,
                                const std::optional<ReferralKey>& referral) {
  const Concerned concerned =
      referral ? ConcernedBy(entry, *referral) : Concerned();
  std::vector<EventView> views;
  std::set<EventId> seen;
  for (const CaseEvent& event : entry.events) {
    const std::string kind(KindNameOf(event));
    if (kind.empty()) continue;  // a note of this agent's alone
    if (referral && !IsAbout(event, *referral) &&
        !(IsOther(event) && concerned.Has(event)))
      continue;
    if (!seen.insert(event.id).second) continue;
    views.push_back({event.id, kind, event.from, event.at, event.leaf});
  }
  return views;
}

}  // namespace amparo::agent

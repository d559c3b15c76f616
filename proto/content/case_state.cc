#include "proto/content/case_state.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "proto/content/case_authority.h"

namespace amparo {
namespace {

using Recipient = std::pair<EventId, MemberId>;  // of an event

// The log's order; what is not logged yet comes after, as given.
std::vector<const CaseEvent*> InOrder(const std::vector<CaseEvent>& events) {
  std::vector<const CaseEvent*> ordered;
  for (const CaseEvent& event : events) ordered.push_back(&event);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const CaseEvent* a, const CaseEvent* b) {
                     const auto first = a->Place(), second = b->Place();
                     if (first && second) return *first < *second;
                     return first.has_value() && !second.has_value();
                   });
  return ordered;
}

ReferralStep StepOf(const Answered& answer) {
  switch (answer.kind) {
    case EventKind::kAccepted:
      return ReferralStep::kAccept;
    case EventKind::kDeclined:
      return ReferralStep::kDecline;
    case EventKind::kCancelRequested:
      return ReferralStep::kRequestCancel;
    case EventKind::kCancelled:
      return ReferralStep::kCancel;
    default:
      return MeansNotCompleted(answer.code) ? ReferralStep::kNotComplete
                                            : ReferralStep::kComplete;
  }
}

class Folding {
 public:
  Folding(const MemberId& self, const CaseId& case_id,
          const std::vector<CaseEvent>& events)
      : self_(self), state_{.case_id = case_id} {
    for (const CaseEvent& event : events) {
      if (event.envelope)
        carried_.emplace(*event.envelope, Recipient{event.id, event.to});
      for (const Digest& envelope : event.earlier)
        carried_.emplace(envelope, Recipient{event.id, event.to});
      if (const auto* note = std::get_if<DeliveryNoted>(&event.body))
        notes_.emplace(Recipient{note->event_id, event.to}, &event);
    }
    for (const CaseEvent& event : events) NoteWord(event);
    for (const CaseEvent* event : InOrder(events)) Take(*event);
    SettleStatuses(state_);
  }

  CaseState Finish() { return std::move(state_); }

 private:
  void Take(const CaseEvent& event) {
    if (std::holds_alternative<DeliveryNoted>(event.body)) return;
    if (!seen_.emplace(event.id, event.from, event.to).second) return;
    if (!state_.opener) {
      state_.opener = event.from;
      state_.opened_at = event.at;
    }
    state_.changed_at = std::max(state_.changed_at, event.at);
    state_.parties.insert(event.from);
    state_.parties.insert(event.to);
    std::visit([&](const auto& body) { Apply(event, body); }, event.body);
  }

  // What its recipient says of an envelope, or in answer to a referral: it has
  // it, whatever the broker said.
  void NoteWord(const CaseEvent& event) {
    if (const auto* receipt = std::get_if<Acknowledged>(&event.body)) {
      const auto about = carried_.find(receipt->envelope);
      if (about != carried_.end() && about->second.second == event.from)
        has_.insert(about->second);
    }
    if (const auto* answer = std::get_if<Answered>(&event.body))
      answered_.emplace(answer->referral_id, event.from);
    if (const auto* note = std::get_if<DeliveryNoted>(&event.body);
        note != nullptr && note->delivery == Delivery::kDelivered)
      has_.emplace(note->event_id, event.to);
  }

  bool Has(const CaseEvent& event, const DocumentSent& body) const {
    return has_.contains({event.id, event.to}) ||
           (body.kind == EventKind::kReferral &&
            answered_.contains({body.referral_id, event.to}));
  }

  const MemberId& PeerOf(const CaseEvent& event) const {
    return event.from == self_ ? event.to : event.from;
  }

  PeerReferral* Find(const ReferralId& id, const MemberId& peer) {
    const auto found = state_.referrals.find({id, peer});
    return found == state_.referrals.end() ? nullptr : &found->second;
  }

  // A referral begins with whichever of its documents is here.
  PeerReferral& Begin(const CaseEvent& event, const DocumentSent& body) {
    PeerReferral referral{.referral_id = body.referral_id,
                          .case_id = event.case_id,
                          .sender = event.from,
                          .recipient = event.to,
                          .priority = body.priority,
                          .purpose = body.purpose,
                          .first_contact = body.first_contact,
                          .created_at = event.at,
                          .changed_at = event.at,
                          .event_id = event.id,
                          .begun_late = body.kind != EventKind::kReferral,
                          .leaf = event.leaf,
                          .envelope = event.envelope};
    if (referral.IsIncoming(self_)) {
      referral.state = ReferralState::kReceived;
      referral.delivery = Delivery::kDelivered;
    } else if (event.leaf) {
      referral.delivery = Delivery::kSubmitted;
    }
    PeerReferral& begun =
        state_.referrals
            .emplace(std::pair(body.referral_id, PeerOf(event)),
                     std::move(referral))
            .first->second;
    const auto [first, last] = notes_.equal_range({event.id, event.to});
    const bool has = Has(event, body);
    for (auto note = first; note != last; ++note) {
      const auto& noted = std::get<DeliveryNoted>(note->second->body);
      // Its recipient signed that it came: so it was not taken back or lost.
      if (has && noted.delivery >= Delivery::kRecalled) continue;
      Note(noted, note->second->at, begun);
    }
    return begun;
  }

  void Apply(const CaseEvent& event, const DocumentSent& body) {
    for (const Grant& grant : body.grants) AddGrant(grant, state_);
    for (const WithoutConsent& basis : body.bases) AddBasis(basis, state_);
    PeerReferral* referral = Find(body.referral_id, PeerOf(event));
    const bool first = body.kind == EventKind::kReferral;
    if (referral != nullptr &&
        (referral->sender != event.from || (first && !referral->begun_late)))
      return state_.ignored.push_back(event.id);
    if (referral == nullptr) referral = &Begin(event, body);
    std::vector<Digest>& documents = referral->documents;
    const bool known = std::find(documents.begin(), documents.end(),
                                 body.document) != documents.end();
    // The referral itself is the oldest, even when it was sent again later.
    if (!known)
      documents.insert(first ? documents.begin() : documents.end(),
                       body.document);
    if (first) {
      referral->event_id = event.id;
      referral->begun_late = false;
    }
    if (body.kind == EventKind::kUpdated) referral->priority = body.priority;
    for (const auto& [slot, authority] : body.slots)
      Share(event, body, slot, authority,
            known || body.kind != EventKind::kDisclosed, *referral);
  }

  // Whether the recipient has it, or may still get it.
  bool Reached(const CaseEvent& event, const DocumentSent& body) const {
    if (Has(event, body)) return true;
    const auto [first, last] = notes_.equal_range({event.id, event.to});
    return std::none_of(first, last, [](const auto& note) {
      return std::get<DeliveryNoted>(note.second->body).delivery >=
             Delivery::kRecalled;
    });
  }

  void Share(const CaseEvent& event, const DocumentSent& body, Slot slot,
             const std::string& authority, bool fits, PeerReferral& referral) {
    const auto age = [&](const Digest& document) {
      return std::find(referral.documents.begin(), referral.documents.end(),
                       document);
    };
    const auto before = body.went_before.find(slot);
    SharedSlot shared{
        .event_id = event.id,
        .shared_at = event.at,
        .authority = authority,
        .document = body.document,
        .fits_first_digest = fits,
        .leaf = before == body.went_before.end() ? event.leaf : before->second,
        .reached = Reached(event, body)};
    const auto held = referral.shared.find(slot);
    // What did not come leaves the recipient with what it has.
    if (held != referral.shared.end() && !shared.reached) return;
    if (held != referral.shared.end() && held->second.reached) {
      // An older document that comes late does not hide a newer value.
      if (age(body.document) < age(held->second.document)) {
        if (body.kind == EventKind::kReferral) ++held->second.version;
        return;
      }
      shared.version = held->second.version +
                       (body.document == held->second.document ? 0 : 1);
    }
    referral.shared.insert_or_assign(slot, std::move(shared));
  }

  void Apply(const CaseEvent& event, const Granted& body) {
    AddGrant(body.grant, state_);
    AskToErase(event, body.grant.digest, body.withdrawn);
  }

  void Apply(const CaseEvent& event, const Revoked& body) {
    state_.revoked.emplace(std::pair(body.grant, event.from), body.revoked_by);
    AskToErase(event, body.grant, body.withdrawn);
  }

  void AskToErase(const CaseEvent& event, const Digest& grant,
                  const std::set<Slot>& slots) {
    if (event.from != self_ || event.to == self_ || slots.empty()) return;
    state_.erasures.push_back({.member = event.to,
                               .grant = grant,
                               .slots = slots,
                               .asked_at = event.at,
                               .answer = {},
                               .legal_basis = {},
                               .answered_at = {}});
  }

  void Apply(const CaseEvent& event, const Erased& body) {
    bool asked = event.from == self_;
    for (AskedErasure& erasure : state_.erasures) {
      if (erasure.member != event.from || erasure.grant != body.grant) continue;
      asked = true;
      // What is gone is not kept after all.
      if (erasure.answer == ErasureAnswer::kDeleted) continue;
      erasure.answer = body.answer;
      erasure.legal_basis = body.legal_basis;
      erasure.answered_at = event.at;
    }
    // Who says so before it is asked would be asked for less.
    if (!asked) return state_.ignored.push_back(event.id);
    if (body.answer != ErasureAnswer::kDeleted) return;
    for (auto& [key, referral] : state_.referrals) {
      if (referral.recipient != event.from || referral.sender != event.to)
        continue;
      for (auto& [slot, shared] : referral.shared)
        if (body.slots.contains(slot) && WasThere(shared, event))
          shared.erased = true;
    }
  }

  // What was sent again since, under another consent, was not erased.
  static bool WasThere(const SharedSlot& shared, const CaseEvent& erased) {
    return !erased.leaf || (shared.leaf && *shared.leaf < *erased.leaf);
  }

  void Apply(const CaseEvent& event, const Answered& body) {
    PeerReferral* referral = Find(body.referral_id, PeerOf(event));
    if (referral == nullptr) return state_.ignored.push_back(event.id);
    const Actor actor =
        event.from == referral->sender ? Actor::kSender : Actor::kRecipient;
    // Whoever answers has received, and who asks to cancel could not recall,
    // whether or not the receipt is here yet.
    if (referral->state == ReferralState::kSent)
      Step(ReferralStep::kDeliver, Actor::kRecipient, event.at, *referral);
    if (!Step(StepOf(body), actor, event.at, *referral))
      return state_.ignored.push_back(event.id);
    if (body.kind == EventKind::kDeclined) referral->reason_code = body.code;
    if (body.kind == EventKind::kClosed) referral->outcome = body.code;
  }

  void Apply(const CaseEvent& event, const Acknowledged& body) {
    const auto about = carried_.find(body.envelope);
    if (about == carried_.end() || body.kind != EventKind::kOpened) return;
    for (auto& [key, referral] : state_.referrals) {
      if (referral.event_id != about->second.first ||
          referral.recipient != about->second.second ||
          referral.recipient != event.from)
        continue;
      if (referral.state == ReferralState::kSent)
        Step(ReferralStep::kDeliver, Actor::kRecipient, event.at, referral);
      Raise(Delivery::kOpened, referral);
    }
  }

  void Apply(const CaseEvent&, const DeliveryNoted&) {}  // taken in Begin

  void Note(const DeliveryNoted& note, absl::Time at, PeerReferral& referral) {
    Raise(note.delivery, referral);
    if (note.delivery == Delivery::kDelivered)
      Step(ReferralStep::kDeliver, Actor::kRecipient, at, referral);
    if (note.delivery == Delivery::kRecalled) TakeBack(at, referral);
    if (note.delivery != Delivery::kFailed) return;
    referral.failure = note.code;
    if (note.code != "timed_out")
      Step(ReferralStep::kFail, Actor::kSystem, at, referral);
    else if (MayExpire(referral.priority))
      Step(ReferralStep::kExpire, Actor::kSystem, at, referral);
  }

  // Its recipient, too, may learn of it: that it came nobody else knew.
  void TakeBack(absl::Time at, PeerReferral& referral) {
    if (!referral.IsIncoming(self_)) {
      Step(ReferralStep::kRecall, Actor::kSender, at, referral);
    } else if (referral.state == ReferralState::kReceived) {
      referral.state = ReferralState::kCancelled;
      referral.changed_at = std::max(referral.changed_at, at);
    }
  }

  static void Raise(Delivery delivery, PeerReferral& referral) {
    referral.delivery = std::max(referral.delivery, delivery);
  }

  // Whether the table has the step.
  static bool Step(ReferralStep step, Actor actor, absl::Time at,
                   PeerReferral& referral) {
    const auto next = Next(referral.state, step, actor);
    if (!next.ok()) return false;
    referral.state = *next;
    referral.changed_at = std::max(referral.changed_at, at);
    if (step == ReferralStep::kDeliver) Raise(Delivery::kDelivered, referral);
    return true;
  }

  const MemberId& self_;
  CaseState state_;
  std::set<std::tuple<EventId, MemberId, MemberId>> seen_;
  std::map<Digest, Recipient> carried_;  // which event an envelope carried
  std::multimap<Recipient, const CaseEvent*> notes_;
  std::set<Recipient> has_;  // whose recipient said so
  std::set<std::pair<ReferralId, MemberId>> answered_;  // and by whom
};

}  // namespace

const std::string* CaseState::Revocation(const Grant& grant) const {
  const auto found = revoked.find({grant.digest, grant.issuer});
  return found == revoked.end() ? nullptr : &found->second;
}

const PeerReferral* CaseState::Find(const ReferralId& id,
                                    const MemberId& peer) const {
  const auto found = referrals.find({id, peer});
  return found == referrals.end() ? nullptr : &found->second;
}

std::vector<const PeerReferral*> CaseState::FindAll(
    const ReferralKey& key) const {
  std::vector<const PeerReferral*> all;
  for (const auto& [place, referral] : referrals)
    if (place.first == key.second && referral.sender == key.first)
      all.push_back(&referral);
  return all;
}

CaseState Fold(const MemberId& self, const CaseId& case_id,
               const std::vector<CaseEvent>& events) {
  return Folding(self, case_id, events).Finish();
}

}  // namespace amparo

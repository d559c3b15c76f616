#include "agents/institution/core/take_back.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/status.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/recall.h"

namespace amparo::agent {
namespace {

using Way = std::pair<EventId, MemberId>;  // of an event to a member

bool IsDocument(const CaseEvent& event, const MemberId& self) {
  return event.from == self && std::holds_alternative<DocumentSent>(event.body);
}

absl::StatusOr<std::map<Way, Draft>> DraftsOf(const Desk& desk,
                                              const CaseId& case_id) {
  ASSIGN_OR_RETURN(std::vector<Draft> drafts, desk.outbox.Drafts());
  std::map<Way, Draft> by_way;
  for (Draft& draft : drafts)
    if (draft.case_id == case_id)
      by_way.insert_or_assign({draft.event_id, draft.recipient}, draft);
  return by_way;
}

// An envelope that may lie at the broker.
struct AtBroker {
  Digest digest;
  EnvelopeId id;
};

// Sealed, and the broker's answer not here yet.
absl::StatusOr<std::optional<AtBroker>> UnderWay(const Desk& desk,
                                                 const CaseEvent& event) {
  ASSIGN_OR_RETURN(const auto under_way, desk.outbox.UnderWay(event.to));
  if (!under_way || under_way->draft.event_id != event.id)
    return std::optional<AtBroker>();
  return std::optional<AtBroker>({EnvelopeDigest(under_way->envelope),
                                  under_way->envelope.header.envelope_id});
}

// What was submitted of it, all of it: an envelope that was sealed anew, as the
// first did not come, may find that one there after all.
absl::StatusOr<std::vector<AtBroker>> Submitted(const Desk& desk,
                                                const CaseEvent& event) {
  ASSIGN_OR_RETURN(std::vector<Digest> digests,
                   desk.outbox.EnvelopesOf(event.id, event.to));
  if (event.envelope && std::find(digests.begin(), digests.end(),
                                  *event.envelope) == digests.end())
    digests.push_back(*event.envelope);
  std::vector<AtBroker> submitted;
  for (const Digest& digest : digests) {
    const auto sent = desk.outbox.SentAs(digest);
    if (absl::IsNotFound(sent.status())) continue;
    RETURN_IF_ERROR(sent.status());
    submitted.push_back({digest, sent->envelope_id});
  }
  return submitted;
}

// A draft that is not sent: noted. What never left does not count as shared.
void Drop(const Desk& desk, const Moment& moment, const CaseEvent& event,
          const Draft& draft, Delivery delivery, const std::string& code,
          CaseChange& change) {
  desk.outbox.Remove(draft, change.rows);
  if (!event.HasLeft()) {
    CaseEvent emptied = event;
    std::get<DocumentSent>(emptied.body).slots.clear();
    change.events.push_back(std::move(emptied));
  }
  change.events.push_back(DeliveryNote(event.case_id, event.id, event.from,
                                       event.to, delivery, code, moment.now));
}

}  // namespace

bool HasArrived(Delivery delivery) {
  return delivery >= Delivery::kDelivered && delivery < Delivery::kRecalled;
}

CaseEvent DeliveryNote(const CaseId& case_id, const EventId& event,
                       const MemberId& self, const MemberId& recipient,
                       Delivery delivery, absl::string_view code,
                       absl::Time at) {
  return {.id = EventId::New(),
          .case_id = case_id,
          .from = self,
          .to = recipient,
          .at = at,
          .leaf = std::nullopt,
          .envelope = std::nullopt,
          .body = DeliveryNoted{event, delivery, std::string(code)}};
}

const CaseEvent* EventOf(const Case& entry, const Draft& draft) {
  const auto event = std::find_if(
      entry.events.begin(), entry.events.end(), [&](const CaseEvent& one) {
        return one.id == draft.event_id && one.to == draft.recipient &&
               !std::holds_alternative<DeliveryNoted>(one.body);
      });
  return event == entry.events.end() ? nullptr : &*event;
}

Delivery DeliveryOf(const Case& entry, const CaseEvent& event) {
  const auto* document = std::get_if<DocumentSent>(&event.body);
  Delivery delivery = Delivery::kQueued;
  std::optional<Delivery> ended;
  bool has = false;  // its recipient says so
  for (const CaseEvent& other : entry.events) {
    if (const auto* note = std::get_if<DeliveryNoted>(&other.body);
        note != nullptr && note->event_id == event.id && other.to == event.to) {
      // An officer's act says more than what became of it.
      if (note->delivery >= Delivery::kRecalled)
        ended = std::min(ended.value_or(note->delivery), note->delivery);
      else
        delivery = std::max(delivery, note->delivery);
      has = has || note->delivery == Delivery::kDelivered;
    }
    if (other.from != event.to) continue;
    if (const auto* receipt = std::get_if<Acknowledged>(&other.body);
        receipt != nullptr && event.WentIn(receipt->envelope)) {
      has = true;
      if (receipt->kind == EventKind::kOpened)
        delivery = std::max(delivery, Delivery::kOpened);
    }
    if (const auto* answer = std::get_if<Answered>(&other.body);
        answer != nullptr && document != nullptr &&
        document->kind == EventKind::kReferral &&
        answer->referral_id == document->referral_id)
      has = true;
  }
  // Who has it knows better than who said that it would not come.
  if (has) return std::max(delivery, Delivery::kDelivered);
  return ended.value_or(delivery);
}

absl::StatusOr<TakenBack> TakeBack(
    const Desk& desk, const Moment& moment, const SigningKey& key,
    const Case& entry, const std::function<bool(const CaseEvent&)>& concerns,
    Delivery delivery, const std::string& code, CaseChange& change) {
  const MemberId& self = desk.cases.self();
  ASSIGN_OR_RETURN(const auto drafts, DraftsOf(desk, entry.state.case_id));
  TakenBack taken;
  for (const CaseEvent& event : entry.events) {
    if (!IsDocument(event, self) || !concerns(event) ||
        DeliveryOf(entry, event) == Delivery::kRecalled ||
        HasArrived(DeliveryOf(entry, event)))
      continue;
    const Way way{event.id, event.to};
    ASSIGN_OR_RETURN(std::vector<AtBroker> envelopes, Submitted(desk, event));
    ASSIGN_OR_RETURN(const auto under_way, UnderWay(desk, event));
    if (under_way) envelopes.push_back(*under_way);
    if (const auto draft = drafts.find(way);
        !under_way && draft != drafts.end()) {
      // To be sent once more: the recalls say what became of it.
      if (!envelopes.empty()) {
        desk.outbox.Remove(draft->second, change.rows);
      } else {
        Drop(desk, moment, event, draft->second, delivery, code, change);
        taken.dropped.insert(way);
      }
    }
    desk.outbox.PutWithdrawn(event.id, event.to, change.rows);
    for (const AtBroker& envelope : envelopes) {
      const Recall recall{.net = moment.net(),
                          .sender = self,
                          .envelope_id = envelope.id,
                          .digest = envelope.digest,
                          .at = moment.now};
      desk.outbox.AddRecall({envelope.digest, SignRecall(recall, key)},
                            change.rows);
      taken.recalling.insert(way);
      taken.envelopes.push_back(envelope.id);
    }
  }
  return taken;
}

}  // namespace amparo::agent

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

absl::StatusOr<std::optional<AtBroker>> Submitted(const Desk& desk,
                                                  const CaseEvent& event) {
  if (!event.envelope) return std::optional<AtBroker>();
  const auto sent = desk.outbox.SentAs(*event.envelope);
  if (absl::IsNotFound(sent.status())) return std::optional<AtBroker>();
  RETURN_IF_ERROR(sent.status());
  return std::optional<AtBroker>({*event.envelope, sent->envelope_id});
}

// A draft that never left: noted, and nothing counts as shared by it.
void Drop(const Desk& desk, const Moment& moment, const CaseEvent& event,
          const Draft& draft, Delivery delivery, const std::string& code,
          CaseChange& change) {
  desk.outbox.Remove(draft, change.rows);
  CaseEvent emptied = event;
  std::get<DocumentSent>(emptied.body).slots.clear();
  change.events.push_back(std::move(emptied));
  change.events.push_back({.id = EventId::New(),
                           .case_id = event.case_id,
                           .from = event.from,
                           .to = event.to,
                           .at = moment.now,
                           .leaf = std::nullopt,
                           .envelope = std::nullopt,
                           .body = DeliveryNoted{event.id, delivery, code}});
}

}  // namespace

bool HasLeft(const Case& entry, const CaseEvent& event) {
  return event.envelope.has_value() &&
         DeliveryOf(entry, event) < Delivery::kRecalled;
}

Delivery DeliveryOf(const Case& entry, const CaseEvent& event) {
  Delivery delivery = Delivery::kQueued;
  for (const CaseEvent& other : entry.events) {
    if (const auto* note = std::get_if<DeliveryNoted>(&other.body);
        note != nullptr && note->event_id == event.id && other.to == event.to)
      delivery = std::max(delivery, note->delivery);
    if (const auto* receipt = std::get_if<Acknowledged>(&other.body);
        receipt != nullptr && receipt->kind == EventKind::kOpened &&
        other.from == event.to && event.envelope == receipt->envelope)
      delivery = std::max(delivery, Delivery::kOpened);
  }
  return delivery;
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
        DeliveryOf(entry, event) >= Delivery::kDelivered)
      continue;
    const Way way{event.id, event.to};
    ASSIGN_OR_RETURN(auto envelope, UnderWay(desk, event));
    if (const auto draft = drafts.find(way);
        !envelope && draft != drafts.end()) {
      Drop(desk, moment, event, draft->second, delivery, code, change);
      taken.dropped.insert(way);
    }
    if (!envelope) {
      ASSIGN_OR_RETURN(envelope, Submitted(desk, event));
    }
    if (!envelope) continue;
    const Recall recall{.net = moment.net(),
                        .sender = self,
                        .envelope_id = envelope->id,
                        .digest = envelope->digest,
                        .at = moment.now};
    desk.outbox.AddRecall({envelope->digest, SignRecall(recall, key)},
                          change.rows);
    taken.recalling.insert(way);
    taken.envelopes.push_back(envelope->id);
  }
  return taken;
}

}  // namespace amparo::agent

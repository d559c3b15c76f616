#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "crypto/keys.h"
#include "proto/content/case_event.h"

namespace amparo::agent {

// What the transport knows of an own event on its way to `event.to`.
Delivery DeliveryOf(const Case& entry, const CaseEvent& event);

// Its recipient has it.
bool HasArrived(Delivery delivery);

// What this agent notes, at `at`, of the event's way to `recipient`.
CaseEvent DeliveryNote(const CaseId& case_id, const EventId& event,
                       const MemberId& self, const MemberId& recipient,
                       Delivery delivery, absl::string_view code,
                       absl::Time at);

// The own event that `draft` is to bring, or brought, to its recipient; null
// when the case has none.
const CaseEvent* EventOf(const Case& entry, const Draft& draft);

// Own document events that have not reached their recipient.
struct TakenBack {
  std::set<std::pair<EventId, MemberId>> dropped;  // never left this agent
  // At the broker: recalls were queued, and may come too late.
  std::set<std::pair<EventId, MemberId>> recalling;
  std::vector<EnvelopeId> envelopes;  // of those

  bool Has(const CaseEvent& event) const {
    return dropped.contains({event.id, event.to}) ||
           recalling.contains({event.id, event.to});
  }
};

// Adds to `change` what takes back each undelivered document event of the case
// that `concerns` names: its draft goes, with a note that says `delivery` and
// `code`; an envelope is recalled, and noted when the broker confirms it.
absl::StatusOr<TakenBack> TakeBack(
    const Desk& desk, const Moment& moment, const SigningKey& key,
    const Case& entry, const std::function<bool(const CaseEvent&)>& concerns,
    Delivery delivery, const std::string& code, CaseChange& change);

}  // namespace amparo::agent

#include <algorithm>
#include <optional>
#include <utility>

#include "agents/institution/core/courier.h"
#include "agents/institution/core/referral_event.h"
#include "agents/institution/core/sealing.h"
#include "agents/institution/core/take_back.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/recall.h"

// What was taken back: asking the broker for it, and what became of that.

namespace amparo::agent {
namespace {

// Ran out on its way, which ends only what may end so: else it goes again when
// its recipient asks.
bool OnlyRanOut(const Case& entry, const CaseEvent& event) {
  const auto& sent = std::get<DocumentSent>(event.body);
  const PeerReferral* referral = entry.state.Find(sent.referral_id, event.to);
  if (referral == nullptr || MayExpire(referral->priority)) return false;
  return std::all_of(
      entry.events.begin(), entry.events.end(), [&](const CaseEvent& other) {
        const auto* note = std::get_if<DeliveryNoted>(&other.body);
        return note == nullptr || note->event_id != event.id ||
               other.to != event.to || note->delivery < Delivery::kRecalled ||
               note->code == "timed_out";
      });
}

}  // namespace

absl::Status Courier::NoteRecalled(const Draft& draft, Batch rows) {
  return books_.cases
      .Change(*draft.case_id,
              [&](const Case* entry) -> absl::StatusOr<CaseChange> {
                CaseChange change{{}, {}, std::move(rows)};
                const CaseEvent* const event = EventOf(*entry, draft);
                const Delivery delivery = event == nullptr
                                              ? Delivery::kRecalled
                                              : DeliveryOf(*entry, *event);
                if (delivery != Delivery::kRecalled && !HasArrived(delivery))
                  change.events.push_back(NoteOf(draft,
                                                 Delivery::kRecalled, "",
                                                 books_.clock.Now()));
                return change;
              })
      .status();
}

absl::StatusOr<bool> Courier::DropWithdrawn(const Draft& draft, const Case* entry,
                                            CaseChange& change) const {
  if (entry == nullptr || !CarriesSections(draft.kind)) return false;
  const CaseEvent* const event = EventOf(*entry, draft);
  if (event == nullptr) return false;
  const Delivery delivery = DeliveryOf(*entry, *event);
  ASSIGN_OR_RETURN(const bool withdrawn,
                   books_.outbox.IsWithdrawn(draft.event_id, draft.recipient));
  const bool undelivered = delivery < Delivery::kDelivered;
  const bool ended = delivery >= Delivery::kRecalled &&
                     (withdrawn || !OnlyRanOut(*entry, *event));
  if (!ended && !(withdrawn && undelivered)) return false;
  books_.outbox.Remove(draft, change.rows);
  // While a recall is out, its answer says what became of it.
  ASSIGN_OR_RETURN(const auto recalls, books_.outbox.Recalls());
  const bool asked =
      std::any_of(recalls.begin(), recalls.end(), [&](const auto& recall) {
        return recall.envelope == event->envelope;
      });
  if (undelivered && !asked)
    change.events.push_back(NoteOf(draft, Delivery::kRecalled,
                                   "", books_.clock.Now()));
  return true;
}

absl::StatusOr<LeafReceipt> Courier::Recall(Outbox::PendingRecall recall) {
  if (!books_.log.MayGive()) return NotFollowed();
  auto receipt = books_.broker.Recall(recall.token);
  if (!absl::IsPermissionDenied(receipt.status()) ||
      ErrorCodeOf(receipt.status()) == "member_suspended")
    return receipt;
  // Signed by a key that ended since: once more, by the one in force.
  const auto signer = books_.keys.Signer();
  if (!signer.ok()) return receipt;
  const VerifyKey key = signer->verify_key();
  const auto by_it = VerifyRecall(
      recall.token, [&key](const Digest& kid) -> absl::StatusOr<VerifyKey> {
        if (kid == key.Thumbprint()) return key;
        return absl::NotFoundError("another key");
      });
  if (by_it.ok()) return receipt;
  ASSIGN_OR_RETURN(amparo::Recall again, PeekRecall(recall.token));
  again.at = books_.clock.Now();
  recall.token = SignRecall(again, *signer);
  Batch rows;
  books_.outbox.AddRecall(recall, rows);
  RETURN_IF_ERROR(books_.kv.Write(rows));
  return books_.broker.Recall(recall.token);
}

absl::StatusOr<bool> Courier::TakenBack(const InFlight& in_flight) {
  const Digest digest = EnvelopeDigest(in_flight.envelope);
  ASSIGN_OR_RETURN(const auto recalls, books_.outbox.Recalls());
  const auto recall = std::find_if(recalls.begin(), recalls.end(), [&](const auto& r) {
    return r.envelope == digest;
  });
  if (recall == recalls.end()) return false;
  Batch rows;
  const auto receipt = Recall(*recall);
  if (receipt.ok()) {
    RETURN_IF_ERROR(KeepRecalled(digest, *receipt, rows));
  } else if (IsTransient(receipt.status()) ||
             absl::IsPermissionDenied(receipt.status())) {
    return receipt.status();  // and it is not sent meanwhile
  } else if (!absl::IsNotFound(receipt.status())) {
    return false;  // delivered: submitting again gets the first answer
  }
  books_.outbox.RemoveRecall(digest, rows);
  books_.outbox.Remove(in_flight.draft, rows);
  books_.outbox.ClearUnderWay(in_flight.draft.recipient, rows);
  RETURN_IF_ERROR(NoteRecalled(in_flight.draft, std::move(rows)));
  return true;
}

// The token that the broker took: it may have been signed anew.
absl::Status Courier::KeepRecalled(const Digest& envelope, const LeafReceipt& receipt,
                                   Batch& rows) const {
  ASSIGN_OR_RETURN(const auto recalls, books_.outbox.Recalls());
  for (const Outbox::PendingRecall& recall : recalls)
    if (recall.envelope == envelope)
      return books_.promises.Keep(
          receipt, EncodeAuditEvent(RecallEvent{recall.token}), rows);
  return absl::OkStatus();
}

absl::Status Courier::AskToCancel() {
  ASSIGN_OR_RETURN(const auto all, books_.outbox.CancelsDue());
  for (const Outbox::CancelDue& due : all) {
    const auto known = books_.cases.Find(due.case_id);
    const PeerReferral* referral =
        known ? known->state.Find(due.referral, due.recipient) : nullptr;
    const bool came =
        referral != nullptr &&
        Next(referral->state, ReferralStep::kRequestCancel, Actor::kSender)
            .ok();
    const bool over = books_.time.Now() >= due.until;
    const auto signer = books_.keys.Signer();
    if (came && !signer.ok()) continue;
    if (!came && !over) continue;
    const auto ask = [&](const Case* entry) -> absl::StatusOr<CaseChange> {
      CaseChange change;
      books_.outbox.RemoveCancelDue(due, change.rows);
      const PeerReferral* now =
          entry ? entry->state.Find(due.referral, due.recipient) : nullptr;
      if (came && now != nullptr &&
          Next(now->state, ReferralStep::kRequestCancel, Actor::kSender).ok())
        RETURN_IF_ERROR(AddReferralEvent(
            books_.outbox, *signer, books_.peers.Now()->charter.network_id,
            TimeFromUnix(UnixSeconds(books_.clock.Now())), books_.keys.self(),
            *now, EventKind::kCancelRequested, "", EventId::New(), change));
      return change;
    };
    RETURN_IF_ERROR(books_.cases.Change(due.case_id, ask).status());
  }
  return absl::OkStatus();
}

absl::Status Courier::TakeRecalls() {
  ASSIGN_OR_RETURN(const auto recalls, books_.outbox.Recalls());
  for (const Outbox::PendingRecall& recall : recalls) {
    ASSIGN_OR_RETURN(const bool under_way,
                     books_.outbox.IsUnderWay(recall.envelope));
    if (under_way) continue;  // before it is submitted once more
    const auto receipt = Recall(recall);
    if (IsTransient(receipt.status())) return receipt.status();
    // Of a member that is suspended, say: it may come back, and the envelope
    // lies there until then.
    if (absl::IsPermissionDenied(receipt.status())) continue;
    const auto sent = books_.outbox.SentAs(recall.envelope);
    if (!sent.ok() && !absl::IsNotFound(sent.status())) return sent.status();
    const bool of_case = sent.ok() && sent->draft.case_id.has_value();
    // A broker that was rebuilt has the envelope no more. Else it ended there:
    // how, the mailbox says.
    bool gone = receipt.ok() || absl::IsNotFound(receipt.status()) ||
                (sent.ok() && sent->undecryptable);
    if (!gone && of_case) {
      const auto entry = books_.cases.Find(*sent->draft.case_id);
      const CaseEvent* event = entry ? EventOf(*entry, sent->draft) : nullptr;
      const Delivery delivery =
          event ? DeliveryOf(*entry, *event) : Delivery::kRecalled;
      if (delivery < Delivery::kDelivered) continue;
      gone = delivery == Delivery::kFailed;
    }
    Batch rows;
    if (receipt.ok())
      RETURN_IF_ERROR(KeepRecalled(recall.envelope, *receipt, rows));
    books_.outbox.RemoveRecall(recall.envelope, rows);
    if (gone && of_case)
      RETURN_IF_ERROR(NoteRecalled(sent->draft, std::move(rows)));
    else
      RETURN_IF_ERROR(books_.kv.Write(rows));
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent

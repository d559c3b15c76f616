#include "agents/institution/core/courier.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agents/institution/core/erasing.h"
#include "agents/institution/core/take_back.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "proto/envelope/log_entry.h"

namespace amparo::agent {
namespace {

constexpr uint32_t kAttemptsMax = 5;

// The broker's clock and the date in the header are apart.
bool IsNotFresh(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail && detail->field == "created" && detail->retryable;
}

bool WasDelivered(const Case& entry, const Draft& draft) {
  const CaseEvent* const event = EventOf(entry, draft);
  const Delivery delivery =
      event == nullptr ? Delivery::kQueued : DeliveryOf(entry, *event);
  return HasArrived(delivery);
}

Bytes EventBytes(const Envelope& envelope) {
  return EncodeAuditEvent(EnvelopeEvent{
      envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
      envelope.signature});
}

}  // namespace

// Looked at before each: the broker may have changed since the last.
absl::Status Courier::NotFollowed() {
  return absl::UnavailableError("the broker's log is not followed now");
}

bool Courier::IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsCancelled(status);
}

CaseEvent Courier::NoteOf(const Draft& draft, Delivery delivery,
                          absl::string_view code, absl::Time at) const {
  return DeliveryNote(*draft.case_id, draft.event_id, books_.keys.self(),
                      draft.recipient, delivery, code, at);
}

absl::Status Courier::Run() {
  // What it took would be lost with the log that it shows.
  if (!books_.log.MayGive()) return absl::OkStatus();
  // First what was taken back: its recipient may look at any moment.
  RETURN_IF_ERROR(TakeRecalls());
  RETURN_IF_ERROR(AskToCancel());
  ASSIGN_OR_RETURN(const std::vector<Draft> drafts, books_.outbox.Drafts());
  // When it cannot be asked, nothing can be sent either.
  if (!drafts.empty()) books_.time.Ask(books_.broker).IgnoreError();
  std::map<MemberId, std::vector<Draft>> by_recipient;
  for (const Draft& draft : drafts) by_recipient[draft.recipient].push_back(draft);
  absl::Status full;
  for (const auto& [recipient, list] : by_recipient) {
    const absl::Status sent = SendAllTo(recipient, list);
    // One mailbox that is full holds up nobody else, nor does a recall that is
    // refused.
    if (!absl::IsResourceExhausted(sent) && !absl::IsPermissionDenied(sent))
      RETURN_IF_ERROR(sent);
    full.Update(sent);
  }
  return full;
}

absl::Status Courier::SendAllTo(const MemberId& recipient,
                                const std::vector<Draft>& drafts) {
  ASSIGN_OR_RETURN(std::optional<InFlight> under_way,
                   books_.outbox.UnderWay(recipient));
  std::optional<uint64_t> done;
  if (under_way) {
    ASSIGN_OR_RETURN(const bool answered, Submit(*under_way));
    if (answered) done = under_way->draft.seq;
  }
  for (const Draft& draft : drafts) {
    if (draft.seq == done) continue;
    std::optional<InFlight> sealed;
    ASSIGN_OR_RETURN(const Fate fate, SealDraft(draft, sealed));
    // The order to one recipient is kept: what waits makes the rest wait.
    if (fate == Fate::kWaits) return absl::OkStatus();
    // But for its case's sake only: what asks the recipient must not wait.
    if (fate != Fate::kSealed) continue;
    ASSIGN_OR_RETURN(const bool answered, Submit(*sealed));
    // Sealed this moment and not fresh: to seal again now would help nothing.
    if (!answered)
      return absl::UnavailableError("the broker's clock differs from ours");
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Courier::Submit(const InFlight& in_flight) {
  ASSIGN_OR_RETURN(const bool taken_back, TakenBack(in_flight));
  if (taken_back) return true;
  if (!books_.log.MayGive()) return NotFollowed();
  const auto receipt = books_.broker.Submit(in_flight.envelope);
  if (IsTransient(receipt.status())) return receipt.status();
  if (IsNotFresh(receipt.status())) {
    // Nobody's fault: the draft keeps its place and its count.
    LogEvent(EventLevel::kWarning, "envelope_not_fresh",
             {{"recipient", in_flight.draft.recipient}});
    Batch rows;
    books_.outbox.ClearUnderWay(in_flight.draft.recipient, rows);
    RETURN_IF_ERROR(books_.kv.Write(rows));
    return false;
  }
  RETURN_IF_ERROR(receipt.ok() ? Submitted(in_flight, *receipt)
                               : Refused(in_flight, receipt.status()));
  return true;
}

absl::Status Courier::Submitted(const InFlight& in_flight, const LeafReceipt& receipt) {
  const Draft& draft = in_flight.draft;
  const Header& header = in_flight.envelope.header;
  const Digest digest = EnvelopeDigest(in_flight.envelope);
  Batch rows;
  RETURN_IF_ERROR(books_.promises.Keep(receipt, EventBytes(in_flight.envelope), rows));
  books_.outbox.Remove(draft, rows);
  books_.outbox.ClearUnderWay(draft.recipient, rows);
  books_.heartbeats.NoteSent(draft.recipient, draft.kind, rows);
  books_.outbox.PutSent(digest,
                        Sent{draft, header.envelope_id, header.sender_kid,
                             header.link_seq, receipt.leaf, header.expires},
                        rows);
  LogEvent("envelope_submitted", {{"recipient", draft.recipient},
                                  {"leaf", receipt.leaf},
                                  {"bytes", in_flight.envelope.ciphertext.size()}});
  if (!draft.case_id) return books_.kv.Write(rows);
  bool erased_late = false;
  RETURN_IF_ERROR(
      books_.cases
          .Change(
              *draft.case_id,
              [&](const Case* entry) -> absl::StatusOr<CaseChange> {
                CaseChange change{{}, {}, std::move(rows)};
                for (const CaseEvent& event : entry->events) {
                  if (event.id != draft.event_id || event.to != draft.recipient ||
                      std::holds_alternative<DeliveryNoted>(event.body))
                    continue;
                  CaseEvent logged = event;
                  logged.leaf = receipt.leaf;
                  logged.at = receipt.time;
                  logged.envelope = digest;
                  // What came while it was on its way, and stands before it.
                  if (const auto* erased = std::get_if<Erased>(&logged.body);
                      erased && erased->answer == ErasureAnswer::kDeleted) {
                    ASSIGN_OR_RETURN(
                        change.contents,
                        ContentsWithout(books_.cases, *entry, event.to,
                                        erased->slots, receipt.leaf));
                    erased_late = !change.contents.empty();
                  }
                  change.events.push_back(std::move(logged));
                }
                change.events.push_back(NoteOf(draft,
                                               Delivery::kSubmitted, "",
                                               receipt.time));
                return change;
              })
          .status());
  return erased_late ? books_.cases.Purge(*draft.case_id) : absl::OkStatus();
}

absl::Status Courier::Refused(const InFlight& in_flight, const absl::Status& why) {
  const Draft& draft = in_flight.draft;
  LogEvent(EventLevel::kWarning, "envelope_refused",
           {{"recipient", draft.recipient},
            {"status_code", static_cast<int>(why.code())},
            {"attempts", static_cast<int64_t>(draft.attempts)}});
  Batch rows;
  books_.outbox.ClearUnderWay(draft.recipient, rows);
  if (draft.attempts >= kAttemptsMax || absl::IsPermissionDenied(why))
    return GiveUp(draft, ErrorCodeOf(why), std::move(rows));
  // The draft goes to the back with its count, to be sealed with fresh times
  // and the prekey of now; the link it used stays used.
  books_.outbox.Remove(draft, rows);
  books_.outbox.Add(draft, rows);
  return books_.kv.Write(rows);
}

absl::Status Courier::GiveUp(const Draft& draft, absl::string_view code, Batch rows) {
  books_.outbox.Remove(draft, rows);
  if (!draft.case_id) return books_.kv.Write(rows);
  return books_.cases
      .Change(*draft.case_id,
              [&](const Case* entry) -> absl::StatusOr<CaseChange> {
                CaseChange change{{}, {}, std::move(rows)};
                // Sent again on request, and refused now: it came before.
                if (!WasDelivered(*entry, draft))
                  change.events.push_back(NoteOf(draft,
                                                 Delivery::kFailed, code,
                                                 books_.clock.Now()));
                return change;
              })
      .status();
}

}  // namespace amparo::agent

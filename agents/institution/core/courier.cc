#include "agents/institution/core/courier.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "agents/institution/core/opening_book.h"
#include "agents/institution/core/sealing.h"
#include "agents/institution/core/take_back.h"
#include "base/error.h"
#include "base/event_log.h"
#include "base/status.h"
#include "crypto/sd_jwt.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/recall.h"

namespace amparo::agent {
namespace {

constexpr uint32_t kAttemptsMax = 5;

// Looked at before each: the broker may have changed since the last.
absl::Status NotFollowed() {
  return absl::UnavailableError("the broker's log is not followed now");
}

bool IsTransient(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
         absl::IsResourceExhausted(status) || absl::IsCancelled(status);
}

// The broker's clock and the date in the header are apart.
bool IsNotFresh(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail && detail->field == "created" && detail->retryable;
}

// Documents whose date others may have to check.
bool NeedsAnchor(EventKind kind) {
  switch (kind) {
    case EventKind::kReferral:
    case EventKind::kUpdated:
    case EventKind::kDisclosed:
    case EventKind::kGranted:
    case EventKind::kRevoked:
      return true;
    default:
      return false;
  }
}

// Whose anchor: that of the event in which the document was issued.
const EventId& AnchoredEvent(const Draft& draft) {
  return draft.content_of ? *draft.content_of : draft.event_id;
}

CaseEvent NoteOf(const Draft& draft, const MemberId& self, Delivery delivery,
                 absl::string_view code, absl::Time now) {
  return CaseEvent{EventId::New(),
                   *draft.case_id,
                   self,
                   draft.recipient,
                   now,
                   std::nullopt,
                   std::nullopt,
                   DeliveryNoted{draft.event_id, delivery, std::string(code)}};
}

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

bool WasDelivered(const Case& entry, const Draft& draft) {
  const CaseEvent* const event = EventOf(entry, draft);
  const Delivery delivery =
      event == nullptr ? Delivery::kQueued : DeliveryOf(entry, *event);
  return delivery >= Delivery::kDelivered && delivery < Delivery::kRecalled;
}

Bytes EventBytes(const Envelope& envelope) {
  return EncodeAuditEvent(EnvelopeEvent{
      envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
      envelope.signature});
}

}  // namespace

absl::Status Courier::Run() {
  // What it took would be lost with the log that it shows.
  if (!books_.log.MayGive()) return absl::OkStatus();
  // First what was taken back: its recipient may look at any moment.
  RETURN_IF_ERROR(TakeRecalls());
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

absl::StatusOr<std::optional<PayloadOrigin>> Courier::AnchorFor(
    const Draft& draft, const std::optional<Content>& content) {
  if (!NeedsAnchor(draft.kind)) return std::optional<PayloadOrigin>();
  if (!books_.log.MayGive()) return NotFollowed();
  const std::string& document = content ? content->document : draft.document;
  // An SD-JWT is named by its JWT alone, without disclosures.
  ASSIGN_OR_RETURN(
      PayloadOrigin origin,
      books_.anchors.Ensure(books_.broker, AnchoredEvent(draft),
                            SdJwtDigest(document.substr(0, document.find('~')))));
  return std::optional<PayloadOrigin>(std::move(origin));
}

absl::Status Courier::AnchorGrants(const CaseState& state) {
  for (const auto& [key, held] : state.authority.grants)
    if (held.status == GrantStatus::kActive &&
        held.grant.issuer == books_.keys.self()) {
      if (!books_.log.MayGive()) return NotFollowed();
      RETURN_IF_ERROR(books_.anchors
                          .Ensure(books_.broker, held.grant.event_id,
                                  held.grant.digest)
                          .status());
    }
  return absl::OkStatus();
}

absl::StatusOr<Courier::Fate> Courier::SealDraft(Draft draft,
                                                 std::optional<InFlight>& sealed) {
  if (!books_.time.MaySeal().ok()) return Fate::kWaits;
  if (draft.case_id && CarriesSections(draft.kind)) {
    const auto entry = books_.cases.Find(*draft.case_id);
    if (entry && books_.restored.AwaitedFor(entry->state, books_.keys.self()))
      return Fate::kHeld;
  }
  const absl::Time now = books_.time.Now();
  // Nobody takes it from a member that is suspended; it may come back.
  const absl::Status standing =
      books_.peers.ActiveMember(books_.keys.self(), now).status();
  if (ErrorCodeOf(standing) == "member_suspended") return Fate::kWaits;
  const absl::Status reachable =
      books_.peers.PrekeyFor(draft.recipient, now).status();
  const auto signer = books_.keys.Signer();
  // A revocation or an answer is still due when the recipient comes back; what
  // was to help now is told to its officer, who has a telephone.
  const bool for_its_return =
      ErrorCodeOf(reachable) == "member_suspended" && !CarriesSections(draft.kind);
  if (absl::IsFailedPrecondition(reachable) || for_its_return ||
      ErrorCodeOf(reachable) == "key_too_new" ||
      absl::IsFailedPrecondition(signer.status()))
    return Fate::kWaits;
  if (!reachable.ok()) {
    RETURN_IF_ERROR(GiveUp(draft, ErrorCodeOf(reachable), Batch()));
    return Fate::kGivenUp;
  }
  RETURN_IF_ERROR(signer.status());
  std::optional<Content> content;
  if (draft.case_id) {
    auto found = books_.cases.ContentOf(*draft.case_id, AnchoredEvent(draft),
                                        books_.keys.self());
    if (found.ok()) content = *std::move(found);
  }
  if (draft.case_id && CarriesSections(draft.kind))
    if (const auto entry = books_.cases.Find(*draft.case_id))
      RETURN_IF_ERROR(AnchorGrants(entry->state));
  ASSIGN_OR_RETURN(const std::optional<PayloadOrigin> origin,
                   AnchorFor(draft, content));
  ASSIGN_OR_RETURN(const std::optional<LinkHead> head,
                   books_.outbox.HeadOf(draft.recipient));
  const Digest kid = signer->verify_key().Thumbprint();
  const Link link{head && head->kid == kid ? head->seq + 1 : 1,
                  head ? head->digest : Digest()};

  ++draft.attempts;
  absl::Status refused;
  // One step with the case as it is: a revocation is before it, and counts, or
  // after it, and finds the envelope under way.
  bool taken_back = false;
  const auto seal = [&](const Case* entry) -> absl::StatusOr<CaseChange> {
    CaseChange change;
    ASSIGN_OR_RETURN(const bool waits, books_.outbox.Waits(draft));
    taken_back = !waits;
    if (taken_back) return change;
    ASSIGN_OR_RETURN(taken_back, DropWithdrawn(draft, entry, change));
    if (taken_back) return change;
    auto prepared = PreparePayload(draft, entry, content, *books_.peers.Now(),
                                   books_.log.view(), now);
    refused = prepared.status();
    if (!refused.ok()) return change;
    prepared->payload.origin = origin;
    auto envelope = books_.packer.Pack(draft.recipient, prepared->payload, link,
                                       books_.clock.Now());
    // Nothing makes it smaller: it must not keep all others waiting.
    if (ErrorCodeOf(envelope.status()) == "too_large") {
      refused = envelope.status();
      return change;
    }
    RETURN_IF_ERROR(envelope.status());
    sealed = InFlight{draft, *std::move(envelope)};
    const Digest digest = EnvelopeDigest(sealed->envelope);
    if (prepared->event) {
      PutOpening(digest, prepared->payload, change.rows);
      prepared->event->envelope = digest;
      prepared->event->leaf.reset();  // of the envelope before, if any
      change.events.push_back(*std::move(prepared->event));
    }
    books_.outbox.PutUnderWay(*sealed, LinkHead{kid, link.seq, digest}, change.rows);
    return change;
  };
  if (draft.case_id) {
    RETURN_IF_ERROR(books_.cases.Change(*draft.case_id, seal).status());
  } else {
    ASSIGN_OR_RETURN(const CaseChange change, seal(nullptr));
    RETURN_IF_ERROR(books_.kv.Write(change.rows));
  }
  if (taken_back) return Fate::kGivenUp;  // and noted by whoever took it
  if (refused.ok()) return Fate::kSealed;
  RETURN_IF_ERROR(GiveUp(draft, ErrorCodeOf(refused), Batch()));
  return Fate::kGivenUp;
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
  return books_.cases
      .Change(*draft.case_id,
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
                  change.events.push_back(std::move(logged));
                }
                change.events.push_back(NoteOf(draft, books_.keys.self(),
                                               Delivery::kSubmitted, "",
                                               receipt.time));
                return change;
              })
      .status();
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
                  change.events.push_back(NoteOf(draft, books_.keys.self(),
                                                 Delivery::kFailed, code,
                                                 books_.clock.Now()));
                return change;
              })
      .status();
}

absl::Status Courier::NoteRecalled(const Draft& draft, Batch rows) {
  return books_.cases
      .Change(*draft.case_id,
              [&](const Case* entry) -> absl::StatusOr<CaseChange> {
                CaseChange change{{}, {}, std::move(rows)};
                const CaseEvent* const event = EventOf(*entry, draft);
                if (event != nullptr &&
                    DeliveryOf(*entry, *event) < Delivery::kDelivered)
                  change.events.push_back(NoteOf(draft, books_.keys.self(),
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
  const bool ended =
      delivery >= Delivery::kRecalled && !OnlyRanOut(*entry, *event);
  if (!ended && !(withdrawn && undelivered)) return false;
  books_.outbox.Remove(draft, change.rows);
  // While a recall is out, its answer says what became of it.
  ASSIGN_OR_RETURN(const auto recalls, books_.outbox.Recalls());
  const bool asked =
      std::any_of(recalls.begin(), recalls.end(), [&](const auto& recall) {
        return recall.envelope == event->envelope;
      });
  if (undelivered && !asked)
    change.events.push_back(NoteOf(draft, books_.keys.self(), Delivery::kRecalled,
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
    Batch rows;
    if (receipt.ok())
      RETURN_IF_ERROR(KeepRecalled(recall.envelope, *receipt, rows));
    books_.outbox.RemoveRecall(recall.envelope, rows);
    const auto sent = books_.outbox.SentAs(recall.envelope);
    // A broker that was rebuilt has the envelope no more.
    const bool gone = receipt.ok() || absl::IsNotFound(receipt.status());
    if (gone && sent.ok() && sent->draft.case_id)
      RETURN_IF_ERROR(NoteRecalled(sent->draft, std::move(rows)));
    else  // delivered already
      RETURN_IF_ERROR(books_.kv.Write(rows));
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent

#include "agents/institution/core/intake.h"

#include <utility>

#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/recall.h"

// What the broker says of envelopes, besides handing them over: receipts of
// recipients, recalls of senders, its own expiries. Each stands in the log.

namespace amparo::agent {

// A member signed for mail in this member's name that did not leave here: it
// lies, or somebody else sends with our key.
void Intake::RaiseNotSent(const Peers& peers, const LeafReceipt& leaf,
                          const Receipt& receipt,
                          const std::string& token) const {
  if (receipt.audience != books_.keys.self() || receipt.leaf >= leaf.leaf ||
      !VerifyReceipt(token,
                     KeysAt(peers, receipt.issuer, leaf.leaf, leaf.time))
           .ok())
    return;
  books_.alarms.Raise("own_mail", receipt.issuer, books_.clock.Now(),
                      AsBytes(token));
}

absl::Status Intake::TakeReceipt(const LeafReceipt& leaf,
                                 const std::string& token, Batch rows) {
  const auto peers = books_.peers.Now();
  const Bytes event = EncodeAuditEvent(ReceiptEvent{token});
  RETURN_IF_ERROR(books_.log.CheckIncluded(leaf, event));
  books_.log.KeepOpening(leaf, event, rows);
  const auto claimed = PeekReceipt(token);
  const auto sent = claimed.ok() ? books_.outbox.SentAs(claimed->digest)
                                 : absl::StatusOr<Sent>(claimed.status());
  if (claimed.ok() && absl::IsNotFound(sent.status())) {
    // It may be faster than the broker's answer to the courier: then later.
    ASSIGN_OR_RETURN(const auto under_way,
                     books_.outbox.UnderWay(claimed->issuer));
    if (under_way && EnvelopeDigest(under_way->envelope) == claimed->digest)
      return absl::UnavailableError("the envelope is not known to be sent yet");
  }
  if (claimed.ok() && absl::IsNotFound(sent.status()))
    RaiseNotSent(*peers, leaf, *claimed, token);
  if (!sent.ok() || claimed->audience != books_.keys.self() ||
      claimed->issuer != sent->draft.recipient || claimed->leaf != sent->leaf)
    return books_.kv.Write(rows);  // about nothing of ours
  if (!VerifyReceipt(token,
                     KeysAt(*peers, claimed->issuer, leaf.leaf, leaf.time))
           .ok()) {
    RETURN_IF_ERROR(CheckNotWaiting(*peers, claimed->issuer, leaf));
    return books_.kv.Write(rows);  // not by its recipient
  }

  if (claimed->kind == ReceiptKind::kUndecryptable) {
    constexpr uint32_t kSealingsMax = 3;
    Draft again = sent->draft;
    if (sent->again) return books_.kv.Write(rows);  // on its way already
    if (again.attempts >= kSealingsMax) {
      books_.alarms.Raise("undecryptable", again.recipient, books_.clock.Now());
      return books_.kv.Write(rows);
    }
    again.again = true;
    books_.outbox.Add(std::move(again), rows);
    RETURN_IF_ERROR(books_.kv.Write(rows));
    books_.wake_courier();
    return absl::OkStatus();
  }
  books_.alarms.Settle("undecryptable", sent->draft.recipient);
  if (!sent->draft.case_id) return books_.kv.Write(rows);
  return NoteDelivery(sent->draft, Delivery::kDelivered, "", leaf.time,
                      std::move(rows));
}

absl::Status Intake::TakeRecalled(const LeafReceipt& leaf,
                                  const RecalledNotice& notice, Batch rows) {
  const Bytes event = EncodeAuditEvent(RecallEvent{notice.token});
  RETURN_IF_ERROR(books_.log.CheckIncluded(leaf, event));
  books_.log.KeepOpening(leaf, event, rows);
  const auto peers = books_.peers.Now();
  const auto header = DecodeHeader(notice.header);
  if (!header.ok()) return books_.kv.Write(rows);
  const Digest digest = EnvelopeDigest(notice.header, notice.body);
  const auto recall = VerifyRecall(
      notice.token, KeysAt(*peers, header->sender, leaf.leaf, leaf.time));
  const auto signer = peers->keys.SignerAt(header->sender, header->sender_kid,
                                           leaf.leaf, leaf.time);
  if (!recall.ok() || !signer.ok() || recall->recall.digest != digest ||
      recall->recall.sender != header->sender ||
      !VerifyEnvelopeSignature(*header, notice.header, notice.body,
                               notice.signature, signer->key)
           .ok()) {
    RETURN_IF_ERROR(CheckNotWaiting(*peers, header->sender, leaf));
    return books_.kv.Write(rows);
  }
  // Its place in the chain is taken; if the broker serves it all the same, it
  // counts as seen and stays closed.
  PutSeen(*header, digest, rows);
  RETURN_IF_ERROR(PlaceLink(*header, notice.header, digest, *peers, rows));
  return books_.kv.Write(rows);
}

absl::Status Intake::TakeExpired(const LeafReceipt& leaf,
                                 const Digest& digest, Batch rows) {
  const Bytes event = EncodeAuditEvent(ExpiryEvent{digest});
  RETURN_IF_ERROR(books_.log.CheckIncluded(leaf, event));
  books_.log.KeepOpening(leaf, event, rows);
  const auto sent = books_.outbox.SentAs(digest);
  // Sent again since, or delivered without the broker's knowing.
  if (!sent.ok() || !sent->draft.case_id || sent->again ||
      !MayBeLost(digest, sent->draft))
    return books_.kv.Write(rows);
  return NoteDelivery(sent->draft, Delivery::kFailed, "timed_out", leaf.time,
                      std::move(rows));
}

absl::Status Intake::NoteDelivery(const Draft& draft, Delivery delivery,
                                  const char* code, absl::Time at, Batch rows) {
  return books_.cases
      .Change(
          *draft.case_id,
          [&](const Case*) -> absl::StatusOr<CaseChange> {
            return CaseChange{
                {CaseEvent{EventId::New(), *draft.case_id, books_.keys.self(),
                           draft.recipient, at, std::nullopt, std::nullopt,
                           DeliveryNoted{draft.event_id, delivery, code}}},
                {},
                std::move(rows)};
          })
      .status();
}

}  // namespace amparo::agent

#include "agents/institution/core/intake.h"

#include <algorithm>
#include <utility>

#include "agents/institution/core/take_back.h"
#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/recall.h"

// What the broker says of envelopes, besides handing them over: receipts of
// recipients, recalls of senders, its own expiries. Each stands in the log.

namespace amparo::agent {
namespace {

// Somebody here opened the referral or answered it, and its sender is told.
bool WasRead(const Case& entry, const CaseEvent& event) {
  const auto& sent = std::get<DocumentSent>(event.body);
  const PeerReferral* referral = entry.state.Find(sent.referral_id, event.from);
  return referral != nullptr && (referral->delivery >= Delivery::kOpened ||
                                 referral->state != ReferralState::kReceived);
}

}  // namespace

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
    Sent unread = *sent;
    unread.undecryptable = true;
    books_.outbox.PutSent(claimed->digest, unread, rows);
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
  RETURN_IF_ERROR(NoteDelivery(sent->draft, Delivery::kDelivered, "", leaf.time,
                               std::move(rows)));
  books_.wake_courier();  // it may have been withdrawn meanwhile
  return absl::OkStatus();
}

// The key that the envelope went under. One that ended since, as after its
// member came back from a backup, counts by the word of one that is trusted:
// else a thief of the identity key could take back what its owner sent.
absl::StatusOr<SignerRecord> Intake::RecalledSigner(const Header& header,
                                                    const Digest& recalled_by,
                                                    const LeafReceipt& leaf,
                                                    const Peers& peers) const {
  auto signer = peers.keys.SignerAt(header.sender, header.sender_kid, leaf.leaf,
                                    leaf.time);
  if (signer.ok()) return signer;
  ASSIGN_OR_RETURN(
      const SignerRecord by,
      peers.keys.SignerAt(header.sender, recalled_by, leaf.leaf, leaf.time));
  RETURN_IF_ERROR(books_.peers.CheckTrust(peers, by));
  return peers.keys.EarlierSigner(header.sender, header.sender_kid, leaf.leaf);
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
  const auto signer = recall.ok()
                          ? RecalledSigner(*header, recall->kid, leaf, *peers)
                          : recall.status();
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
  ASSIGN_OR_RETURN(const std::optional<Bytes> seen, SeenRow(*header, digest));
  PutSeen(*header, digest, rows);
  RETURN_IF_ERROR(PlaceLink(*header, notice.header, digest, *peers, rows));
  return seen ? LetGo(header->sender, digest, leaf.time, std::move(rows))
              : books_.kv.Write(rows);
}

// It was taken in, and the broker, who had no receipt yet, gave it back to its
// sender: so it is closed here as well, unless somebody read it, and told.
absl::Status Intake::LetGo(const MemberId& sender, const Digest& envelope,
                           absl::Time at, Batch rows) {
  for (const HeldPlace& place : books_.held.Places()) {
    if (place.sender != sender) continue;
    ASSIGN_OR_RETURN(const HeldMessage held, books_.held.Find(place.leaf));
    if (held.digest != envelope) continue;
    books_.held.Remove(place.leaf, rows);
    ForgetUnfolded(place.leaf, rows);
    RETURN_IF_ERROR(books_.kv.Write(rows));
    books_.held.Forget(place.leaf);
    return absl::OkStatus();
  }
  for (const auto& known : books_.cases.All()) {
    const auto is_it = [&](const CaseEvent& event) {
      return event.from == sender && event.WentIn(envelope) &&
             std::holds_alternative<DocumentSent>(event.body);
    };
    if (std::none_of(known->events.begin(), known->events.end(), is_it))
      continue;
    const CaseId& id = known->state.case_id;
    const auto decide = [&](const Case* entry) -> absl::StatusOr<CaseChange> {
      CaseChange change{{}, {}, std::move(rows)};
      for (const CaseEvent& event : entry->events)
        if (is_it(event) && !WasRead(*entry, event))
          RETURN_IF_ERROR(Close(event, at, change));
      return change;
    };
    RETURN_IF_ERROR(books_.cases.Change(id, decide).status());
    return books_.cases.Purge(id);
  }
  return books_.kv.Write(rows);
}

absl::Status Intake::Close(const CaseEvent& event, absl::Time at,
                           CaseChange& change) const {
  auto content = books_.cases.ContentOf(event.case_id, event.id, event.from);
  if (!absl::IsNotFound(content.status())) {
    RETURN_IF_ERROR(content.status());
    content->disclosures.clear();
    change.contents[{event.id, event.from}] = *std::move(content);
  }
  CaseEvent closed = event;
  auto& sent = std::get<DocumentSent>(closed.body);
  for (const auto& [slot, authority] : sent.slots) sent.closed.insert(slot);
  sent.slots.clear();
  change.events.push_back(std::move(closed));
  change.events.push_back(DeliveryNote(event.case_id, event.id,
                                       books_.keys.self(), event.to,
                                       Delivery::kRecalled, "", at));
  return absl::OkStatus();
}

absl::Status Intake::TakeExpired(const LeafReceipt& leaf,
                                 const Digest& digest, Batch rows) {
  const Bytes event = EncodeAuditEvent(ExpiryEvent{digest});
  RETURN_IF_ERROR(books_.log.CheckIncluded(leaf, event));
  books_.log.KeepOpening(leaf, event, rows);
  const auto sent = books_.outbox.SentAs(digest);
  // A broker that keeps it back could else end it today.
  if (sent.ok() && leaf.time < sent->expires) {
    books_.alarms.Raise("expired_early", sent->draft.recipient,
                        books_.clock.Now(), event);
    return books_.kv.Write(rows);
  }
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
                {DeliveryNote(*draft.case_id, draft.event_id,
                              books_.keys.self(), draft.recipient, delivery,
                              code, at)},
                {},
                std::move(rows)};
          })
      .status();
}

}  // namespace amparo::agent

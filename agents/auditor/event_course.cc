// The part of EventCheck that follows envelopes to their ends: delivered, not
// to be decrypted, recalled, expired.

#include <utility>

#include "agents/auditor/event_check.h"
#include "proto/envelope/recall.h"
#include "proto/envelope/receipt.h"

namespace amparo::auditor {

void EventCheck::Judge(const Place& at, const ReceiptEvent& event) {
  ++report_.counts.receipts;
  const absl::StatusOr<Receipt> receipt = PeekReceipt(event.token);
  if (!receipt.ok()) return AddBad(at, "its receipt cannot be read");
  at.row->from = receipt->issuer.text();
  at.row->to = receipt->audience.text();
  at.row->digest = receipt->digest.ToString();
  at.row->detail = std::string(NameOf(receipt->kind));
  if (network_.Charter() != nullptr) {
    std::optional<MemberId> signer;
    const absl::Status verified =
        VerifyReceipt(event.token, LookupAt(at, signer)).status();
    if (!verified.ok()) return AddBad(at, verified.message());
    if (signer != receipt->issuer)
      return AddBad(at, "its signer is not the member that it names");
    if (const absl::Status net = CheckNet(receipt->net); !net.ok())
      return AddBad(at, net.message());
  }
  const bool delivered = receipt->kind == ReceiptKind::kDelivered;
  if (!delivered && receipt->kind != ReceiptKind::kUndecryptable)
    return AddBad(at, "a receipt of this kind is not logged");
  const uint64_t leaf = receipt->leaf.value();
  const bool earlier = receipt->leaf < at.leaf;
  const Waiting* waiting = FindWaiting(
      at, receipt->digest,
      {leaf, earlier ? leaf + 1 : leaf, receipt->audience, receipt->issuer});
  if (waiting == nullptr) return;
  at.row->envelope_id = waiting->id.text();
  if (waiting->recipient != receipt->issuer ||
      waiting->sender != receipt->audience || waiting->leaf != receipt->leaf)
    return AddBad(at, "its receipt does not fit the envelope that it names");
  End(at, receipt->digest,
      delivered ? EnvelopeEventKind::kDelivered
                : EnvelopeEventKind::kUndecryptable);
}

void EventCheck::Judge(const Place& at, const RecallEvent& event) {
  ++report_.counts.recalls;
  const absl::StatusOr<Recall> recall = PeekRecall(event.token);
  if (!recall.ok()) return AddBad(at, "its recall cannot be read");
  at.row->from = recall->sender.text();
  at.row->envelope_id = recall->envelope_id.text();
  at.row->digest = recall->digest.ToString();
  if (network_.Charter() != nullptr) {
    std::optional<MemberId> signer;
    const absl::Status verified =
        VerifyRecall(event.token, LookupAt(at, signer)).status();
    if (!verified.ok()) return AddBad(at, verified.message());
    if (signer != recall->sender)
      return AddBad(at, "its signer is not the member that it names");
    if (const absl::Status net = CheckNet(recall->net); !net.ok())
      return AddBad(at, net.message());
  }
  const Waiting* waiting = FindWaiting(
      at, recall->digest, {0, at.leaf.value(), recall->sender, std::nullopt});
  if (waiting == nullptr) return;
  at.row->to = waiting->recipient.text();
  if (waiting->sender != recall->sender || waiting->id != recall->envelope_id)
    return AddBad(at, "its recall does not fit the envelope that it names");
  End(at, recall->digest, EnvelopeEventKind::kRecalled);
}

void EventCheck::Judge(const Place& at, const ExpiryEvent& event) {
  ++report_.counts.expiries;
  at.row->digest = event.digest.ToString();
  const Waiting* waiting = FindWaiting(
      at, event.digest, {0, at.leaf.value(), std::nullopt, std::nullopt});
  if (waiting == nullptr) return;
  at.row->from = waiting->sender.text();
  at.row->to = waiting->recipient.text();
  at.row->envelope_id = waiting->id.text();
  if (at.time < waiting->expires)
    return AddLate(at, "ends an envelope whose time had not run out");
  End(at, event.digest, EnvelopeEventKind::kExpired);
}

const EventCheck::Waiting* EventCheck::FindWaiting(const Place& at,
                                                   const Digest& digest,
                                                   const Erased& erased) {
  const auto found = state_.waiting.find(digest);
  if (found != state_.waiting.end()) return &found->second;
  Finding finding = LateFinding(
      at,
      "is about an envelope that does not wait: it was never logged, or "
      "its course had ended");
  if (state_.ended.contains(digest) ||
      openings_.unopened().CountWithin(erased.begin, erased.end, 1) == 0)
    report_.Add(Step::kSignatures, std::move(finding));
  else
    erasures_.Add({Step::kSignatures, std::move(finding), erased.begin,
                   erased.end, 1, erased.from, erased.to, true},
                  report_);
  return nullptr;
}

void EventCheck::End(const Place& at, const Digest& digest,
                     EnvelopeEventKind event) {
  // Whatever waits is pending; no state leads on from what this event makes.
  if (const absl::Status legal =
          NextState(EnvelopeState::kPending, event).status();
      !legal.ok())
    return AddLate(at, std::string(legal.message()));
  state_.waiting.erase(digest);
  state_.ended.insert(digest);
}

}  // namespace amparo::auditor

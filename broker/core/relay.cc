#include "broker/core/relay.h"

#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/recall.h"
#include "proto/envelope/receipt.h"

namespace amparo::broker {
namespace {

absl::Status NoSuchEnvelope() {
  return MakeError(absl::StatusCode::kNotFound, "no such envelope",
                   {.code = "not_found"});
}

absl::Status NotYours(const char* field) {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the token is not the caller's own for this network",
                   {.code = "verification_failed", .field = field});
}

absl::StatusOr<EnvelopeEventKind> KindOf(const Receipt& receipt) {
  if (receipt.kind == ReceiptKind::kDelivered)
    return EnvelopeEventKind::kDelivered;
  if (receipt.kind == ReceiptKind::kUndecryptable)
    return EnvelopeEventKind::kUndecryptable;
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "this kind of receipt travels in an envelope",
                   {.code = "invalid_form", .field = "events"});
}

}  // namespace

Relay::Relay(Store& store, const Directory& directory, Admission& admission,
             Ledger& ledger, ReceiptBook& receipts, const Clock& clock)
    : store_(store),
      directory_(directory),
      admission_(admission),
      ledger_(ledger),
      receipts_(receipts),
      clock_(clock) {}

void Relay::Accept(const MemberId& peer,
                   std::shared_ptr<const Envelope> envelope, Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  const Digest body = BodyDigest(envelope->enc, envelope->ciphertext);
  const Digest digest = EnvelopeDigest(envelope->header_bytes, body);
  ledger_.Submit(
      [this, peer, envelope = std::move(envelope), body,
       digest](const Network& network) {
        return AcceptedOp(network, peer, envelope, body, digest);
      },
      std::move(done));
}

absl::StatusOr<Op> Relay::AcceptedOp(
    const Network& network, const MemberId& peer,
    const std::shared_ptr<const Envelope>& envelope, const Digest& body,
    const Digest& digest) {
  absl::Status refusal =
      admission_.CheckHeader(network, peer, *envelope, store_.Head().time);
  if (refusal.ok())
    refusal = admission_.CheckSignature(network, *envelope, body);
  Op op;
  const AdmissionLimits& limits = admission_.limits();
  op.action =
      amparo::broker::Submit{envelope, digest, limits.mailbox_envelopes_max,
                             limits.sender_envelopes_max()};
  op.event = EncodeAuditEvent(
      EnvelopeEvent{envelope->header_bytes, body, envelope->signature});
  if (refusal.ok()) return op;
  // A retry may have grown stale on the way; its sender must still be who it
  // says, and belong here.
  if (envelope->header.sender != peer ||
      !network.Active(peer, clock_.Now()).ok())
    return refusal;
  return UnlessLogged(store_, std::move(op), std::move(refusal));
}

void Relay::Acknowledge(const MemberId& peer, std::string token, Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  ledger_.Submit(
      [this, peer, token = std::move(token)](const Network& network) {
        return AcknowledgedOp(network, peer, token);
      },
      std::move(done));
}

absl::StatusOr<Op> Relay::AcknowledgedOp(const Network& network,
                                         const MemberId& peer,
                                         const std::string& token) {
  RETURN_IF_ERROR(network.Active(peer, clock_.Now()).status());
  ASSIGN_OR_RETURN(const Receipt receipt, PeekReceipt(token));
  if (receipt.issuer != peer || receipt.net != network.charter->network_id)
    return NotYours("iss");
  ASSIGN_OR_RETURN(const EnvelopeEventKind kind, KindOf(receipt));
  const auto record = store_.FindEnvelope(receipt.leaf);
  if (!record.ok() && !absl::IsNotFound(record.status()))
    return record.status();
  if (!record.ok() || record->digest != receipt.digest ||
      record->recipient != peer || record->sender != receipt.audience)
    return NoSuchEnvelope();

  Op op;
  op.action = Settle{receipt.leaf, receipt.digest, kind};
  op.event = EncodeAuditEvent(ReceiptEvent{token});
  const auto verified =
      VerifyReceipt(token, network.SignerLookup(peer, clock_.Now()));
  if (verified.ok()) return op;
  return UnlessLogged(store_, std::move(op), verified.status());
}

void Relay::Recall(const MemberId& peer, std::string token, Done done) {
  if (absl::Status status = admission_.CountOperation(peer); !status.ok())
    return done(std::move(status));
  ledger_.Submit(
      [this, peer, token = std::move(token)](const Network& network) {
        return RecalledOp(network, peer, token);
      },
      std::move(done));
}

absl::StatusOr<Op> Relay::RecalledOp(const Network& network,
                                     const MemberId& peer,
                                     const std::string& token) {
  RETURN_IF_ERROR(network.Active(peer, clock_.Now()).status());
  ASSIGN_OR_RETURN(const amparo::Recall recall, PeekRecall(token));
  if (recall.sender != peer || recall.net != network.charter->network_id)
    return NotYours("iss");
  const auto record = store_.FindEnvelope(peer, recall.envelope_id);
  if (!record.ok() && !absl::IsNotFound(record.status()))
    return record.status();
  if (!record.ok() || record->digest != recall.digest) return NoSuchEnvelope();

  Op op;
  op.action = Settle{record->leaf, recall.digest, EnvelopeEventKind::kRecalled};
  op.event = EncodeAuditEvent(RecallEvent{token});
  const auto verified =
      VerifyRecall(token, network.SignerLookup(peer, clock_.Now()));
  if (verified.ok()) return op;
  return UnlessLogged(store_, std::move(op), verified.status());
}

absl::StatusOr<std::vector<Delivery>> Relay::Fetch(
    const MemberId& peer, std::optional<LeafIndex> after, uint32_t count,
    size_t bytes_max) {
  const std::shared_ptr<const Network> network = directory_.Current();
  RETURN_IF_ERROR(network->Active(peer, clock_.Now()).status());
  ASSIGN_OR_RETURN(std::vector<MailboxItem> items,
                   store_.Mailbox(peer, after, count, bytes_max));
  std::vector<Delivery> deliveries;
  deliveries.reserve(items.size());
  for (MailboxItem& item : items) {
    LeafReceipt receipt =
        receipts_.ReceiptFor(network->charter->network_id, item.leaf);
    deliveries.push_back({std::move(receipt), std::move(item)});
  }
  return deliveries;
}

absl::StatusOr<TreeSize> Relay::DrainedTo(const MemberId& peer,
                                          std::optional<LeafIndex> after) {
  RETURN_IF_ERROR(admission_.CountOperation(peer));
  // The size first: what is logged in between lies beyond it.
  const TreeSize size = store_.Head().range.size();
  ASSIGN_OR_RETURN(const std::vector<Delivery> waiting,
                   Fetch(peer, after, 1, 1));
  if (waiting.empty() || waiting.front().receipt.leaf.value() >= size.value())
    return size;
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "the mailbox is not empty", {.code = "invalid_state"});
}

}  // namespace amparo::broker

#include "broker/rpc/proto_codec.h"

#include <utility>
#include <variant>

#include "base/clock.h"
#include "proto/envelope/codec.h"

namespace amparo::broker {
namespace {

void Set(std::string* field, ByteView bytes) {
  field->assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void SetEvent(MailboxItem& item, v1::MailboxItem& message) {
  if (const auto* envelope = std::get_if<EnvelopeEvent>(&item.event)) {
    v1::Envelope& out = *message.mutable_envelope();
    Set(out.mutable_header(), envelope->header);
    Set(out.mutable_enc(), item.enc);
    *out.mutable_ciphertext() = std::move(item.ciphertext);
    Set(out.mutable_signature(), envelope->signature);
  } else if (const auto* receipt = std::get_if<ReceiptEvent>(&item.event)) {
    message.set_receipt_token(receipt->token);
  } else if (const auto* expiry = std::get_if<ExpiryEvent>(&item.event)) {
    Set(message.mutable_expired_digest(), expiry->digest.bytes());
  } else if (const auto* recall = std::get_if<RecallEvent>(&item.event);
             recall != nullptr && item.recalled) {
    v1::RecalledEnvelope& out = *message.mutable_recalled();
    Set(out.mutable_header(), item.recalled->header);
    Set(out.mutable_body(), item.recalled->body.bytes());
    Set(out.mutable_signature(), item.recalled->signature);
    out.set_token(recall->token);
  }
}

}  // namespace

absl::StatusOr<Envelope> FromProto(const v1::Envelope& message) {
  return MakeEnvelope(ToBytes(message.header()), ToBytes(message.enc()),
                      ToBytes(message.ciphertext()),
                      AsBytes(message.signature()));
}

absl::StatusOr<SignedAnchor> FromProto(const v1::SignedAnchor& message) {
  return MakeSignedAnchor(ToBytes(message.anchor()),
                          AsBytes(message.signature()));
}

void ToProto(const LeafReceipt& receipt, v1::LeafReceipt* message) {
  message->set_leaf(receipt.leaf.value());
  message->set_time_s(static_cast<uint64_t>(UnixSeconds(receipt.time)));
  Set(message->mutable_salt(), receipt.salt);
  Set(message->mutable_signature(), receipt.signature);
}

v1::MailboxItem ToProto(Delivery delivery) {
  v1::MailboxItem message;
  ToProto(delivery.receipt, message.mutable_receipt());
  SetEvent(delivery.item, message);
  return message;
}

}  // namespace amparo::broker

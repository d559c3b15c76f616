#pragma once

#include "absl/status/statusor.h"
#include "amparo/v1/broker.pb.h"
#include "broker/core/relay.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/envelope.h"
#include "proto/envelope/log_entry.h"

// .pb <-> plain. FromProto is the only way in: it enforces sizes and forms.

namespace amparo::broker {

absl::StatusOr<Envelope> FromProto(const v1::Envelope& message);
absl::StatusOr<SignedAnchor> FromProto(const v1::SignedAnchor& message);

void ToProto(const LeafReceipt& receipt, v1::LeafReceipt* message);
// Takes the ciphertext over without copying it.
v1::MailboxItem ToProto(Delivery delivery);

}  // namespace amparo::broker

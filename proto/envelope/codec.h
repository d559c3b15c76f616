#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "proto/envelope/anchor.h"
#include "proto/envelope/envelope.h"

// Bytes <-> plain, for what is a signed protobuf (proto/amparo/v1/
// envelope.proto). The only constructors from outside bytes: INVALID_ARGUMENT
// for unknown fields, sizes and ranges out of their limits, and bytes that do
// not re-serialize to the very same.

namespace amparo {

Bytes EncodeHeader(const Header& header);
absl::StatusOr<Header> DecodeHeader(ByteView bytes);

Bytes EncodeEnvelope(const Envelope& envelope);
absl::StatusOr<Envelope> DecodeEnvelope(ByteView bytes);
// From the message's four fields, as gRPC hands them over.
absl::StatusOr<Envelope> MakeEnvelope(Bytes header, Bytes enc, Bytes ciphertext,
                                      ByteView signature);

Bytes EncodeAnchor(const Anchor& anchor);
absl::StatusOr<SignedAnchor> MakeSignedAnchor(Bytes anchor, ByteView signature);

}  // namespace amparo

#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "crypto/merkle.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// Receipts are Security Event Tokens (RFC 8417): JWS, typ secevent+jwt, one
// event. `delivered` and `undecryptable` go to the broker in clear, free the
// mailbox and are logged; the others travel inside envelopes.

namespace amparo {

inline constexpr char kReceiptTyp[] = "secevent+jwt";

enum class ReceiptKind {
  kDelivered,
  kUndecryptable,
  kOpened,
  kErased,
  kComplaint
};
absl::string_view NameOf(ReceiptKind kind);  // "delivered", ...
// Event URI in the token: "https://amparo.example/events/" + name.
std::string EventUri(ReceiptKind kind);

struct Receipt {
  Digest net;
  MemberId issuer;
  MemberId audience;  // the sender of what is acknowledged
  absl::Time at;
  EventId jti;
  ReceiptKind kind = ReceiptKind::kDelivered;
  Digest digest;   // of the envelope
  LeafIndex leaf;  // of the envelope
  bool operator==(const Receipt&) const = default;
};

std::string SignReceipt(const Receipt& receipt, const SigningKey& key);
// INVALID_ARGUMENT for malformed, PERMISSION_DENIED for a bad signature. That
// `kid` is a key of `issuer`, and that net, audience, digest and leaf are those
// of the envelope, is the caller's to check.
struct VerifiedReceipt {
  Receipt receipt;
  Digest kid;
};
absl::StatusOr<VerifiedReceipt> VerifyReceipt(absl::string_view token,
                                              const KeyLookup& keys);
// Content without a check of typ and signature.
absl::StatusOr<Receipt> PeekReceipt(absl::string_view token);

}  // namespace amparo

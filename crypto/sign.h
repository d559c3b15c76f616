#pragma once

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/keys.h"

// The one Ed25519 signer and the one verifier (RFC 8032). OpenSSL's verifier is
// never used: verifiers disagree on edge cases, and whatever one of ours
// accepted, every other must accept too.

namespace amparo {

using Signature = std::array<uint8_t, 64>;

// Signs `label || 0x00 || bytes`. `label` has no 0x00.
Signature Sign(const SigningKey& key, absl::string_view label, ByteView bytes);

// PERMISSION_DENIED, in one wording for every cause, unless `signature` is
// Ed25519 by `key` over `label || 0x00 || bytes`. Strict: non-canonical and
// small-order R and key are refused.
absl::Status VerifyStrict(const VerifyKey& key, absl::string_view label,
                          ByteView bytes, ByteView signature);

// The same without a label, for formats that bring their own separation: JWS
// and C2SP signed notes.
Signature SignRaw(const SigningKey& key, ByteView message);
absl::Status VerifyStrictRaw(const VerifyKey& key, ByteView message,
                             ByteView signature);

// Self-test of the libsodium in use; FAILED_PRECONDITION when it accepts a
// signature it must refuse (CVE-2025-69277).
absl::Status SelfTestSign();

}  // namespace amparo

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/json.h"

namespace amparo {

// Gives what somebody else's library made to the code that an agent would use
// on it. `kind` and what `request` holds (bytes in base64url):
//   open       private_key, info, enc, ciphertext   HPKE
//   jws        token, typ, x                        any compact JWS
//   key_event  token, x      receipt    token, x
//   charter    document      its first version, pinned by its own hash
//   referral   serialized, x                        SD-JWT with slots
//   grant      serialized, x                        SD-JWT with a set
// where x is the signer's public key. What our code read in it, or its refusal.
absl::StatusOr<Json> Accept(const std::string& kind, const Json& request);

}  // namespace amparo

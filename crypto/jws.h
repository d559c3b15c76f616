#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/keys.h"

// JSON Web Signature (RFC 7515) with EdDSA (RFC 8037), nothing else: `alg` is
// EdDSA or the token is refused, `typ` is explicit (RFC 8725 section 3.11),
// `kid` is the RFC 7638 thumbprint, base64url. Headers hold alg, typ and kid
// only; `crit`, `jwk`, `x5c` and any other header are refused.

namespace amparo {

// Finds the key that `kid` names at the place in the log the caller has in
// mind. An error refuses the token and is what the verifier returns. Keys
// inside tokens are never used.
using KeyLookup = std::function<absl::StatusOr<VerifyKey>(const Digest& kid)>;

struct VerifiedJws {
  Json payload;  // an object
  Digest kid;    // whose key signed
};

// Compact serialization of `payload`, signed by `key`. Precondition: an object
// that ParseJson would take.
std::string SignJws(const SigningKey& key, absl::string_view typ,
                    const Json& payload);

// INVALID_ARGUMENT for what is no such JWS, PERMISSION_DENIED for a signature
// or key that does not fit. `size_max` in bytes of `token`.
absl::StatusOr<VerifiedJws> VerifyJws(absl::string_view token,
                                      absl::string_view typ,
                                      const KeyLookup& keys, size_t size_max);

// The payload without any check of the signature: only to find out whose key
// to look for, or to show what a human is about to sign.
absl::StatusOr<Json> PeekJwsPayload(absl::string_view token, size_t size_max);
// The `kid` and `typ` of the protected header, likewise unchecked.
absl::StatusOr<Digest> PeekJwsKid(absl::string_view token);
absl::StatusOr<std::string> PeekJwsTyp(absl::string_view token);

// General JSON serialization (RFC 7515 section 7.2.1): one payload, several
// signatures, each with its own protected header.
struct MultiJws {
  std::string payload;  // the JSON text that is signed, as it was signed
  struct Entry {
    std::string protected_header;  // base64url
    Digest kid;
    Bytes signature;  // 64 bytes
  };
  std::vector<Entry> signatures;
};

// Text of `jws`; the same for the same signatures in the same order.
std::string FormatMultiJws(const MultiJws& jws);
// Structure only, one signature at least and one for a kid at most; none is
// checked. INVALID_ARGUMENT otherwise.
absl::StatusOr<MultiJws> ParseMultiJws(absl::string_view text, size_t size_max);
// Adds (or replaces) the signature of `key`.
void AddSignature(MultiJws& jws, const SigningKey& key, absl::string_view typ);
// OK when entry `index` is a good signature by `key` with this `typ`.
absl::Status VerifyMultiJwsEntry(const MultiJws& jws, size_t index,
                                 absl::string_view typ, const VerifyKey& key);

}  // namespace amparo

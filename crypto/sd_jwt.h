#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"

// Selective disclosure (SD-JWT, RFC 9901), in the two shapes of
// docs/PROTOCOL.md. Object-property disclosures only: [salt, name, value] with
// a 32-byte salt, SHA-256 digests. No key binding. `_sd` stands nowhere but
// where the shape says, `...` nowhere.
//
// Slots:  payload.sections = {NAME: {"_sd": [one digest]}}. Every name of the
//         schema has exactly one digest, real or decoy: withheld looks absent.
// Set:    payload.provisions = {"_sd": [digests, sorted, padded with decoys to
//         8, 16, 32]}.

namespace amparo {

// One disclosure as it travels: base64url of the JSON array.
using Disclosure = std::string;

// An issuer-signed JWT and every disclosure its issuer made. `jwt` never
// changes afterwards; which disclosures go with it is decided per recipient.
struct IssuedSdJwt {
  std::string jwt;                                // compact JWS
  std::map<std::string, Disclosure> disclosures;  // by name
};

// A verified SD-JWT: the signed claims, and the values that were disclosed.
struct VerifiedSdJwt {
  Json claims;  // without `sections`/`provisions` and `_sd_alg`
  Digest kid;
  std::map<std::string, Json> values;  // by name; only what was disclosed
  std::vector<std::string> slots;      // names of all slots (Slots shape)
};

// Signs `claims` plus `_sd_alg` and the slots. A value for each name of
// `values`; every other name of `slot_names` gets a decoy digest.
// INVALID_ARGUMENT when a value's name is not in `slot_names`, a claim or a key
// in a value is reserved, a slot is named like a claim, or anything is nested
// too deep to be verified.
absl::StatusOr<IssuedSdJwt> IssueSlots(
    const SigningKey& key, absl::string_view typ, const Json& claims,
    const std::vector<std::string>& slot_names,
    const std::map<std::string, Json>& values);

// Signs `claims` plus `_sd_alg` and the set. Names are random (26 characters of
// base32); the result's disclosures are keyed by them, in the order of
// `values`: `names[i]` is the name of `values[i]`. At most 32 values.
struct IssuedSet {
  IssuedSdJwt sd_jwt;
  std::vector<std::string> names;
};
absl::StatusOr<IssuedSet> IssueSet(const SigningKey& key, absl::string_view typ,
                                   const Json& claims,
                                   const std::vector<Json>& values);

// Checks signature, shape and that each disclosure fits its own slot (or one
// digest of the set), none twice. INVALID_ARGUMENT for malformed,
// PERMISSION_DENIED for what does not fit. `size_max`: bytes of `jwt` and
// `disclosures` together.
absl::StatusOr<VerifiedSdJwt> VerifySdJwt(
    absl::string_view jwt, const std::vector<Disclosure>& disclosures,
    absl::string_view typ, const KeyLookup& keys, size_t size_max);

// SHA-256 of the issuer-signed JWT (ASCII) without disclosures: its name in
// anchors, revocations and `digest` fields.
Digest SdJwtDigest(absl::string_view jwt);

// "JWT~disclosure~...~": the standard's own serialization, for other JOSE
// tools.
std::string SerializeSdJwt(absl::string_view jwt,
                           const std::vector<Disclosure>& disclosures);
struct ParsedSdJwt {
  std::string jwt;
  std::vector<Disclosure> disclosures;
};
absl::StatusOr<ParsedSdJwt> ParseSdJwt(absl::string_view text, size_t size_max);

}  // namespace amparo

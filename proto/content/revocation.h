#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

// Ends a grant, and those it supersedes. Only the grant's issuer may.
inline constexpr char kRevocationTyp[] = "amparo-revocation+jwt";
struct Revocation {
  Digest net;
  MemberId issuer;
  absl::Time at;
  EventId event_id;
  CaseId case_id;
  Digest grant;  // Grant::digest
  bool operator==(const Revocation&) const = default;
};
std::string SignRevocation(const Revocation& revocation, const SigningKey& key);
// INVALID_ARGUMENT for malformed, PERMISSION_DENIED for a bad signature.
absl::StatusOr<Revocation> VerifyRevocation(absl::string_view token,
                                            const KeyLookup& keys);

}  // namespace amparo

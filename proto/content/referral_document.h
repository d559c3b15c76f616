#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "crypto/sd_jwt.h"
#include "proto/content/codes.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

// A referral, or an update of one, as signed (docs/PROTOCOL.md, Referral): an
// SD-JWT with exactly one digest for every slot of the schema, so that a
// section withheld looks like one that does not exist.

namespace amparo {

inline constexpr char kReferralTyp[] = "amparo-referral+sd-jwt";

struct ReferralClaims {
  Digest net;
  MemberId issuer;
  absl::Time issued_at;
  EventId event_id;  // jti
  CaseId case_id;
  ReferralId referral_id;
  Priority priority = Priority::kRoutine;
  std::optional<Digest> prev;  // digest of the version this one updates

  bool is_update() const { return prev.has_value(); }
  bool operator==(const ReferralClaims&) const = default;
};

struct IssuedReferral {
  ReferralClaims claims;
  std::string jwt;
  Digest digest;                           // of `jwt`
  std::map<Slot, Disclosure> disclosures;  // all; which go is Decide's
};

// INVALID_ARGUMENT for a value that ValidateSlot refuses, or (code
// "too_large") a document that no payload takes.
absl::StatusOr<IssuedReferral> IssueReferral(const ReferralClaims& claims,
                                             const std::map<Slot, Json>& values,
                                             const SigningKey& key);

struct ReferralDocument {
  ReferralClaims claims;
  Digest digest;
  Digest kid;
  std::map<Slot, Json> values;  // what was disclosed

  std::set<Slot> slots() const;
};

// INVALID_ARGUMENT for malformed, for slots that are not the schema's, and for
// values no form could hold; PERMISSION_DENIED for a signature or a disclosure
// that does not fit its slot.
absl::StatusOr<ReferralDocument> VerifyReferral(
    absl::string_view jwt, const std::vector<Disclosure>& disclosures,
    const KeyLookup& keys);

}  // namespace amparo

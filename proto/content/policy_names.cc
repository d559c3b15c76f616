#include "proto/content/names.h"
#include "proto/content/policy.h"

namespace amparo {
namespace {

constexpr Names<GrantStatus, 5> kStatuses = {{
    {GrantStatus::kActive, "active"},
    {GrantStatus::kSuperseded, "superseded"},
    {GrantStatus::kRevoked, "revoked"},
    {GrantStatus::kExpired, "expired"},
    {GrantStatus::kInvalidated, "invalidated"},
}};
constexpr Names<View, 3> kViews = {{
    {View::kFull, "full"},
    {View::kSummary, "summary"},
    {View::kNone, "none"},
}};
constexpr Names<Reason, 13> kReasons = {{
    {Reason::kGranted, "granted"},
    {Reason::kBasis, "basis"},
    {Reason::kMatrix, "matrix"},
    {Reason::kDenied, "denied"},
    {Reason::kExcluded, "excluded"},
    {Reason::kNotFirstContact, "not_first_contact"},
    {Reason::kNotNamed, "not_named"},
    {Reason::kNoPermit, "no_permit"},
    {Reason::kPurpose, "purpose"},
    {Reason::kNotYet, "not_yet"},
    {Reason::kExpired, "expired"},
    {Reason::kRevoked, "revoked"},
    {Reason::kSuspended, "suspended"},
}};

}  // namespace

absl::string_view NameOf(GrantStatus status) {
  return NameIn(kStatuses, status);
}
absl::string_view NameOf(View view) { return NameIn(kViews, view); }
absl::string_view NameOf(Reason reason) { return NameIn(kReasons, reason); }

GrantStatus StatusAt(const HeldGrant& held, absl::Time now) {
  if (held.status == GrantStatus::kActive && now >= held.grant.until)
    return GrantStatus::kExpired;
  return held.status;
}

absl::string_view ErrorCodeFor(Reason reason) {
  switch (reason) {
    case Reason::kMatrix:
    case Reason::kNotFirstContact:
      return "matrix";
    case Reason::kExcluded:
      return "excluded";
    case Reason::kExpired:
      return "consent_expired";
    case Reason::kRevoked:
      return "consent_revoked";
    case Reason::kSuspended:
      return "member_suspended";
    default:
      return "no_consent";
  }
}

}  // namespace amparo

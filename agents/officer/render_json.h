#pragma once

#include "absl/status/statusor.h"
#include "amparo/agent/v1/agent.pb.h"
#include "base/json.h"

// The agent's answers for programs (docs/PROTOCOL.md, Results): keys in their
// documented order, what is absent null, lists never null, times in UTC.

namespace amparo::officer {

namespace v1 = ::amparo::agent::v1;

// A send; "referral_dry_run/1" for a dry run or a refusal.
absl::StatusOr<Json> ToJson(const v1::SendResponse& sent);
absl::StatusOr<Json> ToJson(const v1::ListReferralsResponse& list);
// INTERNAL when a section's fields are no JSON; likewise a consent's
// provisions.
absl::StatusOr<Json> ToJson(const v1::ReferralView& referral);
absl::StatusOr<Json> ToJson(const v1::ReferralChange& change);
absl::StatusOr<Json> ToJson(const v1::InboxResponse& inbox);
absl::StatusOr<Json> ToJson(const v1::RecordConsentResponse& recorded);
absl::StatusOr<Json> ToJson(const v1::RevokeConsentResponse& revoked);
absl::StatusOr<Json> ToJson(const v1::ListConsentsResponse& list);
absl::StatusOr<Json> ToJson(const v1::ConsentView& consent);
absl::StatusOr<Json> ToJson(const v1::ListCasesResponse& list);
absl::StatusOr<Json> ToJson(const v1::CaseView& view);
absl::StatusOr<Json> ToJson(const v1::EvidenceDocument& document);
absl::StatusOr<Json> ToJson(const v1::CaseOpening& opening);
absl::StatusOr<Json> ToJson(const v1::ListReviewsResponse& list);
// INTERNAL when the reasons are no JSON.
absl::StatusOr<Json> ToJson(const v1::ReviewView& review);
absl::StatusOr<Json> ToJson(const v1::ListMembersResponse& list);
absl::StatusOr<Json> ToJson(const v1::MemberView& member);
absl::StatusOr<Json> ToJson(const v1::StatusResponse& status);
absl::StatusOr<Json> ToJson(const v1::OfficerView& officer);
absl::StatusOr<Json> ToJson(const v1::ListOfficersResponse& list);
absl::StatusOr<Json> ToJson(const v1::AccessLogResponse& log);

// Whether `sent` says what would go instead of what went.
bool IsFinding(const v1::SendResponse& sent);

}  // namespace amparo::officer

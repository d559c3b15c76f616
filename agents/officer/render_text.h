#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agents/officer/text.h"
#include "amparo/agent/v1/agent.pb.h"

// The agent's answers for people. Each ends with a line break.

namespace amparo::officer {

namespace v1 = ::amparo::agent::v1;

absl::StatusOr<std::string> ToText(const v1::SendResponse& sent,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ListReferralsResponse& list,
                                   const TextStyle& style);
// INTERNAL when a section's fields are no JSON; likewise a consent's
// provisions.
absl::StatusOr<std::string> ToText(const v1::ReferralView& referral,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ReferralChange& change,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::InboxResponse& inbox,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::RecordConsentResponse& recorded,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::RevokeConsentResponse& revoked,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ListConsentsResponse& list,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ConsentView& consent,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ListCasesResponse& list,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::CaseView& view,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::EvidenceDocument& document,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::CaseOpening& opening,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ListReviewsResponse& list,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ReviewView& review,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ListMembersResponse& list,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::MemberView& member,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::StatusResponse& status,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::OfficerView& officer,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::ListOfficersResponse& list,
                                   const TextStyle& style);
absl::StatusOr<std::string> ToText(const v1::AccessLogResponse& log,
                                   const TextStyle& style);

// Rows that several answers show.
std::string ReferralRows(
    const google::protobuf::RepeatedPtrField<v1::ReferralRow>& rows,
    const TextStyle& style);
std::string ConsentRows(
    const google::protobuf::RepeatedPtrField<v1::ConsentView>& consents,
    const TextStyle& style);
std::string EventRows(
    const google::protobuf::RepeatedPtrField<v1::EventView>& events,
    const TextStyle& style);
std::string InboxRows(
    const google::protobuf::RepeatedPtrField<v1::InboxItem>& items,
    const TextStyle& style);

}  // namespace amparo::officer

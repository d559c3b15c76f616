#include "proto/network/member.h"

#include <array>
#include <utility>

namespace amparo {
namespace {

constexpr std::pair<MemberKind, const char*> kKinds[] = {
    {MemberKind::kVictimSupport, "victim_support"},
    {MemberKind::kShelter, "shelter"},
    {MemberKind::kHealth, "health"},
    {MemberKind::kPolice, "police"},
    {MemberKind::kProsecutor, "prosecutor"},
    {MemberKind::kChildProtection, "child_protection"},
    {MemberKind::kSocialServices, "social_services"},
    {MemberKind::kLegalAid, "legal_aid"},
    {MemberKind::kEducationEmployment, "education_employment"},
    {MemberKind::kPerpetratorProgramme, "perpetrator_programme"},
    {MemberKind::kHotline, "hotline"},
    {MemberKind::kCoordinator, "coordinator"},
    {MemberKind::kAuditor, "auditor"},
    {MemberKind::kStatistician, "statistician"},
};

constexpr std::pair<MemberStatus, const char*> kStatuses[] = {
    {MemberStatus::kInvited, "invited"},
    {MemberStatus::kActive, "active"},
    {MemberStatus::kSuspended, "suspended"},
    {MemberStatus::kLeft, "left"},
};

}  // namespace

absl::string_view NameOf(MemberKind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return name;
  return "";
}

absl::StatusOr<MemberKind> ParseMemberKind(absl::string_view name) {
  for (const auto& [value, known] : kKinds)
    if (name == known) return value;
  return absl::InvalidArgumentError("unknown kind of member");
}

bool HasMailbox(MemberKind kind) {
  return kind != MemberKind::kAuditor && kind != MemberKind::kStatistician;
}

const std::vector<MemberKind>& AllMemberKinds() {
  static const std::vector<MemberKind> kinds = [] {
    std::vector<MemberKind> all;
    for (const auto& [kind, name] : kKinds) all.push_back(kind);
    return all;
  }();
  return kinds;
}

absl::string_view NameOf(MemberStatus status) {
  for (const auto& [value, name] : kStatuses)
    if (value == status) return name;
  return "";
}

absl::StatusOr<MemberStatus> ParseMemberStatus(absl::string_view name) {
  for (const auto& [value, known] : kStatuses)
    if (name == known) return value;
  return absl::InvalidArgumentError("unknown member status");
}

}  // namespace amparo

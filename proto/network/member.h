#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/strong_id.h"
#include "crypto/keys.h"

namespace amparo {

// An institution that signed the protocol, or a branch of one.
using MemberId = StrongId<struct MemberTag>;
// What a network calls itself: the log's origin, and part of the URIs in
// certificates. The one place that says what it may be.
using NetworkName = StrongId<struct NetworkTag>;

// What an institution is; decides, with the charter's matrix, what it may
// receive. `auditor` and `statistician` have no mailbox.
enum class MemberKind {
  kVictimSupport,
  kShelter,
  kHealth,
  kPolice,
  kProsecutor,
  kChildProtection,
  kSocialServices,
  kLegalAid,
  kEducationEmployment,
  kPerpetratorProgramme,
  kHotline,
  kCoordinator,
  kAuditor,
  kStatistician,
};
absl::string_view NameOf(MemberKind kind);  // "victim_support", ...
absl::StatusOr<MemberKind> ParseMemberKind(absl::string_view name);
bool HasMailbox(MemberKind kind);
const std::vector<MemberKind>& AllMemberKinds();

enum class MemberStatus { kInvited, kActive, kSuspended, kLeft };
absl::string_view NameOf(MemberStatus status);  // "invited", ...
absl::StatusOr<MemberStatus> ParseMemberStatus(absl::string_view name);

// A member as the charter has it.
struct Member {
  MemberId id;
  std::string name;
  MemberKind kind;
  std::optional<MemberId> parent;
  std::vector<std::string> territory;
  std::string contact;  // a duty, never a person
  MemberStatus status;
  absl::Time since;
  std::optional<VerifyKey> identity_key;  // none while invited
  std::optional<VerifyKey> witness_key;   // none: not a witness
};

}  // namespace amparo

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/setting.h"
#include "agents/committee/verbs.h"
#include "base/clock.h"

// The verbs that change the draft and nothing else: they sign nothing and ask
// nobody. Each refuses, with the code "conflict", while the version is being
// signed, and what would make no charter.

namespace amparo::committee {

enum class StatusVerb {
  kSuspend,    // of an active member
  kReinstate,  // of a suspended one, in the charter or by two keys
  kWithdraw,   // of any that has not left: for good
};

struct StatusOptions {
  StatusVerb verb;
  std::string member;
  // From when what the member sends is not believed; default: now. At other
  // members; the broker refuses it once the version is published.
  std::optional<absl::Time> since;
};
// FAILED_PRECONDITION (code "invalid_state") when the member's status is none
// that the verb goes out from. The same status again changes nothing, but that
// kReinstate gives an active member a new date: it ends a suspension by two
// keys, of which a charter says nothing.
absl::StatusOr<Outcome> ChangeStatus(const CharterFolder& folder,
                                     const StatusOptions& options,
                                     const Clock& clock);

// Whether add-member is asked for a new member ("ID:KIND[:NAME]") and not for
// one that the draft names ("ID").
bool IsNewMember(absl::string_view text);
// A new member, invited and without keys: the draft's, until it has joined and
// AddMember takes its keys in. INVALID_ARGUMENT says what an id is and which
// kinds there are; ALREADY_EXISTS for an id that the draft gave out, a former
// member's included. The same again changes nothing.
absl::StatusOr<Outcome> InviteMember(const CharterFolder& folder,
                                     const std::string& text,
                                     const Clock& clock);

struct SetOptions {
  std::vector<std::string> words;  // name and values, see setting.h
  ListChange change = ListChange::kReplace;
};
// Sets one key of the draft.
absl::StatusOr<Outcome> Set(const CharterFolder& folder,
                            const SetOptions& options);

}  // namespace amparo::committee

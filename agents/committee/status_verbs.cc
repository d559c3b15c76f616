#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/draft_edit.h"
#include "agents/committee/draft_verbs.h"
#include "agents/committee/held_suspensions.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/suspension.h"

namespace amparo::committee {
namespace {

MemberStatus Goal(StatusVerb verb) {
  switch (verb) {
    case StatusVerb::kSuspend:
      return MemberStatus::kSuspended;
    case StatusVerb::kReinstate:
      return MemberStatus::kActive;
    case StatusVerb::kWithdraw:
      return MemberStatus::kLeft;
  }
  return MemberStatus::kLeft;
}

bool LeadsThere(StatusVerb verb, MemberStatus from) {
  switch (verb) {
    case StatusVerb::kSuspend:
      return from == MemberStatus::kActive;
    case StatusVerb::kReinstate:
      return from == MemberStatus::kSuspended;
    case StatusVerb::kWithdraw:
      return from != MemberStatus::kLeft;
  }
  return false;
}

const char* InsteadOf(StatusVerb verb, MemberStatus from) {
  if (from == MemberStatus::kInvited)
    return verb == StatusVerb::kReinstate
               ? "it has not joined yet: amparo-charter add-member"
               : "it has not joined yet: amparo-charter withdraw";
  return "it has left for good: it comes back only under another id, by "
         "amparo-charter add-member ID:KIND";
}

std::vector<std::string> KeysOf(const Charter& draft, const MemberId& member) {
  std::vector<std::string> ids;
  for (const GovernanceKey& key : draft.governance)
    if (key.member == member) ids.push_back(key.id);
  return ids;
}

// The latest time that this folder knows of what was decided about `member`:
// what comes after it has a later date, whatever this machine's clock says.
absl::StatusOr<absl::Time> DecidedLast(const CharterFolder& folder,
                                       const DraftEdit& edit,
                                       const MemberId& id) {
  absl::Time last = absl::InfinitePast();
  if (edit.published().has_value())
    if (const Member* before = edit.published()->charter.Find(id))
      last = before->since;
  for (const std::string& path :
       {folder.SuspensionPath(id), folder.PendingSuspensionPath(id)}) {
    if (!FileExists(path)) continue;
    ASSIGN_OR_RETURN(const std::string text,
                     ReadFile(path, kSuspensionBytesMax));
    const absl::StatusOr<Suspension> suspension = PeekSuspension(text);
    if (!suspension.ok()) return Annotate(suspension.status(), path);
    last = std::max(last, suspension->from);
  }
  return last;
}

absl::Status CheckAfter(absl::Time since, absl::Time last, bool is_clocks) {
  if (since >= last) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(is_clocks ? "this machine's clock says " : "--since is ",
                   FormatUtc(since), ", which lies before ", FormatUtc(last),
                   ", when the member was stopped: it would lift nothing"),
      {.code = "invalid_state",
       .field = "--since",
       .hint = is_clocks ? "set the clock, or give the time by --since"
                         : "give a later one"});
}

// What to know of a member that is active, and reinstated all the same.
absl::StatusOr<std::string> NoteOnActive(const CharterFolder& folder,
                                         const DraftEdit& edit,
                                         const MemberId& id, absl::Time now) {
  if (!edit.published().has_value()) return "";
  ASSIGN_OR_RETURN(const std::vector<Suspension> held,
                   HeldSuspensions(folder, edit.published()->charter, now));
  for (const Suspension& one : held)
    if (one.member == id)
      return absl::StrCat("It ends the suspension of ", id.text(),
                          " that would hold until ", FormatUtc(one.until),
                          ".\n");
  return absl::StrCat("This folder knows of no suspension of ", id.text(),
                      " by two keys; another machine may have published "
                      "one. Without one there is nothing to reinstate.\n");
}

Outcome OutcomeOf(const DraftEdit& edit, const Member& member,
                  const std::vector<std::string>& changes,
                  const std::string& note) {
  const Charter& draft = edit.draft();
  const std::vector<std::string> warnings = edit.Warnings();
  const std::vector<std::string> keys = KeysOf(draft, member.id);
  Outcome outcome;
  outcome.json = {{"schema", "charter_status/1"},
                  {"member", member.id.text()},
                  {"status", std::string(NameOf(member.status))},
                  {"since", FormatUtc(member.since)},
                  {"governance_keys", keys},
                  {"changes", changes},
                  {"warnings", warnings},
                  {"version", draft.version}};
  if (changes.empty()) {
    outcome.text = absl::StrCat(member.id.text(), " is ", NameOf(member.status),
                                " in the draft already.\n");
    return outcome;
  }
  outcome.text = absl::StrCat(absl::StrJoin(changes, "\n"), "\n", note);
  if (!keys.empty() && member.status != MemberStatus::kActive)
    absl::StrAppend(&outcome.text, "It still holds governance key ",
                    absl::StrJoin(keys, ", "),
                    ": amparo-charter remove-key, or add-key --replaces.\n");
  for (const std::string& line : warnings)
    absl::StrAppend(&outcome.text, line, "\n");
  absl::StrAppend(&outcome.text, "Draft of version ", draft.version,
                  ". It counts when it is published. Next: amparo-charter "
                  "sign\n");
  return outcome;
}

}  // namespace

absl::StatusOr<Outcome> ChangeStatus(const CharterFolder& folder,
                                     const StatusOptions& options,
                                     const Clock& clock) {
  ASSIGN_OR_RETURN(DraftEdit edit, DraftEdit::Begin(folder));
  ASSIGN_OR_RETURN(Member * member, edit.Find(options.member));
  const MemberStatus goal = Goal(options.verb);
  // An active member that two keys suspended comes back by a new date. Whether
  // they did, this folder need not know: it may be another machine's.
  const bool moved_only =
      member->status == goal &&
      (options.since.has_value() || options.verb == StatusVerb::kReinstate);
  if (member->status != goal && !LeadsThere(options.verb, member->status))
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat(
            member->id.text(), " is ", NameOf(member->status), ", not ",
            options.verb == StatusVerb::kReinstate ? "suspended" : "active"),
        {.code = "invalid_state",
         .field = "MEMBER",
         .hint = InsteadOf(options.verb, member->status)});
  std::string note;
  if (member->status == goal && options.verb == StatusVerb::kReinstate) {
    ASSIGN_OR_RETURN(note, NoteOnActive(folder, edit, member->id, clock.Now()));
  }
  if (member->status != goal || moved_only) {
    const absl::Time since =
        TimeFromUnix(UnixSeconds(options.since.value_or(clock.Now())));
    if (options.verb == StatusVerb::kReinstate) {
      ASSIGN_OR_RETURN(const absl::Time last,
                       DecidedLast(folder, edit, member->id));
      RETURN_IF_ERROR(CheckAfter(since, last, !options.since.has_value()));
    }
    member->status = goal;
    member->since = since;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> changes, edit.Keep());
  return OutcomeOf(edit, *member, changes, note);
}

}  // namespace amparo::committee

#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/committee/draft_edit.h"
#include "agents/committee/verbs.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/invitation.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

absl::StatusOr<JoinRequest> FetchRequest(const MemberId& member,
                                         const AcceptedCharter& newest,
                                         EnrolmentPort& broker) {
  absl::StatusOr<std::string> document = broker.GetJoinRequest(member);
  if (absl::IsNotFound(document.status()))
    return MakeError(
        absl::StatusCode::kNotFound,
        absl::StrCat(member.text(), " has not left a join request"),
        {.code = "not_found",
         .hint = "first amparo-broker invite, then amparo-agent join"});
  RETURN_IF_ERROR(document.status());
  ASSIGN_OR_RETURN(JoinRequest request, VerifyJoinRequest(*document));
  if (request.member != member || request.net != newest.network_id)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the join request is of another member or network",
                     {.code = "verification_failed"});
  return request;
}

// A join request may be older than what was decided of its member since.
absl::Status CheckMayJoin(const Member& member) {
  const bool has_left = member.status == MemberStatus::kLeft;
  if (!has_left && member.status != MemberStatus::kSuspended)
    return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(member.id.text(), " is ", NameOf(member.status)),
      {.code = "invalid_state",
       .field = "MEMBER",
       .hint = has_left ? "it comes back only under another id: amparo-charter "
                          "add-member ID:KIND"
                        : "amparo-charter reinstate first"});
}

// True once somebody has compared the words.
absl::StatusOr<bool> WordsAreRight(const AddMemberOptions& options,
                                   const std::string& words,
                                   const std::string& member, Dialog& dialog) {
  dialog.Tell(absl::StrCat("The join request of ", member, " has the words:"));
  dialog.Tell(absl::StrCat("  ", words));
  if (options.words_confirmed) return true;
  dialog.Tell(
      "Compare them by phone, or on paper, with what its agent showed.");
  return dialog.Confirm("Are they the same?");
}

Outcome OutcomeOf(const Member& member, const std::string& words,
                  uint64_t version) {
  Outcome outcome;
  outcome.json = {{"schema", "charter_add_member/1"},
                  {"member", member.id.text()},
                  {"status", std::string(NameOf(member.status))},
                  {"identity_key", member.identity_key->ToString()},
                  {"words", words},
                  {"version", version}};
  outcome.text = absl::StrCat(member.id.text(), " is ", NameOf(member.status),
                              " in the draft of version ", version,
                              ". Next: amparo-charter sign\n");
  return outcome;
}

}  // namespace

absl::StatusOr<Outcome> AddMember(const CharterFolder& folder,
                                  const AddMemberOptions& options,
                                  EnrolmentPort& broker, Dialog& dialog,
                                  const Clock& clock) {
  ASSIGN_OR_RETURN(const MemberId id, MemberId::Parse(options.member));
  ASSIGN_OR_RETURN(const std::optional<AcceptedCharter> newest,
                   folder.Newest());
  if (!newest.has_value())
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "version 1 is not published yet",
                     {.code = "invalid_state"});
  ASSIGN_OR_RETURN(DraftEdit edit, DraftEdit::Begin(folder));
  ASSIGN_OR_RETURN(Member * member, edit.Find(id.text()));
  RETURN_IF_ERROR(CheckMayJoin(*member));
  ASSIGN_OR_RETURN(const JoinRequest request,
                   FetchRequest(id, *newest, broker));
  const std::string words =
      RequestWords(request.identity_key, request.witness_key);
  if (member->status == MemberStatus::kActive &&
      member->identity_key == request.identity_key)
    return OutcomeOf(*member, words, edit.version());
  if (member->identity_key.has_value())
    dialog.Tell(
        absl::StrCat("This REPLACES the identity key of ", id.text(), "."));
  ASSIGN_OR_RETURN(const bool right,
                   WordsAreRight(options, words, id.text(), dialog));
  if (!right)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the words were not confirmed: nothing was changed",
                     {.code = "verification_failed"});
  member->status = MemberStatus::kActive;
  member->since = TimeFromUnix(UnixSeconds(clock.Now()));
  member->identity_key = request.identity_key;
  // Who has no mailbox runs no agent that could watch day and night.
  if (HasMailbox(member->kind)) member->witness_key = request.witness_key;
  RETURN_IF_ERROR(edit.Keep().status());
  return OutcomeOf(*member, words, edit.version());
}

}  // namespace amparo::committee

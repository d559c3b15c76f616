#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/draft_edit.h"
#include "agents/committee/draft_verbs.h"
#include "agents/committee/founding.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

// What is wrong with taking `founder` in as a new one, where the draft has its
// id already.
absl::Status Taken(const Member& member) {
  const std::string id(member.id.text());
  const bool has_left = member.status == MemberStatus::kLeft;
  const std::string is = absl::StrCat(
      id, has_left ? " has left the network: " : " is in the draft already: ",
      member.name, ", ", NameOf(member.kind),
      has_left ? "" : absl::StrCat(", ", NameOf(member.status)));
  const auto refuse = [&](const std::string& hint) {
    return MakeError(absl::StatusCode::kAlreadyExists, is,
                     {.code = "conflict", .field = "MEMBER", .hint = hint});
  };
  switch (member.status) {
    case MemberStatus::kLeft:
      return refuse("an id is never given out again: take another one");
    case MemberStatus::kSuspended:
      return refuse(absl::StrCat("amparo-charter reinstate ", id));
    case MemberStatus::kInvited:
    case MemberStatus::kActive:
      break;
  }
  return refuse(absl::StrCat("amparo-charter add-member ", id,
                             " takes its keys in, once it has joined; another "
                             "institution needs another id"));
}

Outcome OutcomeOf(const DraftEdit& edit, const Member& member,
                  const std::vector<std::string>& changes) {
  const std::string id(member.id.text());
  Outcome outcome;
  outcome.json = {{"schema", "charter_add_member/1"},
                  {"member", id},
                  {"status", std::string(NameOf(member.status))},
                  {"identity_key", nullptr},
                  {"words", nullptr},
                  {"version", edit.version()}};
  outcome.text = absl::StrCat(
      changes.empty() ? absl::StrCat(id, " is invited in the draft already.\n")
                      : absl::StrCat(absl::StrJoin(changes, "\n"), "\n"),
      "Draft of version ", edit.version(),
      ". Next: amparo-charter sign, merge, publish; then\n"
      "  amparo-broker invite ",
      id, "   at the broker\n  amparo-agent join           at ", id,
      "\n  amparo-charter add-member ", id,
      ", once its words were compared, and a second round\n");
  return outcome;
}

}  // namespace

bool IsNewMember(absl::string_view text) {
  return text.find(':') != absl::string_view::npos;
}

absl::StatusOr<Outcome> InviteMember(const CharterFolder& folder,
                                     const std::string& text,
                                     const Clock& clock) {
  ASSIGN_OR_RETURN(Founder asked, ParseFounder(text, "MEMBER"));
  ASSIGN_OR_RETURN(DraftEdit edit, DraftEdit::Begin(folder));
  const Member* const there = edit.draft().Find(asked.id);
  if (there != nullptr) {
    const bool is_same = there->status == MemberStatus::kInvited &&
                         there->kind == asked.kind && there->name == asked.name;
    if (!is_same) return Taken(*there);
    return OutcomeOf(edit, *there, {});
  }
  const Member member{std::move(asked.id),
                      std::move(asked.name),
                      asked.kind,
                      std::nullopt,
                      {},
                      "",
                      MemberStatus::kInvited,
                      TimeFromUnix(UnixSeconds(clock.Now())),
                      std::nullopt,
                      std::nullopt};
  edit.draft().members.push_back(member);
  ASSIGN_OR_RETURN(const std::vector<std::string> changes, edit.Keep());
  return OutcomeOf(edit, member, changes);
}

}  // namespace amparo::committee

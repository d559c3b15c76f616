#include "agents/committee/key_verbs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/draft_edit.h"
#include "agents/committee/governance_key.h"
#include "agents/committee/key_file.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

constexpr size_t kPassphraseBytesMin = 12;

absl::StatusOr<SecretBuffer> NewPassphrase(const CharterFolder& folder,
                                           const NewKeyOptions& options,
                                           Dialog& dialog) {
  if (options.local) {
    SecretBuffer passphrase = GeneratePassphrase();
    RETURN_IF_ERROR(CreateFile(folder.PassPath(options.id),
                               AsText(passphrase.Expose()),
                               FileMode::kPrivate));
    return passphrase;
  }
  if (options.pass_file.empty())
    return dialog.Passphrase(
        absl::StrCat(options.id, ", held by ", options.member), true);
  ASSIGN_OR_RETURN(SecretBuffer passphrase,
                   ReadPassphraseFile(options.pass_file));
  if (passphrase.size() < kPassphraseBytesMin)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the passphrase is too short",
                     {.code = "usage",
                      .field = "--pass-file",
                      .expected = "at least 12 characters"});
  return passphrase;
}

auto FindKey(Charter& draft, const std::string& id) {
  return std::find_if(draft.governance.begin(), draft.governance.end(),
                      [&](const GovernanceKey& key) { return key.id == id; });
}

absl::Status NoSuchKey(const std::string& id, const char* field) {
  return MakeError(absl::StatusCode::kNotFound,
                   absl::StrCat("the draft has no governance key ", id),
                   {.code = "not_found", .field = field});
}

std::string TextOf(const std::vector<std::string>& changes, uint64_t version) {
  return absl::StrCat(absl::StrJoin(changes, "\n"), "\nDraft of version ",
                      version, ". Next: amparo-charter sign\n");
}

// An id was never another key's, neither in the draft nor in the version in
// force: else nobody could tell which of two keys is meant.
absl::Status CheckIdIsFree(DraftEdit& edit, const KeyStatement& statement) {
  bool taken =
      FindKey(edit.draft(), statement.id) != edit.draft().governance.end();
  if (edit.published().has_value())
    for (const GovernanceKey& key : edit.published()->charter.governance)
      taken = taken || key.id == statement.id;
  if (!taken) return absl::OkStatus();
  return MakeError(absl::StatusCode::kAlreadyExists,
                   absl::StrCat("there is a governance key ", statement.id),
                   {.code = "conflict",
                    .field = "FILE",
                    .hint = "make the new key under an id of its own"});
}

absl::Status CheckHolder(DraftEdit& edit, const KeyStatement& statement) {
  ASSIGN_OR_RETURN(const Member* holder, edit.Find(statement.member.text()));
  if (holder->status == MemberStatus::kInvited ||
      holder->status == MemberStatus::kActive)
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   absl::StrCat(statement.member.text(), " is ",
                                NameOf(holder->status), " and holds no key"),
                   {.code = "invalid_state", .field = "FILE"});
}

}  // namespace

absl::StatusOr<KeyStatement> MakeKeyFiles(const CharterFolder& folder,
                                          const NewKeyOptions& options,
                                          Dialog& dialog, const Clock& clock) {
  ASSIGN_OR_RETURN(const std::string id, ParseKeyId(options.id));
  ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(options.member));
  if (FileExists(folder.KeyPath(id)))
    return MakeError(
        absl::StatusCode::kAlreadyExists,
        absl::StrCat(folder.KeyPath(id), " exists"),
        {.code = "conflict",
         .field = "ID",
         .hint = "an id names one key for ever: take another one"});
  RETURN_IF_ERROR(folder.MakeKeyDirectory());
  ASSIGN_OR_RETURN(const SecretBuffer passphrase,
                   NewPassphrase(folder, options, dialog));
  const SigningKey key = SigningKey::Generate();
  ASSIGN_OR_RETURN(const std::string content,
                   SealKeyFile(key, passphrase,
                               options.local ? KeystoreCost::kInteractive
                                             : KeystoreCost::kSensitive));
  RETURN_IF_ERROR(CreateFile(folder.KeyPath(id), content, FileMode::kPrivate));
  KeyStatement statement{id, member, key.verify_key(),
                         TimeFromUnix(UnixSeconds(clock.Now()))};
  RETURN_IF_ERROR(WriteFile(folder.PublicPath(id),
                            SignKeyStatement(statement, key) + "\n",
                            FileMode::kPublic));
  return statement;
}

absl::StatusOr<Outcome> NewKey(const CharterFolder& folder,
                               const NewKeyOptions& options, Dialog& dialog,
                               const Clock& clock) {
  ASSIGN_OR_RETURN(const KeyStatement made,
                   MakeKeyFiles(folder, options, dialog, clock));
  const std::string words = GovernanceKeyWords(made.key);
  return Outcome{
      {{"schema", "charter_new_key/1"},
       {"id", made.id},
       {"member", made.member.text()},
       {"key", made.key.ToString()},
       {"words", words},
       {"file", folder.KeyPath(made.id)},
       {"public", folder.PublicPath(made.id)}},
      absl::StrCat("Made governance key ", made.id, " for ", made.member.text(),
                   ".\n  ", folder.KeyPath(made.id),
                   ": stays with you, offline; copy it, and its passphrase, to "
                   "another safe place\n  ",
                   folder.PublicPath(made.id),
                   ": give this one to whoever drafts the charter\nIts words, "
                   "to compare by phone: ",
                   words, "\n")};
}

absl::StatusOr<bool> KeyWordsAreRight(const KeyStatement& statement,
                                      bool confirmed, Dialog& dialog) {
  dialog.Tell(absl::StrCat("Governance key ", statement.id, " of ",
                           statement.member.text(), " has the words:"));
  dialog.Tell(absl::StrCat("  ", GovernanceKeyWords(statement.key)));
  if (confirmed) return true;
  dialog.Tell(
      "Compare them by phone, or on paper, with what new-key showed there.");
  return dialog.Confirm("Are they the same?");
}

absl::StatusOr<Outcome> AddKey(const CharterFolder& folder,
                               const AddKeyOptions& options, Dialog& dialog,
                               const Clock& clock) {
  ASSIGN_OR_RETURN(const KeyStatement statement,
                   ReadKeyStatement(options.file));
  const absl::Time until = TimeFromUnix(
      UnixSeconds(options.until.value_or(clock.Now() + kGovernanceKeyLife)));
  if (until <= clock.Now())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the key would have ended already",
                     {.code = "usage", .field = "--until"});
  ASSIGN_OR_RETURN(DraftEdit edit, DraftEdit::Begin(folder));
  RETURN_IF_ERROR(CheckHolder(edit, statement));
  RETURN_IF_ERROR(CheckIdIsFree(edit, statement));
  GovernanceKey key{statement.id, statement.member, statement.key, until};
  ASSIGN_OR_RETURN(const std::vector<AcceptedCharter> chain,
                   folder.WholeChain());
  RETURN_IF_ERROR(CheckIdWasNoOthers(chain, key));
  Charter& draft = edit.draft();
  auto place = draft.governance.end();
  if (!options.replaces.empty()) {
    place = FindKey(draft, options.replaces);
    if (place == draft.governance.end())
      return NoSuchKey(options.replaces, "--replaces");
  }
  ASSIGN_OR_RETURN(
      const bool right,
      KeyWordsAreRight(statement, options.words_confirmed, dialog));
  if (!right)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "the words were not confirmed: nothing was changed",
                     {.code = "verification_failed"});
  if (place != draft.governance.end())
    *place = std::move(key);
  else
    draft.governance.push_back(std::move(key));
  ASSIGN_OR_RETURN(const std::vector<std::string> changes, edit.Keep());
  return Outcome{
      {{"schema", "charter_add_key/1"},
       {"id", statement.id},
       {"member", statement.member.text()},
       {"key", statement.key.ToString()},
       {"words", GovernanceKeyWords(statement.key)},
       {"until", FormatUtc(until)},
       {"replaces",
        options.replaces.empty() ? Json(nullptr) : Json(options.replaces)},
       {"changes", changes},
       {"version", edit.version()}},
      TextOf(changes, edit.version())};
}

absl::StatusOr<Outcome> RemoveKey(const CharterFolder& folder,
                                  const std::string& id) {
  ASSIGN_OR_RETURN(DraftEdit edit, DraftEdit::Begin(folder));
  const auto place = FindKey(edit.draft(), id);
  if (place == edit.draft().governance.end()) return NoSuchKey(id, "ID");
  edit.draft().governance.erase(place);
  ASSIGN_OR_RETURN(const std::vector<std::string> changes, edit.Keep());
  return Outcome{{{"schema", "charter_remove_key/1"},
                  {"id", id},
                  {"changes", changes},
                  {"version", edit.version()}},
                 TextOf(changes, edit.version())};
}

}  // namespace amparo::committee

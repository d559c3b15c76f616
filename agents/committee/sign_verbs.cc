#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/committee/changes.h"
#include "agents/committee/governance_key.h"
#include "agents/committee/running_out.h"
#include "agents/committee/signatures.h"
#include "agents/committee/spare_witnesses.h"
#include "agents/committee/suspend_verbs.h"
#include "agents/committee/timezone.h"
#include "agents/committee/verbs.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/suspension.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

constexpr size_t kTokenFileBytesMax = 4096;

// The version that comes next, as the draft has it, and its signatures so far.
struct Next {
  std::optional<AcceptedCharter> before;
  Charter draft;
  MultiJws jws;
};

absl::StatusOr<Next> ReadNext(const CharterFolder& folder) {
  ASSIGN_OR_RETURN(std::optional<AcceptedCharter> before, folder.Newest());
  ASSIGN_OR_RETURN(Charter draft, folder.Draft(before));
  ASSIGN_OR_RETURN(const std::optional<MultiJws> pending,
                   folder.Pending(draft.version));
  ASSIGN_OR_RETURN(MultiJws jws, BeginOrContinue(draft, pending));
  return Next{std::move(before), std::move(draft), std::move(jws)};
}

std::optional<Charter> CharterBefore(const Next& next) {
  if (!next.before.has_value()) return std::nullopt;
  return next.before->charter;
}

// The key to sign with: the one asked for, or the first with a file here that
// has not signed.
absl::StatusOr<GovernanceKey> ChooseKey(const CharterFolder& folder,
                                        const Next& next,
                                        const std::string& id) {
  const Progress progress = ProgressOf(next.jws, next.before, next.draft);
  if (!id.empty()) {
    const GovernanceKey* key = FindGovernanceKey(id, next.before, next.draft);
    if (key == nullptr)
      return MakeError(absl::StatusCode::kNotFound,
                       absl::StrCat("the charter has no governance key ", id),
                       {.code = "not_found", .field = "--key"});
    return *key;
  }
  std::vector<GovernanceKey> keys = next.draft.governance;
  if (next.before.has_value())
    keys.insert(keys.end(), next.before->charter.governance.begin(),
                next.before->charter.governance.end());
  for (const GovernanceKey& key : keys)
    if (!progress.key_ids.contains(key.id) &&
        FileExists(folder.KeyPath(key.id)))
      return key;
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   "every key in this folder has signed",
                   {.code = "invalid_state"});
}

// Signatures are for a decision: a version that decides nothing is a mistake,
// mostly a change that was not written.
absl::Status CheckChanges(const Next& next) {
  if (!next.before.has_value() || !SayTheSame(next.before->charter, next.draft))
    return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("the draft changes nothing against version ",
                   next.before->charter.version, ": there is nothing to sign"),
      {.code = "invalid_state",
       .hint = "change it first: amparo-charter set, add-member, ...; for a "
               "longer life: amparo-charter set expires"});
}

// What a draft that was written by hand, or elsewhere, may say and the verbs
// would not. What stood there before is not asked: it was decided.
absl::Status CheckWhatIsNew(const CharterFolder& folder, const Next& next) {
  if (!next.before.has_value() ||
      next.before->charter.timezone != next.draft.timezone)
    RETURN_IF_ERROR(CheckTimezone(next.draft.timezone, "/timezone"));
  ASSIGN_OR_RETURN(const std::vector<AcceptedCharter> chain,
                   folder.WholeChain());
  for (const GovernanceKey& key : next.draft.governance) {
    const auto stood = [&key](const GovernanceKey& old) {
      return old.id == key.id && old.key == key.key;
    };
    if (next.before.has_value() &&
        std::any_of(next.before->charter.governance.begin(),
                    next.before->charter.governance.end(), stood))
      continue;
    RETURN_IF_ERROR(CheckIdWasNoOthers(chain, key));
  }
  return absl::OkStatus();
}

std::string ProgressText(const Progress& progress, uint64_t version) {
  std::string text =
      absl::StrCat("Version ", version, " is signed by ", progress.new_have,
                   " of ", progress.new_need, " members (",
                   absl::StrJoin(progress.key_ids, ", "), ")");
  if (progress.old_need > 0)
    absl::StrAppend(&text, ", by the version before: ", progress.old_have,
                    " of ", progress.old_need);
  return absl::StrCat(text, progress.Complete()
                                ? ". Next: amparo-charter publish\n"
                                : ". More signatures are needed.\n");
}

Outcome OutcomeOf(const char* schema, const Next& next,
                  const std::string& key_id) {
  const Progress progress = ProgressOf(next.jws, next.before, next.draft);
  return {{{"schema", schema},
           {"version", next.draft.version},
           {"key", key_id.empty() ? Json(nullptr) : Json(key_id)},
           {"signed", progress.key_ids},
           {"have", progress.new_have},
           {"need", progress.new_need},
           {"complete", progress.Complete()}},
          ProgressText(progress, next.draft.version)};
}

absl::StatusOr<std::optional<Bytes>> ReadToken(const std::string& path,
                                               const NetworkFile& network) {
  if (path.empty()) return network.founding_token;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kTokenFileBytesMax));
  absl::StatusOr<Bytes> token = FromBase64Url(
      absl::string_view(text).substr(0, text.find_first_of("\r\n")));
  if (!token.ok())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat(path, " holds no founding token"),
                     {.code = "usage", .field = "--founding-token"});
  return std::optional<Bytes>(*std::move(token));
}

// Which version is asked for, and why it is not the next one here.
absl::Status CheckPlace(const Charter& draft,
                        const std::vector<AcceptedCharter>& chain) {
  const uint64_t next = chain.size() + 1;
  const auto refuse = [&](const std::string& why, const char* hint) {
    return MakeError(absl::StatusCode::kFailedPrecondition, why,
                     {.code = "conflict", .field = "FILE", .hint = hint});
  };
  if (draft.version < next)
    return refuse(absl::StrCat("version ", draft.version,
                               " is published already; the next is ", next),
                  "sign the newest pending file");
  if (draft.version > next)
    return refuse(absl::StrCat("the versions before ", draft.version,
                               " are not all in this folder"),
                  "take them from the broker: amparo-charter fetch");
  if (!chain.empty() && draft.prev_hash != chain.back().hash)
    return refuse(absl::StrCat("it follows another version ", next - 1,
                               " than the one in this folder"),
                  "stop, and compare the hashes of amparo-charter verify");
  return absl::OkStatus();
}

// What somebody gave `merge` that is not being signed.
absl::Status NotBeingSigned(const std::string& file) {
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat(file,
                   " is no charter and no suspension that is being signed"),
      {.code = "invalid_form",
       .field = "FILE",
       .expected = "another machine's charter-N.pending.json, or its "
                   "suspension-MEMBER.pending.json",
       .hint =
           "sign and suspend-now write them, into the folder of who signs"});
}

// Where nobody began here, what another machine sent becomes the draft: who
// signs it here is shown first what it changes. A draft of one's own stays.
absl::Status AdoptDraft(const CharterFolder& folder, const std::string& text,
                        const MultiJws& other) {
  ASSIGN_OR_RETURN(const std::vector<AcceptedCharter> chain,
                   folder.WholeChain());
  ASSIGN_OR_RETURN(const Charter draft, PeekCharter(text));
  // First: where a version is missing here, no draft of this folder fits.
  RETURN_IF_ERROR(CheckPlace(draft, chain));
  if (FileExists(folder.PendingPath(chain.size() + 1))) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool own, folder.HasOwnDraft(chain));
  if (own) return absl::OkStatus();
  std::optional<AcceptedCharter> before;
  if (!chain.empty()) before = chain.back();
  // Only what this program would have written itself can be signed on.
  RETURN_IF_ERROR(BeginOrContinue(draft, other).status());
  RETURN_IF_ERROR(CheckSignatures(other, before, draft));
  const Progress progress = ProgressOf(other, before, draft);
  if ((before.has_value() ? progress.old_have : progress.new_have) == 0)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "nobody who decides in this network has signed it",
                     {.code = "verification_failed",
                      .field = "FILE",
                      .hint = "its drafter signs it first, with a key of the "
                              "version in force"});
  return folder.WriteDraft(draft, before);
}

absl::Status IsForked(uint64_t version) {
  return MakeError(
      absl::StatusCode::kAlreadyExists,
      absl::StrCat("version ", version,
                   " was published with other content than this one"),
      {.code = "conflict",
       .field = absl::StrCat("version ", version),
       .hint = version == 1
                   ? "this broker's network was founded otherwise: compare the "
                     "hash on paper, and fetch into a new folder, by --root"
                   : absl::StrCat(
                         "fetch it (amparo-charter fetch), then look at what "
                         "this draft would change in it (amparo-charter "
                         "diff): it goes on as version ",
                         version + 1, ", and is signed anew")});
}

// Publishing again what is published is no error: the answer may have been
// lost on the way.
absl::Status Send(const std::string& document, uint64_t version,
                  const std::optional<Bytes>& token, EnrolmentPort& broker) {
  const absl::Status published = broker.PublishCharter(document, token);
  if (published.ok()) return published;
  const absl::StatusOr<std::string> there = broker.GetCharter(version);
  if (!there.ok()) return published;
  return *there == document ? absl::OkStatus() : IsForked(version);
}

}  // namespace

absl::StatusOr<Outcome> Sign(const CharterFolder& folder,
                             const SignOptions& options, Dialog& dialog,
                             const Clock& clock) {
  ASSIGN_OR_RETURN(Next next, ReadNext(folder));
  RETURN_IF_ERROR(CheckChanges(next));
  RETURN_IF_ERROR(CheckWhatIsNew(folder, next));
  ASSIGN_OR_RETURN(const GovernanceKey named,
                   ChooseKey(folder, next, options.key_id));
  RETURN_IF_ERROR(CheckKeyCounts(named, clock.Now()));
  RETURN_IF_ERROR(CheckCharterLife(next.draft, clock.Now()));
  for (const std::string& line :
       DescribeChanges(CharterBefore(next), next.draft))
    dialog.Tell(line);
  for (const std::string& line : RunningOut(next.draft, clock.Now()))
    dialog.Tell(line);
  const std::vector<std::string> warnings =
      WitnessWarnings(CharterBefore(next), next.draft);
  for (const std::string& line : warnings) dialog.Tell(line);
  if (!options.yes) {
    ASSIGN_OR_RETURN(
        const bool agreed,
        dialog.Confirm(absl::StrCat("Sign this with ", named.id, " for ",
                                    named.member.text(), "?")));
    if (!agreed)
      return MakeError(absl::StatusCode::kFailedPrecondition, "not signed",
                       {.code = "invalid_state"});
  }
  ASSIGN_OR_RETURN(const SigningKey key,
                   OpenGovernanceKey(folder, named, options.pass_file, dialog));
  AddSignature(next.jws, key, kCharterTyp);
  RETURN_IF_ERROR(folder.WritePending(next.draft.version, next.jws));
  Outcome outcome = OutcomeOf("charter_sign/1", next, named.id);
  outcome.json["warnings"] = warnings;
  return outcome;
}

absl::StatusOr<Outcome> Merge(const CharterFolder& folder,
                              const std::string& other_file,
                              const Clock& clock) {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(other_file, kCharterBytesMax));
  const absl::StatusOr<MultiJws> parsed = ParseMultiJws(text, kCharterBytesMax);
  if (!parsed.ok()) return NotBeingSigned(other_file);
  const MultiJws& other = *parsed;
  if (PeekSuspension(text).ok()) return MergeSuspension(folder, other, clock);
  if (!PeekCharter(text).ok()) return NotBeingSigned(other_file);
  RETURN_IF_ERROR(AdoptDraft(folder, text, other));
  ASSIGN_OR_RETURN(Next next, ReadNext(folder));
  ASSIGN_OR_RETURN(const int added,
                   MergeSignatures(other, next.before, next.draft, next.jws));
  if (added > 0)
    RETURN_IF_ERROR(folder.WritePending(next.draft.version, next.jws));
  Outcome outcome = OutcomeOf("charter_merge/1", next, "");
  outcome.json["added"] = added;
  outcome.text = absl::StrCat(added, added == 1 ? " signature" : " signatures",
                              " added. ", outcome.text);
  return outcome;
}

absl::StatusOr<Outcome> Publish(const CharterFolder& folder,
                                const std::string& founding_token_file,
                                EnrolmentPort& broker, const Clock& clock) {
  ASSIGN_OR_RETURN(const Next next, ReadNext(folder));
  const Progress progress = ProgressOf(next.jws, next.before, next.draft);
  if (!progress.Complete())
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("version ", next.draft.version, " has ", progress.new_have,
                     " of ", progress.new_need, " signatures"),
        {.code = "invalid_state", .hint = "amparo-charter sign"});
  const std::string document = FormatMultiJws(next.jws);
  ASSIGN_OR_RETURN(
      const AcceptedCharter accepted,
      next.before.has_value()
          ? AcceptNextCharter(document, *next.before, clock.Now())
          : AcceptFirstCharter(document, Sha256(document), clock.Now()));
  std::optional<Bytes> token;
  if (next.draft.version == 1) {
    ASSIGN_OR_RETURN(const NetworkFile network, folder.Network());
    ASSIGN_OR_RETURN(token, ReadToken(founding_token_file, network));
  }
  RETURN_IF_ERROR(Send(document, next.draft.version, token, broker));
  RETURN_IF_ERROR(folder.KeepPublished(next.draft.version, document));
  const std::string words = NetworkWords(accepted.network_id);
  return Outcome{
      {{"schema", "charter_publish/1"},
       {"version", next.draft.version},
       {"hash", accepted.hash.ToString()},
       {"network_id", accepted.network_id.ToString()},
       {"network_words", words}},
      absl::StrCat("Published version ", next.draft.version, ", hash ",
                   accepted.hash.ToString(),
                   ".\nThe network's words, for the paper protocol: ", words,
                   "\n")};
}

}  // namespace amparo::committee

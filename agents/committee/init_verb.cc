#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/committee/founding.h"
#include "agents/committee/key_verbs.h"
#include "agents/committee/timezone.h"
#include "agents/committee/verbs.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/network/words.h"

namespace amparo::committee {
namespace {

constexpr absl::Duration kTrustDelay = absl::Hours(24);
constexpr size_t kNetworkFileBytesMax = 64 << 10;

absl::Status Usage(absl::string_view message, const char* field) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage", .field = field});
}

absl::StatusOr<std::vector<Founder>> ParseFounders(
    const std::vector<std::string>& texts) {
  std::vector<Founder> founders;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(Founder founder, ParseFounder(text));
    founders.push_back(std::move(founder));
  }
  if (founders.empty()) return Usage("a network needs members", "--member");
  return founders;
}

absl::Status CheckFounder(const MemberId& id,
                          const std::vector<Founder>& founders) {
  for (const Founder& founder : founders)
    if (founder.id == id) return absl::OkStatus();
  return Usage("a governance key belongs to a founding member", "--governance");
}

absl::StatusOr<std::vector<MemberId>> SeatsOf(
    const InitOptions& options, const std::vector<Founder>& founders) {
  if (options.seats.empty()) return DefaultSeats(founders);
  std::vector<MemberId> seats;
  for (const std::string& text : options.seats) {
    ASSIGN_OR_RETURN(MemberId member, MemberId::Parse(text));
    for (const MemberId& other : seats)
      if (other == member)
        return Usage("each governance key belongs to another member",
                     "--governance");
    RETURN_IF_ERROR(CheckFounder(member, founders));
    seats.push_back(std::move(member));
  }
  return seats;
}

// The keys made elsewhere, each of another founder, their words compared.
absl::StatusOr<std::vector<GovernanceKey>> KeysMadeElsewhere(
    const InitOptions& options, const std::vector<Founder>& founders,
    Dialog& dialog) {
  if (!options.seats.empty() || options.local)
    return Usage("the keys are either made here or made elsewhere",
                 "--governance-key");
  std::vector<GovernanceKey> keys;
  for (const std::string& file : options.key_files) {
    ASSIGN_OR_RETURN(const KeyStatement statement, ReadKeyStatement(file));
    RETURN_IF_ERROR(CheckFounder(statement.member, founders));
    for (const GovernanceKey& other : keys)
      if (other.member == statement.member)
        return Usage("each governance key belongs to another member",
                     "--governance-key");
    ASSIGN_OR_RETURN(
        const bool right,
        KeyWordsAreRight(statement, options.words_confirmed, dialog));
    if (!right)
      return MakeError(absl::StatusCode::kPermissionDenied,
                       "the words were not confirmed: nothing was drafted",
                       {.code = "verification_failed"});
    keys.push_back({statement.id, statement.member, statement.key, {}});
  }
  return keys;
}

absl::StatusOr<std::vector<GovernanceKey>> MakeKeys(
    const InitOptions& options, const std::vector<Founder>& founders,
    const CharterFolder& folder, Dialog& dialog, const Clock& clock) {
  ASSIGN_OR_RETURN(const std::vector<MemberId> seats,
                   SeatsOf(options, founders));
  if (seats.empty())
    return Usage("somebody must hold a governance key", "--governance");
  std::vector<GovernanceKey> keys;
  for (const MemberId& member : seats) {
    ASSIGN_OR_RETURN(const KeyStatement made,
                     MakeKeyFiles(folder,
                                  {.id = absl::StrCat("G", keys.size() + 1),
                                   .member = std::string(member.text()),
                                   .local = options.local},
                                  dialog, clock));
    keys.push_back({made.id, made.member, made.key, {}});
  }
  return keys;
}

Outcome OutcomeOf(const Charter& charter, const CharterFolder& folder) {
  Outcome outcome;
  Json keys = Json::array();
  outcome.text =
      absl::StrCat("Drafted version 1 of the charter of ", charter.network,
                   " in ", folder.DraftPath(), ".\n");
  for (const GovernanceKey& key : charter.governance) {
    keys.push_back({{"id", key.id},
                    {"member", key.member.text()},
                    {"key", key.key.ToString()},
                    {"words", GovernanceKeyWords(key.key)}});
    const std::string here = folder.KeyPath(key.id);
    absl::StrAppend(&outcome.text, "  ", key.id, " for ", key.member.text(),
                    ": ", FileExists(here) ? here : "made elsewhere", "\n");
  }
  outcome.json = {{"schema", "charter_init/1"},
                  {"network", charter.network},
                  {"version", 1},
                  {"draft", folder.DraftPath()},
                  {"threshold", charter.governance_threshold},
                  {"governance", std::move(keys)},
                  {"members", charter.members.size()}};
  absl::StrAppend(&outcome.text, "Read and edit the draft, then ",
                  charter.governance_threshold,
                  " of them sign it: amparo-charter sign\n");
  return outcome;
}

}  // namespace

absl::StatusOr<Outcome> Init(const InitOptions& options, Dialog& dialog,
                             const Clock& clock) {
  const CharterFolder folder(options.folder);
  if (FileExists(folder.DraftPath()))
    return MakeError(absl::StatusCode::kAlreadyExists,
                     "this folder has a draft already",
                     {.code = "conflict", .field = "--dir"});
  RETURN_IF_ERROR(CheckTimezone(options.timezone, "--timezone"));
  ASSIGN_OR_RETURN(const std::string network,
                   ReadFile(options.network_file, kNetworkFileBytesMax));
  ASSIGN_OR_RETURN(NetworkFile file, ParseNetworkFile(network));
  ASSIGN_OR_RETURN(std::vector<Founder> founders,
                   ParseFounders(options.members));
  RETURN_IF_ERROR(folder.MakeKeyDirectory());
  ASSIGN_OR_RETURN(std::vector<GovernanceKey> keys,
                   options.key_files.empty()
                       ? MakeKeys(options, founders, folder, dialog, clock)
                       : KeysMadeElsewhere(options, founders, dialog));
  const uint32_t threshold =
      options.threshold.value_or(DefaultThreshold(keys.size()));
  const Charter charter = FoundCharter(
      {.network = std::move(file),
       .founders = std::move(founders),
       .governance = std::move(keys),
       .threshold = threshold,
       .title = options.title,
       .timezone = options.timezone,
       .jurisdiction = options.jurisdiction,
       .trust_delay = options.local ? absl::ZeroDuration() : kTrustDelay,
       .now = clock.Now()});
  // Last: a folder with a draft is a whole one. Holds the founding token.
  RETURN_IF_ERROR(WriteFile(folder.NetworkPath(), network, FileMode::kPrivate));
  RETURN_IF_ERROR(folder.WriteDraft(charter, std::nullopt));
  return OutcomeOf(charter, folder);
}

}  // namespace amparo::committee

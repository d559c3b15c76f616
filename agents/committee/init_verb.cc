#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/committee/founding.h"
#include "agents/committee/key_file.h"
#include "agents/committee/verbs.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

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
    seats.push_back(std::move(member));
  }
  return seats;
}

// A new key in its file, under a passphrase.
absl::StatusOr<GovernanceKey> MakeKey(const InitOptions& options,
                                      const CharterFolder& folder,
                                      const std::string& id,
                                      const MemberId& member, Dialog& dialog) {
  const SigningKey key = SigningKey::Generate();
  SecretBuffer passphrase;
  if (options.local) {
    passphrase = GeneratePassphrase();
    RETURN_IF_ERROR(CreateFile(folder.PassPath(id), AsText(passphrase.Expose()),
                               FileMode::kPrivate));
  } else {
    ASSIGN_OR_RETURN(
        passphrase,
        dialog.Passphrase(absl::StrCat(id, ", held by ", member.text()), true));
  }
  ASSIGN_OR_RETURN(const std::string content,
                   SealKeyFile(key, passphrase,
                               options.local ? KeystoreCost::kInteractive
                                             : KeystoreCost::kSensitive));
  RETURN_IF_ERROR(CreateFile(folder.KeyPath(id), content, FileMode::kPrivate));
  return GovernanceKey{id, member, key.verify_key(), absl::Time()};
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
                    {"key", key.key.ToString()}});
    absl::StrAppend(&outcome.text, "  ", key.id, " for ", key.member.text(),
                    ": ", folder.KeyPath(key.id), "\n");
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
  ASSIGN_OR_RETURN(const std::string network,
                   ReadFile(options.network_file, kNetworkFileBytesMax));
  ASSIGN_OR_RETURN(NetworkFile file, ParseNetworkFile(network));
  ASSIGN_OR_RETURN(std::vector<Founder> founders,
                   ParseFounders(options.members));
  ASSIGN_OR_RETURN(const std::vector<MemberId> seats,
                   SeatsOf(options, founders));
  if (seats.empty())
    return Usage("somebody must hold a governance key", "--governance");
  RETURN_IF_ERROR(MakeDirectory(options.folder, FileMode::kPrivate));
  RETURN_IF_ERROR(
      MakeDirectory(absl::StrCat(options.folder, "/keys"), FileMode::kPrivate));
  std::vector<GovernanceKey> keys;
  for (const MemberId& member : seats) {
    ASSIGN_OR_RETURN(
        GovernanceKey key,
        MakeKey(options, folder, absl::StrCat("G", keys.size() + 1), member,
                dialog));
    keys.push_back(std::move(key));
  }
  const Charter charter = FoundCharter(
      {.network = std::move(file),
       .founders = std::move(founders),
       .governance = std::move(keys),
       .threshold = options.threshold.value_or(DefaultThreshold(seats.size())),
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

#include "agents/auditor/witness/witness_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/add_checkpoint.h"
#include "crypto/digest.h"
#include "crypto/keystore.h"

namespace amparo::auditor {
namespace {

constexpr size_t kSmallFileMax = 64 << 10;
constexpr size_t kPassphraseBytes = 32;
constexpr char kNotes[] = ".notes";
// The state of a log of which nothing was cosigned. An empty file is one that
// was lost.
constexpr char kNoneYet[] = "none yet\n";

constexpr char kLogsHead[] =
    "# The logs that this witness cosigns: a verifier key a line. While a log\n"
    "# changes its key both stand here. Written by amparo-audit witness "
    "add-log.\n";

absl::Status Tampered(absl::string_view message, absl::string_view hint) {
  return MakeError(absl::StatusCode::kDataLoss, message,
                   {.code = "tampered", .hint = std::string(hint)});
}

// Whoever reads the key can cosign a second history.
absl::Status CheckOwnerOnly(const std::string& path, const char* what,
                            const char* mode) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0)
    return MakeError(absl::StatusCode::kNotFound,
                     absl::StrCat(path, " is not there"), {.code = "config"});
  if ((info.st_mode & 077) == 0) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kPermissionDenied, absl::StrCat(path, what),
      {.code = "config",
       .field = path,
       .expected = absl::StrCat("mode ", mode),
       .hint = "chmod it; if others had access, make a new witness"});
}

}  // namespace

std::string WitnessFolder::At(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string WitnessFolder::StateOf(absl::string_view origin) const {
  return At(absl::StrCat("state/", ToHex(Sha256(origin).bytes())));
}

absl::StatusOr<NoteVerifier> WitnessFolder::Create(
    absl::string_view name) const {
  SigningKey key = SigningKey::Generate();
  const absl::StatusOr<NoteVerifier> verifier =
      NoteVerifier::Create(name, NoteKeyType::kCosignatureV1, key.verify_key());
  if (!verifier.ok())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "not a name that a witness can have",
                     {.code = "usage",
                      .field = "--name",
                      .expected = "such as audit.example/witness: no blank, no "
                                  "plus sign"});
  if (FileExists(At("witness.vkey")))
    return MakeError(absl::StatusCode::kAlreadyExists,
                     "there is a witness in this folder already",
                     {.code = "conflict", .field = "--data"});
  for (const std::string& folder : {path_, At("state"), At("evidence")})
    RETURN_IF_ERROR(MakeDirectory(folder, FileMode::kPrivate));
  const SecretKeyBytes random = SecretKeyBytes::Random(kPassphraseBytes);
  const SecretBuffer pass =
      SecretBuffer::CopyOf(absl::string_view(ToBase64Url(random.Expose())));
  ASSIGN_OR_RETURN(const std::string file,
                   SealKeystore(SecretBuffer::CopyOf(key.seed().Expose()), pass,
                                KeystoreCost::kInteractive));
  RETURN_IF_ERROR(
      WriteFile(At("witness.pass"), AsText(pass.Expose()), FileMode::kPrivate));
  RETURN_IF_ERROR(WriteFile(At("witness.key"), file, FileMode::kPrivate));
  RETURN_IF_ERROR(CreateFile(At("logs"), kLogsHead, FileMode::kPrivate));
  // Last: with it there is a witness.
  RETURN_IF_ERROR(CreateFile(At("witness.vkey"),
                             absl::StrCat(verifier->ToString(), "\n"),
                             FileMode::kPublic));
  return verifier;
}

absl::StatusOr<NoteVerifier> WitnessFolder::ReadVerifier() const {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(At("witness.vkey"), kSmallFileMax));
  auto verifier = NoteVerifier::Parse(absl::StripAsciiWhitespace(text));
  if (!verifier.ok() || verifier->type() != NoteKeyType::kCosignatureV1)
    return Tampered("witness.vkey holds something else", "");
  return verifier;
}

absl::StatusOr<SigningKey> WitnessFolder::ReadKey() const {
  ASSIGN_OR_RETURN(const NoteVerifier verifier, ReadVerifier());
  RETURN_IF_ERROR(CheckOwnerOnly(path_, " may be entered by others", "0700"));
  for (const char* file : {"witness.key", "witness.pass"})
    RETURN_IF_ERROR(CheckOwnerOnly(At(file), " may be read by others", "0600"));
  ASSIGN_OR_RETURN(const std::string pass,
                   ReadFile(At("witness.pass"), kSmallFileMax));
  ASSIGN_OR_RETURN(const std::string file,
                   ReadFile(At("witness.key"), kSmallFileMax));
  ASSIGN_OR_RETURN(
      const SecretBuffer seed,
      OpenKeystore(file, SecretBuffer::CopyOf(absl::string_view(pass))));
  ASSIGN_OR_RETURN(SigningKey key,
                   SigningKey::FromSeed(SecretKeyBytes::CopyOf(seed.Expose())));
  if (key.verify_key() != verifier.key())
    return Tampered("witness.key is not the key of witness.vkey", "");
  return key;
}

absl::StatusOr<std::vector<NoteVerifier>> WitnessFolder::ReadLogs() const {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(At("logs"), kSmallFileMax));
  std::vector<NoteVerifier> keys;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    absl::StatusOr<NoteVerifier> key = NoteVerifier::Parse(line);
    if (!key.ok() || key->type() != NoteKeyType::kEd25519)
      return MakeError(absl::StatusCode::kInvalidArgument,
                       "a line of the file logs is no key of a log",
                       {.code = "config",
                        .field = "logs",
                        .expected = "a verifier key of type 0x01"});
    keys.push_back(*std::move(key));
  }
  return keys;
}

absl::StatusOr<WitnessMemory> WitnessFolder::ReadMemory() const {
  ASSIGN_OR_RETURN(const std::vector<NoteVerifier> keys, ReadLogs());
  std::map<std::string, std::vector<NoteVerifier>> by_origin;
  for (const NoteVerifier& key : keys) by_origin[key.name()].push_back(key);
  WitnessMemory memory;
  for (const auto& [origin, its_keys] : by_origin) {
    const absl::StatusOr<std::string> note =
        ReadFile(StateOf(origin), kAddCheckpointBytesMax);
    if (absl::IsNotFound(note.status()))
      return Tampered(
          "what this witness cosigned of a log is not there any more",
          "a witness that forgot must not cosign: put the file back, or make a "
          "new witness and have the committee take its key");
    RETURN_IF_ERROR(note.status());
    if (note->empty())
      return Tampered(
          absl::StrCat("the state of the log ", origin, " is empty"),
          absl::StrCat("put the file back, or make a new witness. Only where "
                       "this one surely never cosigned that log (versions "
                       "before `none yet` left it empty then): write the line "
                       "\"none yet\" into ",
                       StateOf(origin)));
    absl::StatusOr<WitnessedLog> log =
        RememberLog(its_keys, *note == kNoneYet ? "" : *note);
    if (!log.ok())
      return Tampered(
          "what this witness cosigned of a log is signed by none "
          "of the log's keys",
          "keep the old key of a log in the file logs until a "
          "checkpoint under the new one was cosigned");
    memory.emplace(origin, *std::move(log));
  }
  return memory;
}

absl::Status WitnessFolder::AddLog(const NoteVerifier& key) const {
  if (key.type() != NoteKeyType::kEd25519)
    return MakeError(absl::StatusCode::kInvalidArgument, "not the key of a log",
                     {.code = "usage", .expected = "type 0x01"});
  ASSIGN_OR_RETURN(const std::vector<NoteVerifier> keys, ReadLogs());
  for (const NoteVerifier& known : keys)
    if (known.ToString() == key.ToString())
      return MakeError(absl::StatusCode::kAlreadyExists,
                       "this witness knows that key already",
                       {.code = "conflict"});
  const bool is_new = std::none_of(
      keys.begin(), keys.end(),
      [&](const NoteVerifier& known) { return known.name() == key.name(); });
  // First: a log without its state is one that was forgotten. What is there of
  // a log that once was known stays.
  if (is_new)
    if (const absl::Status made =
            CreateFile(StateOf(key.name()), kNoneYet, FileMode::kPrivate);
        !made.ok() && !absl::IsAlreadyExists(made))
      return made;
  ASSIGN_OR_RETURN(const std::string text, ReadFile(At("logs"), kSmallFileMax));
  return WriteFile(At("logs"), absl::StrCat(text, key.ToString(), "\n"),
                   FileMode::kPrivate);
}

absl::Status WitnessFolder::Remember(const std::string& origin,
                                     const std::string& note) const {
  return WriteFile(StateOf(origin), note, FileMode::kPrivate);
}

absl::StatusOr<bool> WitnessFolder::KeepEvidence(LogFault fault,
                                         const std::string& remembered,
                                         const std::string& shown,
                                         absl::string_view request) const {
  const std::string both = absl::StrCat(remembered, shown);
  // By what they say: the same pair, signed anew, is no news.
  const auto text = [](const std::string& note) {
    return absl::string_view(note).substr(0, note.find("\n\n"));
  };
  const std::string name = absl::StrCat(
      NameOf(fault), "-",
      ToHex(Sha256(absl::StrCat(text(remembered), "\n", text(shown))).bytes())
          .substr(0, 16));
  const std::string path = At(absl::StrCat("evidence/", name));
  if (FileExists(path + kNotes)) return false;
  // Each kind has room of its own: a clock that was set back, shown again and
  // again, leaves a fork its place.
  const std::vector<std::string> kept = Evidence();
  const std::string same_kind = At(absl::StrCat("evidence/", NameOf(fault), "-"));
  if (std::count_if(kept.begin(), kept.end(), [&](const std::string& one) {
        return absl::StartsWith(one, same_kind);
      }) >= kEvidenceOfAKindMax)
    return absl::ResourceExhaustedError("there is evidence enough");
  RETURN_IF_ERROR(WriteFile(path + ".request", request, FileMode::kPrivate));
  RETURN_IF_ERROR(WriteFile(path + kNotes, both, FileMode::kPrivate));
  return true;
}

std::vector<std::string> WitnessFolder::Evidence() const {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator at(At("evidence"), error), end;
       !error && at != end; at.increment(error))
    if (absl::EndsWith(at->path().string(), kNotes))
      paths.push_back(at->path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<WitnessFolder::Lock> WitnessFolder::TakeLock() const {
  RETURN_IF_ERROR(ReadVerifier().status());  // a folder of this kind
  const int fd = open(At("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return MakeError(absl::StatusCode::kInternal,
                     "cannot open the lock of the folder", {.code = "storage"});
  Lock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "another process uses this folder",
                     {.code = "conflict",
                      .field = "--data",
                      .hint = "stop the witness first; a second one on a copy "
                              "would vouch for two histories"});
  return lock;
}

WitnessFolder::Lock::~Lock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace amparo::auditor

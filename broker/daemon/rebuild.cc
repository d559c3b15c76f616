#include "broker/daemon/rebuild.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/status.h"
#include "broker/core/rebuild.h"
#include "broker/core/start_guard.h"
#include "broker/daemon/known_note.h"
#include "broker/daemon/mirror_folder.h"
#include "broker/daemon/wired_core.h"
#include "broker/store/rocks_store.h"
#include "crypto/note.h"

namespace amparo::broker {
namespace {

constexpr size_t kMarkBytesMax = 64 << 10;

absl::Status Failed(absl::string_view what) {
  return MakeError(absl::StatusCode::kInternal, what,
                   {.code = "storage", .field = "--data"});
}

// As `run` takes it: the log's key, and the one that it changes to or from.
absl::StatusOr<std::vector<NoteVerifier>> LogKeysOf(const DataDir& data) {
  ASSIGN_OR_RETURN(const NetworkFile network, data.ReadNetworkFile());
  ASSIGN_OR_RETURN(const DataDir::LogKeys keys, data.ReadLogKeys(network));
  std::vector<NoteVerifier> verifiers = {network.log_key};
  if (keys.second.has_value()) {
    ASSIGN_OR_RETURN(
        NoteVerifier second,
        NoteVerifier::Create(network.network, NoteKeyType::kEd25519,
                             keys.second->verify_key()));
    verifiers.push_back(std::move(second));
  }
  return verifiers;
}

absl::StatusOr<std::unique_ptr<Store>> OpenToRebuild(const DataDir& data) {
  if (!FileExists(data.store()))
    return MakeError(absl::StatusCode::kNotFound, "there is no store here",
                     {.code = "not_found",
                      .field = "--data",
                      .hint = "put the newest backup back first"});
  auto store = OpenRocksStore(data.store());
  if (!absl::IsUnavailable(store.status())) return store;
  return MakeError(absl::StatusCode::kUnavailable,
                   "a broker has this directory open",
                   {.code = "broker_unreachable",
                    .field = "--data",
                    .hint = "stop it first"});
}

absl::Status RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? Failed(absl::StrCat("cannot remove ", path))
               : absl::OkStatus();
}

// The mark of a backup says more.
Json OwnMark() { return Json{{"schema", "broker_backup/1"}}; }

// From the moment on at which nobody has the store open, until all is done, a
// supervisor may start the broker again: as of a backup, it does not run.
absl::Status Mark(const DataDir& data) {
  if (FileExists(data.backup_mark())) return absl::OkStatus();
  return WriteFile(data.backup_mark(), DumpJson(OwnMark()) + "\n",
                   FileMode::kPrivate);
}

// A mark of ours alone tells no backup: what a rebuild of the broker's own
// directory left that was cut off.
bool IsBackup(const DataDir& data) {
  if (!FileExists(data.backup_mark())) return false;
  const auto text = ReadFile(data.backup_mark(), kMarkBytesMax);
  const auto mark = text.ok() ? ParseJson(*text) : text.status();
  return !mark.ok() || *mark != OwnMark();
}

absl::Status Unmark(const DataDir& data) {
  if (FileExists(data.backup_mark()) && unlink(data.backup_mark().c_str()) != 0)
    return Failed("the mark of the backup cannot be removed");
  return absl::OkStatus();
}

// The rebuilt store and the old one change places in one step.
absl::Status TakePlace(const DataDir& data) {
  if (renameat2(AT_FDCWD, data.rebuilt_store().c_str(), AT_FDCWD,
                data.store().c_str(), RENAME_EXCHANGE) != 0)
    return Failed("the rebuilt store cannot take the old one's place");
  const int parent =
      open(data.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool durable = parent >= 0 && fsync(parent) == 0;
  if (parent >= 0) close(parent);
  return durable ? absl::OkStatus() : Failed("the directory cannot be synced");
}

absl::Status KeepEvidence(const DataDir& data, const Rebuilding& rebuilding,
                          absl::Status refused) {
  if (rebuilding.evidence().empty()) return refused;
  RETURN_IF_ERROR(WriteFile(data.fork_evidence(), rebuilding.evidence(),
                            FileMode::kPrivate));
  return MakeError(
      refused.code(), refused.message(),
      {.code = ErrorCodeOf(refused),
       .field = "--from",
       .hint = absl::StrCat("two signed checkpoints prove it: ",
                            data.fork_evidence(), " (amparo-audit compare)")});
}

// Whether a mirror says what was shown after a backup: one that ends before it
// is older than the backup is, or of a member that was away.
bool SayWhatCameSince(const Rebuilding& rebuilding, const Store& backup) {
  return rebuilding.reached() >= backup.Head().range.size();
}

absl::Status NobodySays(const Rebuilding& rebuilding, const Store& backup) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("the backup has ", backup.Head().range.size().value(),
                   " entries, and the mirrors end at ",
                   rebuilding.reached().value(),
                   ": none says what was logged since"),
      {.code = "invalid_state",
       .field = "--from",
       .hint = "take mirrors that members write now (amparo-agent "
               "export-mirror); --nothing-since, if you know that the lost "
               "broker did not run after the backup"});
}

struct Rebuilt {
  Rebuilding::Result result;
  bool by_word = false;  // that nothing came since is the operator's word
};

// What is missing, in a copy of the store.
absl::StatusOr<Rebuilt> BringUp(const DataDir& data,
                                const std::vector<NoteVerifier>& log_keys,
                                const std::vector<MirrorSource*>& mirrors,
                                bool nothing_since) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, OpenToRebuild(data));
  const bool is_backup = IsBackup(data);
  RETURN_IF_ERROR(Mark(data));
  Rebuilding rebuilding(*store, log_keys, mirrors);
  if (const absl::Status checked = rebuilding.Check(); !checked.ok())
    return KeepEvidence(data, rebuilding, checked);
  Rebuilt rebuilt;
  rebuilt.by_word = is_backup && !SayWhatCameSince(rebuilding, *store);
  if (rebuilt.by_word && !nothing_since) return NobodySays(rebuilding, *store);
  RETURN_IF_ERROR(RemoveFolder(data.rebuilt_store()));
  RETURN_IF_ERROR(store->CopyTo(data.rebuilt_store()));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> copy,
                   OpenRocksStore(data.rebuilt_store()));
  ASSIGN_OR_RETURN(rebuilt.result, rebuilding.Apply(*copy));
  // Kept beside the store, it may be newer than both.
  ASSIGN_OR_RETURN(const std::vector<std::string> known,
                   KnownCheckpoints(data));
  absl::Status sound;
  for (const NoteVerifier& key : log_keys) {
    sound = CheckStart(*copy, key, known);
    if (sound.ok()) break;
  }
  RETURN_IF_ERROR(sound);
  return rebuilt;
}

Answer AnswerOf(const Rebuilt& rebuilt, size_t mirrors) {
  const Rebuilding::Result& result = rebuilt.result;
  Json json;
  json["schema"] = "broker_rebuild/1";
  json["size_before"] = result.before.value();
  json["size"] = result.after.value();
  json["unopened"] = result.unopened;
  json["sent_again"] = result.lost;
  json["mirrors"] = mirrors;
  json["by_word"] = rebuilt.by_word;
  return {
      std::move(json),
      absl::StrCat(
          "entries       ", result.before.value(), " in the backup, ",
          result.after.value(), " now\n", "without what opens them  ",
          result.unopened, "\n",
          "envelopes that their senders' agents send again  ", result.lost,
          rebuilt.by_word ? "\n\nThat nothing was logged after the backup is "
                            "your word: no mirror reaches it."
                          : "",
          "\n\nAn agent that has followed further than ", result.after.value(),
          " will refuse this log: take its\nmirror, too, before the broker "
          "runs. Then: amparo-broker run; members whose\nagents rang "
          "acknowledge log_rollback; invite again who has not joined.\n")};
}

}  // namespace

absl::StatusOr<Answer> Rebuild(const DataDir& data, const RebuildFrom& from) {
  RETURN_IF_ERROR(data.CheckOwnerOnly());
  RETURN_IF_ERROR(data.ReadConfig().status());
  ASSIGN_OR_RETURN(const std::vector<NoteVerifier> log_keys, LogKeysOf(data));
  std::vector<std::unique_ptr<MirrorSource>> sources;
  for (const std::string& path : from.mirrors) {
    ASSIGN_OR_RETURN(sources.emplace_back(), MirrorFolder::Open(path));
  }
  for (const std::string& path : from.known) {
    ASSIGN_OR_RETURN(std::string note, ReadForeignFile(path, kNoteBytesMax));
    sources.push_back(std::make_unique<KnownNote>(path, std::move(note)));
  }
  std::vector<MirrorSource*> mirrors;
  for (const auto& source : sources) mirrors.push_back(source.get());
  const bool was_marked = FileExists(data.backup_mark());
  const auto rebuilt = BringUp(data, log_keys, mirrors, from.nothing_since);
  if (!rebuilt.ok()) {
    RETURN_IF_ERROR(RemoveFolder(data.rebuilt_store()));
    if (!was_marked) RETURN_IF_ERROR(Unmark(data));
    return rebuilt.status();
  }
  RETURN_IF_ERROR(TakePlace(data));
  RETURN_IF_ERROR(RemoveFolder(data.rebuilt_store()));
  RETURN_IF_ERROR(WriteFile(data.last_checkpoint(), rebuilt->result.newest,
                            FileMode::kPrivate));
  // Last: until then it may be rebuilt, and not run.
  RETURN_IF_ERROR(Unmark(data));
  return AnswerOf(*rebuilt, from.mirrors.size());
}

}  // namespace amparo::broker

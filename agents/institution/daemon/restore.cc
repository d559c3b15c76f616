#include "agents/institution/daemon/restore.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agents/institution/storage/backup_file.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/kv/rocks_kv.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr size_t kBatchBytes = 4 << 20;

absl::Status Refuse(absl::StatusCode code, const char* name,
                    absl::string_view message, absl::string_view hint) {
  return MakeError(code, message, {.code = name, .hint = std::string(hint)});
}

// The one cause why the backup did not open.
absl::Status WhyNot(const absl::Status& status, const std::string& file) {
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
      return Refuse(status.code(), "config",
                    absl::StrCat("the passphrase does not open ", file),
                    "try again");
    case absl::StatusCode::kDataLoss:
      return Refuse(status.code(), "storage",
                    absl::StrCat(file, " is damaged or cut short"),
                    "use another copy; nothing was restored");
    case absl::StatusCode::kUnimplemented:
      return Refuse(
          status.code(), "config",
          absl::StrCat(file, " is of another version than this program"),
          "use the program that made it, or a newer one");
    case absl::StatusCode::kInvalidArgument:
      return Refuse(status.code(), "config",
                    absl::StrCat(file, " is no backup of an agent"),
                    "amparo-agent backup makes one");
    default:
      return status;
  }
}

bool IsPlainName(absl::string_view name) {
  return !name.empty() && name[0] != '.' && !absl::StrContains(name, '/') &&
         name != "store" && name != kRestoredMark;
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// The directory as it grows, beside the place that it takes in the end.
class NewDirectory {
 public:
  static absl::StatusOr<std::unique_ptr<NewDirectory>> Create(
      const std::string& path) {
    std::unique_ptr<NewDirectory> made(
        new NewDirectory(path, absl::StrCat(path, ".restoring")));
    RETURN_IF_ERROR(RemoveFolder(made->part_.Path("")));
    RETURN_IF_ERROR(MakeDirectory(made->part_.Path(""), FileMode::kPrivate));
    ASSIGN_OR_RETURN(made->store_, RocksKv::Open(made->part_.Path("store")));
    return made;
  }
  ~NewDirectory() {
    store_.reset();
    if (!kept_) RemoveFolder(part_.Path("")).IgnoreError();
  }

  absl::Status Take(BackupPart part, absl::string_view name, ByteView content) {
    if (part == BackupPart::kRow) {
      rows_.Put(name, content);
      ++count_;
      pending_ += name.size() + content.size();
      return pending_ < kBatchBytes ? absl::OkStatus() : WriteRows();
    }
    if (part != BackupPart::kFile || !IsPlainName(name))
      return absl::UnimplementedError("a part that is not known here");
    return CreateFile(part_.Path(name), AsText(content), FileMode::kPrivate);
  }

  // Nothing of it was used before: the backup is whole.
  absl::Status Keep() {
    RETURN_IF_ERROR(WriteRows());
    store_.reset();
    RETURN_IF_ERROR(
        CreateFile(part_.Path(kRestoredMark), "", FileMode::kPrivate));
    if (rename(part_.Path("").c_str(), path_.c_str()) != 0)
      return absl::UnavailableError(absl::StrCat(path_, " cannot be made"));
    kept_ = true;
    const std::string folder =
        std::filesystem::absolute(path_).parent_path().string();
    const int parent = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool durable = parent >= 0 && fsync(parent) == 0;
    if (parent >= 0) close(parent);
    return durable ? absl::OkStatus()
                   : absl::UnavailableError(
                         absl::StrCat(path_, " may not be on disk yet"));
  }

  size_t count() const { return count_; }
  const DataDir& part() const { return part_; }

 private:
  NewDirectory(std::string path, std::string part)
      : path_(std::move(path)), part_(std::move(part)) {}

  absl::Status WriteRows() {
    RETURN_IF_ERROR(store_->Write(rows_));
    rows_ = Batch();
    pending_ = 0;
    return absl::OkStatus();
  }

  const std::string path_;
  const DataDir part_;
  std::unique_ptr<RocksKv> store_;
  Batch rows_;
  size_t pending_ = 0, count_ = 0;
  bool kept_ = false;
};

absl::StatusOr<size_t> ReadSome(std::FILE* file, std::span<uint8_t> into) {
  const size_t read = fread(into.data(), 1, into.size(), file);
  if (read < into.size() && ferror(file) != 0)
    return absl::UnavailableError("the backup cannot be read");
  return read;
}

}  // namespace

absl::StatusOr<std::string> RestoreBackup(const DataDir& data,
                                          const BackupCommand& asked) {
  std::string path = data.Path("");
  while (path.size() > 1 && absl::EndsWith(path, "/")) path.pop_back();
  if (FileExists(path))
    return Refuse(
        absl::StatusCode::kAlreadyExists, "conflict",
        absl::StrCat(path, " exists already"),
        "name a new directory; move the old one away, never delete it "
        "before the restored agent runs");
  const File file(fopen(asked.file.c_str(), "rbe"), fclose);
  if (file == nullptr)
    return Refuse(absl::StatusCode::kNotFound, "config",
                  absl::StrCat(asked.file, " cannot be read"),
                  "check the path");
  ASSIGN_OR_RETURN(
      const SecretBuffer passphrase,
      asked.passphrase_file.empty()
          ? AskPassphrase("Passphrase of the backup: ",
                          "give its file: --passphrase-file FILE")
          : ReadPassphrase(asked.passphrase_file, "check --passphrase-file"));
  ASSIGN_OR_RETURN(const auto made, NewDirectory::Create(path));
  const absl::Status read = ReadBackup(
      [&](std::span<uint8_t> into) { return ReadSome(file.get(), into); },
      passphrase,
      [&](BackupPart part, absl::string_view name, ByteView content) {
        return made->Take(part, name, content);
      });
  if (!read.ok()) return WhyNot(read, asked.file);
  ASSIGN_OR_RETURN(const AgentConfig config, made->part().ReadConfig());
  RETURN_IF_ERROR(made->Keep());
  if (asked.json) {
    Json result;
    result["schema"] = "restore/1";
    result["data"] = path;
    result["member"] = config.member.text();
    result["network"] = config.network;
    result["rows"] = made->count();
    return DumpJson(result) + "\n";
  }
  return absl::StrCat(
      "restored ", config.member.text(), " of ", config.network, " to ", path,
      "\n\nStart it: amparo-agent run --data ", path,
      "\nIt makes new keys that nobody vouches for, and asks the other members "
      "for what\nthey sent since. Call them with the key words that "
      "`amparo-agent "
      "keys` shows. The\nold agent must never run again.\n");
}

}  // namespace amparo::agent

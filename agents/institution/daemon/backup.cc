#include "agents/institution/daemon/backup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agents/institution/core/restored.h"
#include "agents/institution/daemon/store_to_read.h"
#include "agents/institution/storage/backup_file.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr size_t kFileBytesMax = 4 << 20;

absl::Status CannotWrite(const std::string& path) {
  return MakeError(
      absl::StatusCode::kUnavailable, absl::StrCat(path, " cannot be written"),
      {.code = "storage", .hint = "check the folder and the disk"});
}

// A file that takes its name when it is whole.
class NewFile {
 public:
  static absl::StatusOr<std::unique_ptr<NewFile>> Create(
      const std::string& path) {
    const std::string part = absl::StrCat(path, ".", getpid(), ".part");
    const int fd =
        open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
             0600);
    if (fd < 0) return CannotWrite(path);
    return std::unique_ptr<NewFile>(new NewFile(path, part, fd));
  }
  ~NewFile() {
    if (fd_ >= 0) close(fd_);
    if (!kept_) unlink(part_.c_str());
  }

  absl::Status Append(ByteView bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0) return CannotWrite(path_);
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Keep() {
    const bool synced = fsync(fd_) == 0;
    const bool closed = close(std::exchange(fd_, -1)) == 0;
    if (!synced || !closed || rename(part_.c_str(), path_.c_str()) != 0)
      return CannotWrite(path_);
    kept_ = true;
    const std::string folder =
        std::filesystem::absolute(path_).parent_path().string();
    const int parent = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool durable = parent >= 0 && fsync(parent) == 0;
    if (parent >= 0) close(parent);
    return durable ? absl::OkStatus() : CannotWrite(path_);
  }

  size_t size() const { return size_; }

 private:
  NewFile(std::string path, std::string part, int fd)
      : path_(std::move(path)), part_(std::move(part)), fd_(fd) {}

  const std::string path_, part_;
  int fd_;
  size_t size_ = 0;
  bool kept_ = false;
};

// A passphrase file that lies elsewhere is kept apart on purpose.
bool LiesInside(const AgentConfig& config) {
  return config.unlock == Unlock::kKeyFile &&
         !absl::StrContains(config.key_file, '/');
}

std::vector<std::string> FilesOf(const AgentConfig& config) {
  std::vector<std::string> names = {"agent.toml", "keystore.json",
                                    "certificate.pem", "network.json",
                                    "charter-1.json"};
  if (LiesInside(config)) names.push_back(config.key_file);
  return names;
}

absl::Status AddFiles(const DataDir& data, const AgentConfig& config,
                      BackupWriter& writer) {
  for (const std::string& name : FilesOf(config)) {
    ASSIGN_OR_RETURN(const std::string content,
                     ReadFile(data.Path(name), kFileBytesMax));
    RETURN_IF_ERROR(writer.Add(BackupPart::kFile, name, AsBytes(content)));
  }
  return absl::OkStatus();
}

// Rows as they lie there: encrypted under the vault key.
absl::StatusOr<size_t> AddRows(const KeyValue& kv, BackupWriter& writer) {
  size_t count = 0;
  absl::Status added;
  RETURN_IF_ERROR(kv.Scan("", "", [&](absl::string_view key, ByteView value) {
    if (StaysBehind(key)) return true;
    ++count;
    added = writer.Add(BackupPart::kRow, key, value);
    return added.ok();
  }));
  RETURN_IF_ERROR(added);
  return count;
}

std::string WhatElse(const AgentConfig& config) {
  switch (config.unlock) {
    case Unlock::kPrompt:
      return "the keystore's own passphrase, which the agent asks for";
    case Unlock::kCredential:
      return "the systemd credential amparo-keystore";
    case Unlock::kKeyFile:
      return LiesInside(config) ? "" : config.key_file;
  }
  return "";
}

}  // namespace

absl::StatusOr<std::string> MakeBackup(const DataDir& data,
                                       const BackupCommand& asked,
                                       const Clock& clock) {
  ASSIGN_OR_RETURN(const AgentConfig config, data.ReadConfig());
  ASSIGN_OR_RETURN(
      const SecretBuffer passphrase,
      asked.passphrase_file.empty()
          ? AskNewPassphrase("give its file: --passphrase-file FILE")
          : ReadPassphrase(asked.passphrase_file, "check --passphrase-file"));
  RETURN_IF_ERROR(CheckNewPassphrase(passphrase));
  ASSIGN_OR_RETURN(const auto store,
                   StoreToRead::Open(data, config, asked.officer));
  ASSIGN_OR_RETURN(const auto file, NewFile::Create(asked.file));
  ASSIGN_OR_RETURN(
      const auto writer,
      BackupWriter::Create([&](ByteView bytes) { return file->Append(bytes); },
                           passphrase, KeystoreCost::kModerate));
  RETURN_IF_ERROR(AddFiles(data, config, *writer));
  ASSIGN_OR_RETURN(const size_t rows, AddRows(store->kv(), *writer));
  RETURN_IF_ERROR(writer->Finish());
  RETURN_IF_ERROR(file->Keep());
  const std::string also = WhatElse(config);
  if (asked.json) {
    Json result;
    result["schema"] = "backup/1";
    result["file"] = asked.file;
    result["member"] = config.member.text();
    result["at"] = FormatUtc(clock.Now());
    result["bytes"] = file->size();
    result["rows"] = rows;
    result["keep_too"] = also.empty() ? Json() : Json(also);
    return DumpJson(result) + "\n";
  }
  return absl::StrCat(
      "wrote ", asked.file, ": ", file->size(), " bytes, ", rows, " rows\n",
      also.empty() ? "" : "To restore it you need, too: " + also + "\n");
}

}  // namespace amparo::agent

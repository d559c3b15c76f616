#include "base/new_directory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace amparo {
namespace {

namespace fs = std::filesystem;

bool Sync(const std::string& directory, int (*sync)(int)) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = sync(fd) == 0;
  close(fd);
  return synced;
}

}  // namespace

NewDirectory::NewDirectory(std::string path)
    : path_(std::move(path)), temporary_(absl::StrCat(path_, ".new-XXXXXX")) {}

NewDirectory::~NewDirectory() {
  std::error_code ignored;
  if (made_) fs::remove_all(temporary_, ignored);
}

absl::Status NewDirectory::Make() {
  std::error_code error;
  if (fs::symlink_status(path_, error).type() != fs::file_type::not_found)
    return MakeError(absl::StatusCode::kAlreadyExists,
                     absl::StrCat(path_, " exists already"),
                     {.code = "conflict",
                      .field = "--out",
                      .expected = "a directory that does not exist"});
  if (mkdtemp(temporary_.data()) == nullptr) return Failed("create");
  made_ = true;
  return absl::OkStatus();
}

absl::Status NewDirectory::Write(const std::string& name,
                                 absl::string_view content) {
  const fs::path file = fs::path(temporary_) / name;
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  return out ? absl::OkStatus() : Failed("write");
}

absl::Status NewDirectory::MakeFolder(const std::string& name) {
  std::error_code error;
  fs::create_directories(fs::path(temporary_) / name, error);
  return error ? Failed("create") : absl::OkStatus();
}

absl::Status NewDirectory::Finish() {
  if (!Sync(temporary_, syncfs)) return Failed("sync");
  // Onto a name that is free: a directory does not replace a file, and one
  // that came meanwhile and is not empty makes it fail.
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return Failed("rename");
  made_ = false;
  const std::string parent = fs::path(path_).parent_path().string();
  return Sync(parent.empty() ? "." : parent, fsync) ? absl::OkStatus()
                                                    : Failed("sync");
}

absl::Status NewDirectory::Failed(absl::string_view verb) const {
  const int error = errno;
  return MakeError(absl::ErrnoToStatusCode(error),
                   absl::StrCat("cannot ", verb, " in ", path_),
                   {.code = "storage", .field = "--out"});
}

}  // namespace amparo

#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace amparo {
namespace {

// The disk's own refusals are no refusals by a rule: EACCES is not a role that
// is missing, ENOSPC no form that is too large.
absl::Status SystemStatus(int error, absl::string_view message) {
  const absl::StatusCode code = absl::ErrnoToStatusCode(error);
  const char* name = code == absl::StatusCode::kNotFound        ? "not_found"
                     : code == absl::StatusCode::kAlreadyExists ? "conflict"
                                                                : "storage";
  return MakeError(code, message, {.code = name});
}

absl::Status ErrnoStatus(absl::string_view verb, const std::string& path) {
  const int error = errno;
  return SystemStatus(error, absl::StrCat("cannot ", verb, " ", path));
}

// Closes on scope exit; Close() to learn of a late write error.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::StatusOr<std::string> ReadAll(const Descriptor& file,
                                    const std::string& path, size_t size_max) {
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t got = read(file.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read", path);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > size_max)
      return absl::ResourceExhaustedError(
          absl::StrCat(path, " is larger than ", size_max, " bytes"));
  }
}

mode_t ModeOf(FileMode mode) {
  return mode == FileMode::kPrivate ? 0600 : 0644;
}

absl::Status WriteAll(int fd, absl::string_view content,
                      const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus("write", path);
    content.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(fd) != 0) return ErrnoStatus("sync", path);
  return absl::OkStatus();
}

absl::Status SyncDirectoryOf(const std::string& path) {
  std::string parent = std::filesystem::path(path).parent_path().string();
  if (parent.empty()) parent = ".";
  const Descriptor directory(
      open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return ErrnoStatus("open", parent);
  if (fsync(directory.get()) != 0) return ErrnoStatus("sync", parent);
  return absl::OkStatus();
}

// Writes a temporary file beside `path`, moves it there with `move`.
template <typename Move>
absl::Status WriteThenMove(const std::string& path, absl::string_view content,
                           FileMode mode, Move move) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus("create", path);
  absl::Status status;
  if (fchmod(file.get(), ModeOf(mode)) != 0)
    status = ErrnoStatus("chmod", path);
  if (status.ok()) status = WriteAll(file.get(), content, path);
  if (status.ok() && move(temporary.c_str(), path.c_str()) != 0)
    status = ErrnoStatus("create", path);
  unlink(temporary.c_str());  // gone already after a rename
  if (!status.ok()) return status;
  return SyncDirectoryOf(path);
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t size_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return ErrnoStatus("open", path);
  return ReadAll(file, path, size_max);
}

absl::StatusOr<std::string> ReadForeignFile(const std::string& path,
                                            size_t size_max) {
  const auto no_file = [&path] {
    return MakeError(absl::StatusCode::kInvalidArgument,
                     absl::StrCat(path, " is no plain file"),
                     {.code = "tampered"});
  };
  const Descriptor file(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  // A link; a socket.
  if (file.get() < 0 && (errno == ELOOP || errno == ENXIO)) return no_file();
  if (file.get() < 0) return ErrnoStatus("open", path);
  struct stat what = {};
  if (fstat(file.get(), &what) != 0) return ErrnoStatus("read", path);
  if (!S_ISREG(what.st_mode)) return no_file();
  return ReadAll(file, path, size_max);
}

absl::Status WriteFile(const std::string& path, absl::string_view content,
                       FileMode mode) {
  return WriteThenMove(path, content, mode, rename);
}

absl::Status CreateFile(const std::string& path, absl::string_view content,
                        FileMode mode) {
  // link() fails where the name is taken; rename() would replace it.
  return WriteThenMove(path, content, mode, link);
}

absl::Status MakeDirectory(const std::string& path, FileMode mode) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return absl::OkStatus();
  std::filesystem::create_directories(path, error);
  if (error)
    return SystemStatus(error.value(), absl::StrCat("cannot create ", path));
  if (chmod(path.c_str(), mode == FileMode::kPrivate ? 0700 : 0755) != 0)
    return ErrnoStatus("chmod", path);
  return absl::OkStatus();
}

bool FileExists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

}  // namespace amparo

#include "agents/committee/dialog.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/status.h"

namespace amparo::committee {
namespace {

constexpr size_t kLineBytesMax = 1024;
constexpr size_t kPassphraseBytesMin = 12;

absl::Status NobodyThere() {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "there is no terminal to ask at",
      {.code = "usage", .hint = "give the answer by a flag: see --help"});
}

// The controlling terminal; closed, with its settings as before, at the end.
class Terminal {
 public:
  Terminal() : fd_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {}
  ~Terminal() {
    if (hidden_) tcsetattr(fd_, TCSAFLUSH, &before_);
    if (fd_ >= 0) close(fd_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool is_open() const { return fd_ >= 0; }

  absl::Status Hide() {
    if (tcgetattr(fd_, &before_) != 0) return NobodyThere();
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    if (tcsetattr(fd_, TCSAFLUSH, &quiet) != 0) return NobodyThere();
    hidden_ = true;
    return absl::OkStatus();
  }

  absl::Status Write(absl::string_view text) {
    while (!text.empty()) {
      const ssize_t written = write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return NobodyThere();
      text.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  // A line without its end.
  absl::StatusOr<SecretBuffer> ReadLine() {
    SecretBuffer line(kLineBytesMax);
    size_t size = 0;
    while (size < kLineBytesMax) {
      const ssize_t got = read(fd_, line.Mutable().data() + size, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return NobodyThere();
      if (line.Mutable()[size] == '\n') break;
      ++size;
    }
    line.Shrink(size);
    return line;
  }

 private:
  int fd_;
  bool hidden_ = false;
  termios before_{};
};

absl::StatusOr<SecretBuffer> AskUnseen(const std::string& prompt) {
  Terminal terminal;
  if (!terminal.is_open()) return NobodyThere();
  RETURN_IF_ERROR(terminal.Hide());
  RETURN_IF_ERROR(terminal.Write(prompt));
  ASSIGN_OR_RETURN(SecretBuffer line, terminal.ReadLine());
  RETURN_IF_ERROR(terminal.Write("\n"));
  return line;
}

}  // namespace

void TerminalDialog::Tell(absl::string_view line) {
  const std::string text = Printable(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

absl::StatusOr<bool> TerminalDialog::Confirm(absl::string_view question) {
  Terminal terminal;
  if (!terminal.is_open()) return NobodyThere();
  RETURN_IF_ERROR(
      terminal.Write(absl::StrCat(Printable(question), " [yes/no] ")));
  ASSIGN_OR_RETURN(const SecretBuffer answer, terminal.ReadLine());
  const absl::string_view text = AsText(answer.Expose());
  return text == "yes" || text == "y";
}

absl::StatusOr<SecretBuffer> TerminalDialog::Passphrase(
    absl::string_view of_what, bool twice) {
  ASSIGN_OR_RETURN(
      SecretBuffer first,
      AskUnseen(absl::StrCat("Passphrase of ", Printable(of_what), ": ")));
  if (!twice) return first;
  if (first.size() < kPassphraseBytesMin)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the passphrase is too short",
                     {.code = "usage", .expected = "at least 12 characters"});
  ASSIGN_OR_RETURN(const SecretBuffer second, AskUnseen("Once more: "));
  if (!EqualSecret(first.Expose(), second.Expose()))
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the two passphrases differ", {.code = "usage"});
  return first;
}

}  // namespace amparo::committee

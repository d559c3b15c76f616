#include "tests/support/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include <atomic>
#include <stdexcept>

#include "base/files.h"
#include "tests/support/scratch_folder.h"

extern char** environ;

namespace amparo {
namespace {

constexpr size_t kOutputMax = 64 << 20;

std::string NewName(const std::string& folder, const char* stream) {
  static std::atomic<int> count = 0;
  return folder + "/child-" + std::to_string(++count) + "." + stream;
}

std::string Content(const std::string& path) {
  auto content = ReadFile(path, kOutputMax);
  return content.ok() ? *std::move(content) : "";
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::string& output_folder)
    : stdout_path_(NewName(output_folder, "out")),
      stderr_path_(NewName(output_folder, "err")) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_addopen(
      &actions, STDOUT_FILENO, stdout_path_.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(
      &actions, STDERR_FILENO, stderr_path_.c_str(), O_WRONLY | O_CREAT, 0600);
  const int error =
      posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + arguments.front());
}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  Signal(SIGKILL);
  Wait();
}

void ChildProcess::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

int ChildProcess::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0)
    if (errno != EINTR) throw std::runtime_error("no such child");
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string ChildProcess::Stdout() const { return Content(stdout_path_); }
std::string ChildProcess::Stderr() const { return Content(stderr_path_); }

Finished RunToEnd(const std::vector<std::string>& arguments) {
  const ScratchFolder folder;
  ChildProcess child(arguments, folder.path());
  const int exit = child.Wait();
  return {exit, child.Stdout(), child.Stderr()};
}

}  // namespace amparo

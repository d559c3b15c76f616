#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace amparo {

// A program of ours, run for real. Killed with the object. One thread at a
// time.
class ChildProcess {
 public:
  // Starts `arguments` (the program's path first); both outputs go to files.
  ChildProcess(const std::vector<std::string>& arguments,
               const std::string& output_folder);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void Signal(int signal) const;
  // Waits for its end. The exit status; -signal when a signal ended it.
  int Wait();
  pid_t pid() const { return pid_; }  // -1 once it has ended
  std::string Stdout() const;
  std::string Stderr() const;

 private:
  const std::string stdout_path_, stderr_path_;
  pid_t pid_ = -1;  // -1: it has ended
};

struct Finished {
  int exit = 0;
  std::string out, err;
};
// Starts it and waits for its end.
Finished RunToEnd(const std::vector<std::string>& arguments);

}  // namespace amparo

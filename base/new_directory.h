#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace amparo {

// A directory that appears under its name when it is whole, and until then is
// written beside it. Files and folders in it are as private as the process's
// umask makes them, the directory itself its owner's alone. Errors are about
// the flag --out. One thread at a time.
class NewDirectory {
 public:
  explicit NewDirectory(std::string path);
  // Deletes what was not finished.
  ~NewDirectory();
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;

  // ALREADY_EXISTS (code "conflict") when there is something of that name.
  absl::Status Make();
  // Where it is written, after Make.
  const std::string& path() const { return temporary_; }
  // The file `name` in it, and the folders of that name. Not synced one by one.
  absl::Status Write(const std::string& name, absl::string_view content);
  // Appears even when nothing is written into it.
  absl::Status MakeFolder(const std::string& name);
  // Syncs all of it, and gives it its name.
  absl::Status Finish();

 private:
  absl::Status Failed(absl::string_view verb) const;

  const std::string path_;
  std::string temporary_;
  bool made_ = false;
};

}  // namespace amparo

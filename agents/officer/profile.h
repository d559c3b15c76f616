#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace amparo::officer {

// Which agent to ask, and as whom: profile.toml (docs/OFFICERS.md). It holds
// no secret of an officer's.
struct Profile {
  struct Tls {
    std::string address;        // host:port
    std::string ca, cert, key;  // paths of PEM files
  };

  std::string file;    // its profile.toml, for messages
  std::string socket;  // absolute path; empty when `tls` is set
  std::optional<Tls> tls;
  std::string officer;  // handle; empty for an IT system
  std::string member;   // shown, never trusted
  std::string language;
  absl::Duration timeout;
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

// The directory that `named` (--profile, empty when it was not typed) stands
// for: itself when it holds a slash, else a name in the user's configuration;
// $AMPARO_PROFILE, then "default", when it is empty.
std::string ProfileDirectory(absl::string_view named,
                             const Environment& environment);

// Reads DIRECTORY/profile.toml; relative paths in it start there.
// INVALID_ARGUMENT, code "config", for whatever is wrong with it.
absl::StatusOr<Profile> LoadProfile(const std::string& directory);

}  // namespace amparo::officer

#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"

namespace amparo::auditor {

// An auditor's profile.toml (docs/PROTOCOL.md, Profiles): where the broker is,
// how this auditor is known to it, and the root that everything is checked
// against.
struct Profile {
  std::string member;
  std::string network;
  std::string broker;          // host:port of the members' port
  std::string ca, cert, key;   // paths of PEM files
  std::optional<Digest> root;  // hash of charter version 1
  absl::Duration timeout;
};

// The directory that `--profile NAME` means: NAME itself when it has a slash,
// else $XDG_CONFIG_HOME/amparo/NAME; `name` empty: $AMPARO_PROFILE, or
// "default".
std::string ProfileFolder(const std::string& name);

// INVALID_ARGUMENT (code "config") naming the key; NOT_FOUND without a file.
absl::StatusOr<Profile> ReadProfile(const std::string& folder);

// profile.toml with a comment at each key. Precondition: no text has quotes or
// control characters.
std::string FormatProfile(const Profile& profile);

}  // namespace amparo::auditor

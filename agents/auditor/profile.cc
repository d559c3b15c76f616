#include "agents/auditor/profile.h"

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/config.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

constexpr size_t kProfileBytesMax = 64 << 10;
constexpr int64_t kTimeoutDefault_s = 30;
constexpr int64_t kTimeoutMax_s = 3600;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Relative paths start at the profile's directory.
std::string Below(const std::string& folder, const std::string& path) {
  if (path.empty() || path[0] == '/') return path;
  return absl::StrCat(folder, "/", path);
}

}  // namespace

std::string ProfileFolder(const std::string& name) {
  std::string profile = name.empty() ? Environment("AMPARO_PROFILE") : name;
  if (absl::StrContains(profile, '/')) return profile;
  if (profile.empty()) profile = "default";
  std::string config = Environment("XDG_CONFIG_HOME");
  if (config.empty()) config = absl::StrCat(Environment("HOME"), "/.config");
  return absl::StrCat(config, "/amparo/", profile);
}

absl::StatusOr<Profile> ReadProfile(const std::string& folder) {
  const std::string path = absl::StrCat(folder, "/profile.toml");
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kProfileBytesMax));
  ASSIGN_OR_RETURN(Config config, Config::Parse(text, path));
  Profile profile;
  profile.member = config.String("member", "");
  profile.network = config.String("network", "");
  profile.broker = config.String("broker", "");
  profile.ca = Below(folder, config.String("ca", ""));
  profile.cert = Below(folder, config.String("cert", ""));
  profile.key = Below(folder, config.String("key", ""));
  const std::string root = config.String("root", "");
  profile.timeout = absl::Seconds(
      config.Int("timeout_s", kTimeoutDefault_s, 1, kTimeoutMax_s));
  RETURN_IF_ERROR(config.Finish());
  if (!root.empty()) {
    const absl::StatusOr<Digest> digest = Digest::Parse(root);
    if (!digest.ok())
      return MakeError(absl::StatusCode::kInvalidArgument,
                       absl::StrCat(path, ": root is not right"),
                       {.code = "config",
                        .field = "root",
                        .expected = "sha256: and 64 hex digits"});
    profile.root = *digest;
  }
  return profile;
}

std::string FormatProfile(const Profile& profile) {
  return absl::StrCat(
      "# An auditor's profile. Relative paths start at this directory.\n\n"
      "# Who this is; shown, never trusted.\nmember = \"",
      profile.member, "\"\nnetwork = \"", profile.network,
      "\"\n\n# The broker's port for members.\nbroker = \"", profile.broker,
      "\"\n\n# The network's certificate authority, this auditor's certificate "
      "and its key.\nca = \"",
      profile.ca, "\"\ncert = \"", profile.cert, "\"\nkey = \"", profile.key,
      "\"\n\n# Hash of charter version 1: what every replay is checked "
      "against.\nroot = \"",
      profile.root.value_or(Digest()).ToString(),
      "\"\n\n# How long to wait for one answer of the broker.\ntimeout_s = ",
      absl::ToInt64Seconds(profile.timeout), "\n");
}

}  // namespace amparo::auditor

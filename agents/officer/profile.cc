#include "agents/officer/profile.h"

#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/config.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "base/strong_id.h"

namespace amparo::officer {
namespace {

constexpr size_t kFileBytesMax = 64 * 1024;
constexpr size_t kSocketPathBytesMax = 107;  // sun_path, less its final zero
constexpr int64_t kTimeoutDefault_s = 10;
constexpr int64_t kTimeoutMax_s = 3600;

absl::Status ConfigError(const std::string& message, const std::string& field,
                         const std::string& hint) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "config", .field = field, .hint = hint});
}

std::string Absolute(const std::string& directory, const std::string& path) {
  if (path.empty()) return "";
  const auto whole = std::filesystem::absolute(directory) / path;
  return whole.lexically_normal().string();
}

absl::Status CheckEndpoint(const Profile& profile) {
  if (profile.socket.empty() == !profile.tls.has_value())
    return ConfigError(
        absl::StrCat(profile.file,
                     ": needs either socket, or address with ca, cert and key"),
        "socket", "socket = \"/run/amparo/agent.sock\" is the usual one");
  if (profile.socket.size() > kSocketPathBytesMax)
    return ConfigError(
        absl::StrCat(profile.file, ": the socket's path is longer than ",
                     kSocketPathBytesMax, " bytes"),
        "socket", "use a shorter path; the system allows no more");
  if (profile.tls && (profile.tls->ca.empty() || profile.tls->cert.empty() ||
                      profile.tls->key.empty()))
    return ConfigError(
        absl::StrCat(profile.file, ": address needs ca, cert and key"),
        "address", "");
  return absl::OkStatus();
}

absl::Status CheckNames(const Profile& profile) {
  if (!profile.officer.empty() &&
      !StrongId<struct HandleTag>::Parse(profile.officer).ok())
    return ConfigError(
        absl::StrCat(profile.file, ": officer is not a handle"), "officer",
        "a handle has lower-case letters, digits and -, 32 at most");
  static constexpr absl::string_view kLanguages[] = {"",   "en", "pt",
                                                     "it", "es", "fr"};
  for (absl::string_view language : kLanguages)
    if (language == profile.language) return absl::OkStatus();
  return ConfigError(
      absl::StrCat(profile.file, ": language is none that is spoken here"),
      "language", "one of: en pt it es fr, or empty for the system's");
}

}  // namespace

std::string ProfileDirectory(absl::string_view named,
                             const Environment& environment) {
  std::string name(named);
  if (name.empty()) name = environment("AMPARO_PROFILE").value_or("");
  if (name.empty()) name = "default";
  if (absl::StrContains(name, '/')) return name;
  std::string base = environment("XDG_CONFIG_HOME").value_or("");
  if (base.empty())
    base = absl::StrCat(environment("HOME").value_or(""), "/.config");
  return absl::StrCat(base, "/amparo/", name);
}

absl::StatusOr<Profile> LoadProfile(const std::string& directory) {
  Profile profile;
  profile.file = (std::filesystem::path(directory) / "profile.toml").string();
  const auto text = ReadFile(profile.file, kFileBytesMax);
  if (!text.ok())
    return ConfigError(
        absl::StrCat("the profile ", profile.file, " cannot be read"), "",
        "write that file, or name another profile with --profile; "
        "docs/OFFICERS.md shows what stands in it");
  ASSIGN_OR_RETURN(Config config, Config::Parse(*text, profile.file));
  profile.socket = Absolute(directory, config.String("socket", ""));
  Profile::Tls tls;
  tls.address = config.String("address", "");
  tls.ca = Absolute(directory, config.String("ca", ""));
  tls.cert = Absolute(directory, config.String("cert", ""));
  tls.key = Absolute(directory, config.String("key", ""));
  profile.officer = config.String("officer", "");
  profile.member = config.String("member", "");
  profile.language = config.String("language", "");
  profile.timeout = absl::Seconds(
      config.Int("timeout_s", kTimeoutDefault_s, 1, kTimeoutMax_s));
  RETURN_IF_ERROR(config.Finish());
  if (!tls.address.empty()) profile.tls = std::move(tls);
  RETURN_IF_ERROR(CheckEndpoint(profile));
  RETURN_IF_ERROR(CheckNames(profile));
  return profile;
}

}  // namespace amparo::officer

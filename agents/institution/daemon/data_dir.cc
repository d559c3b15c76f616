#include "agents/institution/daemon/data_dir.h"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr size_t kSmallFileBytes = 1 << 20;
constexpr size_t kPassphraseBytesMax = 1024;
constexpr size_t kNewPassphraseBytesMin = 12;
constexpr char kReconnectHint[] =
    "where the join was cut off, run it again with the same invitation; where "
    "the file was lost, ask the broker's operator for an invitation, then "
    "amparo-agent reconnect INVITATION --data DIR";

absl::Status ConfigError(absl::StatusCode code, absl::string_view message,
                         absl::string_view hint) {
  return MakeError(code, message, {.code = "config", .hint = std::string(hint)});
}

// The one cause why the keystore's file did not open.
absl::Status WhyLocked(const absl::Status& status, Unlock unlock) {
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
      return ConfigError(absl::StatusCode::kPermissionDenied,
                         "the passphrase does not open keystore.json",
                         unlock == Unlock::kPrompt
                             ? "try again"
                             : "the file with the passphrase is of another "
                               "keystore: restore both from one copy");
    case absl::StatusCode::kDataLoss:
      return MakeError(absl::StatusCode::kDataLoss, "keystore.json is damaged",
                       {.code = "storage",
                        .hint = "restore it from a copy; no passphrase opens it"});
    case absl::StatusCode::kUnimplemented:
      return ConfigError(absl::StatusCode::kUnimplemented,
                         "keystore.json is of another version than this program",
                         "use the program that made it, or a newer one");
    case absl::StatusCode::kInvalidArgument:
      return ConfigError(absl::StatusCode::kInvalidArgument,
                         "keystore.json is no keystore that this program opens",
                         "restore it from a copy");
    case absl::StatusCode::kResourceExhausted:
      return MakeError(absl::StatusCode::kResourceExhausted,
                       "too little memory to open keystore.json",
                       {.code = "storage",
                        .hint = "it takes up to 256 MiB, for a second",
                        .retryable = true});
    default:
      return status;
  }
}

}  // namespace

std::string DataDir::Path(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

std::string DataDir::Resolve(const std::string& path) const {
  return absl::StartsWith(path, "/") ? path : Path(path);
}

bool DataDir::HasJoined() const {
  return FileExists(Path("agent.toml")) && FileExists(Path("certificate.pem"));
}

absl::Status DataDir::CheckJoined() const {
  if (HasJoined()) return absl::OkStatus();
  return ConfigError(absl::StatusCode::kFailedPrecondition,
                     absl::StrCat(Path("certificate.pem"), " is missing"),
                     kReconnectHint);
}

absl::StatusOr<AgentConfig> DataDir::ReadConfig() const {
  struct stat info = {};
  if (stat(Path("agent.toml").c_str(), &info) != 0 && errno == EACCES)
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(path_, " may not be entered"),
                       "run this as the account that the agent runs as");
  if (!FileExists(Path("agent.toml")) && FileExists(Path("keystore.json")))
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(Path("agent.toml"), " is missing"),
                       "restore it from a copy, or write it again "
                       "(docs/OPERATIONS.md)");
  if (!FileExists(Path("agent.toml")))
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(path_, " holds no agent that joined"),
                       "amparo-agent join INVITATION --data DIR");
  ASSIGN_OR_RETURN(const std::string text, ReadFile(Path("agent.toml"), kSmallFileBytes));
  absl::StatusOr<AgentConfig> config = ParseAgentConfig(text, Path("agent.toml"));
  if (config.ok()) return config;
  ErrorDetail detail = DetailOf(config.status()).value_or(ErrorDetail{.code = "config"});
  if (detail.hint.empty())
    detail.hint = "correct it, then: amparo-agent run --data DIR --check-config";
  return MakeError(config.status().code(), config.status().message(), detail);
}

absl::StatusOr<NetworkFile> DataDir::ReadNetwork() const {
  return ReadNetworkFile(Path("network.json"));
}

absl::StatusOr<AgentSecrets> DataDir::Unlock(const AgentConfig& config) const {
  absl::StatusOr<SecretBuffer> passphrase = absl::InternalError("no passphrase");
  switch (config.unlock) {
    case Unlock::kPrompt:
      passphrase = AskPassphrase("Passphrase of the keystore: ",
                                 "set keystore.unlock to key_file or credential");
      break;
    case Unlock::kKeyFile:
      passphrase = ReadPassphrase(Resolve(config.key_file),
                                  "check keystore.key_file");
      break;
    case Unlock::kCredential: {
      const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
      if (folder == nullptr)
        return ConfigError(absl::StatusCode::kFailedPrecondition,
                           "systemd gave no credentials",
                           "set LoadCredential=amparo-keystore:... in the unit");
      passphrase = ReadPassphrase(
          absl::StrCat(folder, "/amparo-keystore"),
          "name it amparo-keystore: LoadCredential=amparo-keystore:FILE");
      break;
    }
  }
  RETURN_IF_ERROR(passphrase.status());
  const auto file = ReadFile(Path("keystore.json"), kSmallFileBytes);
  if (!file.ok())
    return ConfigError(file.status().code(), "keystore.json cannot be read",
                       "restore it from a copy, or join anew");
  auto secrets = OpenSecrets(*file, *passphrase);
  if (!secrets.ok()) return WhyLocked(secrets.status(), config.unlock);
  return secrets;
}

absl::StatusOr<SecretBuffer> AskPassphrase(absl::string_view prompt,
                                           absl::string_view instead) {
  if (isatty(STDIN_FILENO) == 0)
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       "there is no terminal to ask for the passphrase", instead);
  std::cerr << std::string(prompt) << std::flush;
  termios before = {};
  tcgetattr(STDIN_FILENO, &before);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  std::string line;
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << "\n";
  SecretBuffer passphrase = SecretBuffer::CopyOf(line);
  Wipe({reinterpret_cast<uint8_t*>(line.data()), line.size()});
  return passphrase;
}

absl::Status CheckNewPassphrase(const SecretBuffer& passphrase) {
  if (passphrase.size() >= kNewPassphraseBytesMin) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the passphrase is too short",
                   {.code = "config",
                    .expected = absl::StrCat("at least ", kNewPassphraseBytesMin,
                                             " characters")});
}

absl::StatusOr<SecretBuffer> AskNewPassphrase(absl::string_view instead) {
  ASSIGN_OR_RETURN(SecretBuffer first, AskPassphrase("New passphrase: ", instead));
  RETURN_IF_ERROR(CheckNewPassphrase(first));
  ASSIGN_OR_RETURN(const SecretBuffer second, AskPassphrase("The same again: ", instead));
  if (!EqualSecret(first.Expose(), second.Expose()))
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the passphrases differ", {.code = "config"});
  return first;
}

absl::StatusOr<SecretBuffer> ReadPassphrase(const std::string& path,
                                            absl::string_view missing) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0)
    return ConfigError(absl::StatusCode::kNotFound,
                       absl::StrCat(path, " is not there"), missing);
  if ((info.st_mode & 077) != 0)
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(path, " may be read by others"),
                       "set its mode to 0600");
  ASSIGN_OR_RETURN(std::string text, ReadFile(path, kPassphraseBytesMax));
  if (const size_t end = text.find('\n'); end != std::string::npos) {
    Wipe({reinterpret_cast<uint8_t*>(text.data()) + end, text.size() - end});
    text.resize(end);
  }
  SecretBuffer passphrase = SecretBuffer::CopyOf(text);
  Wipe({reinterpret_cast<uint8_t*>(text.data()), text.size()});
  return passphrase;
}

absl::StatusOr<NetworkFile> ReadNetworkFile(const std::string& path) {
  constexpr char kHint[] =
      "put it back from a copy; any member of the network has the same one, and "
      "the broker's operator (to be handed on without its founding token)";
  if (!FileExists(path))
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(path, " is missing"), kHint);
  const auto text = ReadFile(path, kSmallFileBytes);
  if (!text.ok())
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(path, " cannot be read"), kHint);
  absl::StatusOr<NetworkFile> network = ParseNetworkFile(*text);
  if (network.ok()) return network;
  return ConfigError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat(path, " is not right: ", network.status().message()), kHint);
}

absl::Status RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  return error ? absl::UnavailableError(absl::StrCat(path, " cannot be removed"))
               : absl::OkStatus();
}

}  // namespace amparo::agent

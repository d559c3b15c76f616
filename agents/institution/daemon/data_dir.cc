#include "agents/institution/daemon/data_dir.h"

#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr size_t kSmallFileBytes = 1 << 20;
constexpr size_t kPassphraseBytesMax = 1024;

absl::Status ConfigError(absl::StatusCode code, absl::string_view message,
                         absl::string_view hint) {
  return MakeError(code, message, {.code = "config", .hint = std::string(hint)});
}

// A passphrase file's first line. Others may not read it.
absl::StatusOr<SecretBuffer> ReadPassphrase(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0)
    return ConfigError(absl::StatusCode::kNotFound,
                       absl::StrCat("cannot read ", path), "check keystore.key_file");
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

absl::StatusOr<AgentConfig> DataDir::ReadConfig() const {
  if (!HasJoined())
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(path_, " holds no agent that joined"),
                       "amparo-agent join INVITATION --data DIR");
  ASSIGN_OR_RETURN(const std::string text, ReadFile(Path("agent.toml"), kSmallFileBytes));
  return ParseAgentConfig(text, Path("agent.toml"));
}

absl::StatusOr<NetworkFile> DataDir::ReadNetwork() const {
  ASSIGN_OR_RETURN(const std::string text,
                   ReadFile(Path("network.json"), kSmallFileBytes));
  return ParseNetworkFile(text);
}

absl::StatusOr<AgentSecrets> DataDir::Unlock(const AgentConfig& config) const {
  absl::StatusOr<SecretBuffer> passphrase = absl::InternalError("no passphrase");
  switch (config.unlock) {
    case Unlock::kPrompt:
      passphrase = AskPassphrase("Passphrase of the keystore: ");
      break;
    case Unlock::kKeyFile:
      passphrase = ReadPassphrase(Resolve(config.key_file));
      break;
    case Unlock::kCredential: {
      const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
      if (folder == nullptr)
        return ConfigError(absl::StatusCode::kFailedPrecondition,
                           "systemd gave no credentials",
                           "set LoadCredential=amparo-keystore:... in the unit");
      passphrase = ReadPassphrase(absl::StrCat(folder, "/amparo-keystore"));
      break;
    }
  }
  RETURN_IF_ERROR(passphrase.status());
  ASSIGN_OR_RETURN(const std::string file,
                   ReadFile(Path("keystore.json"), kSmallFileBytes));
  auto secrets = OpenSecrets(file, *passphrase);
  if (absl::IsPermissionDenied(secrets.status()))
    return ConfigError(absl::StatusCode::kPermissionDenied,
                       "the passphrase does not open keystore.json", "try again");
  return secrets;
}

absl::StatusOr<SecretBuffer> AskPassphrase(absl::string_view prompt) {
  if (isatty(STDIN_FILENO) == 0)
    return ConfigError(absl::StatusCode::kFailedPrecondition,
                       "there is no terminal to ask for the passphrase",
                       "set keystore.unlock to key_file or credential");
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

}  // namespace amparo::agent

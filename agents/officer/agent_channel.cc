#include "agents/officer/agent_channel.h"

#include <grpcpp/create_channel.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/grpc/credentials.h"

namespace amparo::officer {
namespace {

constexpr int kAnswerBytesMax = 64 * 1024 * 1024;
constexpr size_t kPemBytesMax = 64 * 1024;

std::shared_ptr<grpc::Channel> SocketChannel(const std::string& path) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  // The name in :authority: a path is none.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel(absl::StrCat("unix:", path),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

absl::Status ConfigError(const std::string& message, const std::string& field,
                         const Profile& profile) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "config",
                    .field = field,
                    .hint = absl::StrCat("check the paths in ", profile.file)});
}

absl::StatusOr<std::string> ReadPem(const Profile& profile,
                                    const std::string& path,
                                    const char* field) {
  auto pem = ReadFile(path, kPemBytesMax);
  if (pem.ok()) return pem;
  return ConfigError(absl::StrCat(path, " cannot be read"), field, profile);
}

// Whoever reads the key is the IT system.
absl::Status CheckPrivate(const Profile& profile) {
  struct stat info = {};
  if (stat(profile.tls->key.c_str(), &info) == 0 &&
      (info.st_mode & S_IROTH) != 0)
    return ConfigError(
        absl::StrCat(profile.tls->key, " may be read by everybody"), "key",
        profile);
  return absl::OkStatus();
}

absl::StatusOr<ClientTls> ReadTls(const Profile& profile) {
  ClientTls tls;
  ASSIGN_OR_RETURN(tls.server_ca, ReadPem(profile, profile.tls->ca, "ca"));
  ASSIGN_OR_RETURN(tls.certificate,
                   ReadPem(profile, profile.tls->cert, "cert"));
  ASSIGN_OR_RETURN(tls.key, ReadPem(profile, profile.tls->key, "key"));
  return tls;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> TlsChannel(
    const Profile& profile) {
  ASSIGN_OR_RETURN(const ClientTls tls, ReadTls(profile));
  RETURN_IF_ERROR(CheckPrivate(profile));
  // Else gRPC says of a wrong file only that nobody can be reached.
  if (const absl::Status whole = CheckClientTls(tls); !whole.ok())
    return ConfigError(std::string(whole.message()),
                       DetailOf(whole).value_or(ErrorDetail{}).field, profile);
  return MakeChannel(profile.tls->address, MakeClientCredentials(tls),
                     kAnswerBytesMax);
}

absl::Status Unreachable(const std::string& message, const std::string& hint) {
  return MakeError(
      absl::StatusCode::kUnavailable, message,
      {.code = "agent_unreachable", .hint = hint, .retryable = true});
}

absl::Status WrongServer(const Profile& profile) {
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      absl::StrCat("who answers at ", profile.tls->address,
                   " does not prove to be the agent that ca names"),
      {.code = "wrong_pin",
       .field = "ca",
       .hint =
           absl::StrCat("nothing was sent; get api-ca.pem from who runs the "
                        "agent, and see that ",
                        profile.file,
                        " has an address of which its certificate knows "
                        "(api.tls_names)")});
}

absl::Status CertificateNotTaken(const Profile& profile, absl::Time now) {
  const auto tls = ReadTls(profile);
  const auto end = tls.ok() ? EndOfClientCertificate(*tls) : std::nullopt;
  if (end && *end < now)
    return MakeError(
        absl::StatusCode::kPermissionDenied,
        absl::StrCat("this system's certificate ended at ", FormatUtc(*end)),
        {.code = "not_an_officer",
         .field = "cert",
         .hint = "make a new key and certificate, and have an "
                 "admin add it with `amparo officer add`"});
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      absl::StrCat("the agent at ", profile.tls->address,
                   " does not take this certificate"),
      {.code = "not_an_officer",
       .field = "cert",
       .hint = "an admin adds it with `amparo officer add HANDLE --role "
               "it_system --certificate FILE`"});
}

// What this gRPC writes when the connection fails. Only the explanation depends
// on it: with another text it is "agent_unreachable".
bool ServerWasNotVerified(const std::string& told) {
  return absl::StrContains(told, "certificate verify failed") ||
         absl::StrContains(told, "not in peer certificate");
}
// The client's half of a TLS 1.3 handshake is done before the agent has looked
// at the certificate: a refusal is an end of the connection right after it.
bool ClientWasTurnedAway(const std::string& told) {
  return absl::StrContains(told, "failed to connect") &&
         (absl::StrContains(told, "Socket closed") ||
          absl::StrContains(told, "Connection reset by peer") ||
          absl::StrContains(told, "Broken pipe"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(
    const Profile& profile) {
  if (profile.tls) return TlsChannel(profile);
  return SocketChannel(profile.socket);
}

absl::Status WhyUnreachable(const Profile& profile, const std::string& told,
                            absl::Time now) {
  if (profile.tls) {
    if (ServerWasNotVerified(told)) return WrongServer(profile);
    if (ClientWasTurnedAway(told)) return CertificateNotTaken(profile, now);
    return Unreachable(
        absl::StrCat("no agent answers at ", profile.tls->address),
        absl::StrCat("ask who runs the agent whether it is up; the address "
                     "stands in ",
                     profile.file));
  }
  if (access(profile.socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES)
    return Unreachable(
        absl::StrCat("your account may not use the agent's socket ",
                     profile.socket),
        "ask who runs the agent to add your account to the socket's group");
  return Unreachable(
      absl::StrCat("no agent answers at ", profile.socket),
      absl::StrCat("start it with `amparo-agent run --data DIR`, or correct "
                   "socket in ",
                   profile.file));
}

}  // namespace amparo::officer

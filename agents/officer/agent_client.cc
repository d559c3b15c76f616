#include "agents/officer/agent_client.h"

#include <grpcpp/create_channel.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/files.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/status.h"

namespace amparo::officer {
namespace {

constexpr int kAnswerBytesMax = 64 * 1024 * 1024;
constexpr size_t kPemBytesMax = 1024 * 1024;

std::shared_ptr<grpc::Channel> SocketChannel(const std::string& path) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kAnswerBytesMax);
  // The name in :authority: a path is none.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel(absl::StrCat("unix:", path),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

absl::StatusOr<std::string> ReadPem(const Profile& profile,
                                    const std::string& path) {
  auto pem = ReadFile(path, kPemBytesMax);
  if (pem.ok()) return pem;
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat(path, " cannot be read"),
                   {.code = "config",
                    .hint = absl::StrCat("check the paths in ", profile.file)});
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> TlsChannel(
    const Profile& profile) {
  ClientTls tls;
  ASSIGN_OR_RETURN(tls.server_ca, ReadPem(profile, profile.tls->ca));
  ASSIGN_OR_RETURN(tls.certificate, ReadPem(profile, profile.tls->cert));
  ASSIGN_OR_RETURN(tls.key, ReadPem(profile, profile.tls->key));
  return MakeChannel(profile.tls->address, MakeClientCredentials(tls),
                     kAnswerBytesMax);
}

// Why nobody answers, as far as it can be seen from here.
absl::Status Unreachable(const Profile& profile) {
  const auto error = [](const std::string& message, const std::string& hint) {
    return MakeError(
        absl::StatusCode::kUnavailable, message,
        {.code = "agent_unreachable", .hint = hint, .retryable = true});
  };
  if (profile.tls)
    return error(
        absl::StrCat("no agent answers at ", profile.tls->address),
        absl::StrCat("ask who runs the agent whether it is up; the address "
                     "stands in ",
                     profile.file));
  if (access(profile.socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES)
    return error(
        absl::StrCat("your account may not use the agent's socket ",
                     profile.socket),
        "ask who runs the agent to add your account to the socket's group");
  return error(
      absl::StrCat("no agent answers at ", profile.socket),
      absl::StrCat("start it with `amparo-agent run --data DIR`, or correct "
                   "socket in ",
                   profile.file));
}

}  // namespace

AgentClient::AgentClient(Profile profile, const Clock& clock)
    : profile_(std::move(profile)), clock_(clock) {}

absl::Status AgentClient::Connect() {
  if (channel_ != nullptr) return absl::OkStatus();
  if (!profile_.tls) {
    channel_ = SocketChannel(profile_.socket);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(channel_, TlsChannel(profile_));
  return absl::OkStatus();
}

void AgentClient::Prepare(grpc::ClientContext& context,
                          absl::Duration limit) const {
  context.set_deadline(absl::ToChronoTime(clock_.Now() + limit));
  if (!profile_.officer.empty())
    context.AddMetadata("amparo-officer", profile_.officer);
}

absl::StatusOr<AgentClient::Watch> AgentClient::OpenWatch(
    absl::Duration limit) {
  RETURN_IF_ERROR(Connect());
  v1::ReferralService::Stub stub(channel_);
  Watch watch;
  watch.context = std::make_unique<grpc::ClientContext>();
  Prepare(*watch.context, limit);
  watch.reader = stub.Watch(watch.context.get(), v1::WatchRequest());
  return watch;
}

absl::Status AgentClient::Explain(const grpc::Status& status) const {
  const absl::Status error = FromGrpc(status);
  // What bears a detail is the agent's word; the rest is the way to it.
  if (error.ok() || DetailOf(error)) return error;
  switch (error.code()) {
    case absl::StatusCode::kUnavailable:
      return Unreachable(profile_);
    case absl::StatusCode::kDeadlineExceeded:
      return MakeError(
          absl::StatusCode::kDeadlineExceeded,
          absl::StrCat("the agent did not answer within ",
                       absl::FormatDuration(profile_.timeout)),
          {.code = "timed_out",
           .hint = absl::StrCat("look whether it was done before you try "
                                "again; timeout_s stands in ",
                                profile_.file),
           .retryable = true});
    case absl::StatusCode::kUnimplemented:
      return MakeError(absl::StatusCode::kUnimplemented,
                       "the agent does not know this command",
                       {.code = "internal",
                        .hint = "agent and amparo should have one version; "
                                "see `amparo status`"});
    default:
      return error;
  }
}

bool AgentClient::AnswerWasLost(const absl::Status& status) {
  const std::string code = ErrorCodeOf(status);
  return code == "agent_unreachable" || code == "timed_out";
}

}  // namespace amparo::officer

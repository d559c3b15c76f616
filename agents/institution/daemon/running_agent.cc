#include "agents/institution/daemon/running_agent.h"

#include <grpcpp/create_channel.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/rpc/caller.h"
#include "base/error.h"
#include "proto/grpc/status.h"

namespace amparo::agent {
namespace {

constexpr std::chrono::seconds kDeadline(10);

std::shared_ptr<grpc::Channel> SocketChannel(const std::string& path) {
  grpc::ChannelArguments arguments;
  // The name in :authority: a path is none.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel(absl::StrCat("unix:", path),
                                   grpc::InsecureChannelCredentials(),
                                   arguments);
}

absl::Status Unreachable(const std::string& socket) {
  const bool forbidden =
      access(socket.c_str(), R_OK | W_OK) != 0 && errno == EACCES;
  return MakeError(
      absl::StatusCode::kUnavailable,
      absl::StrCat(forbidden ? "this account may not use the agent's socket "
                             : "no agent answers at ",
                   socket),
      {.code = "agent_unreachable",
       .hint = forbidden ? "run it as the agent's own account"
                         : "start it: amparo-agent run --data DIR",
       .retryable = !forbidden});
}

// Somebody holds the socket, and is silent: stopped (SIGSTOP), or hanging.
absl::Status Silent(const std::string& socket) {
  return MakeError(
      absl::StatusCode::kUnavailable,
      absl::StrCat("the agent at ", socket, " does not answer within 10 s"),
      {.code = "agent_unreachable",
       .hint = "it is stopped, hangs, or its disk does: look at its journal; "
               "then end it (kill -9, if it must be) and start it again: what "
               "it answered is kept",
       .retryable = true});
}

}  // namespace

RunningAgent::RunningAgent(std::string socket, std::string officer)
    : socket_(std::move(socket)),
      officer_(std::move(officer)),
      stub_(v1::AgentService::NewStub(SocketChannel(socket_))) {}

RunningAgent RunningAgent::At(const DataDir& data, const AgentConfig& config,
                              std::string officer) {
  return RunningAgent(data.Resolve(config.api_socket), std::move(officer));
}

template <typename Response, typename Method, typename Request>
absl::StatusOr<Response> RunningAgent::Call(Method method,
                                            const Request& request) const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  if (!officer_.empty()) context.AddMetadata(kOfficerMetadata, officer_);
  Response response;
  const grpc::Status status = (*stub_.*method)(&context, request, &response);
  if (status.ok()) return response;
  const absl::Status error = FromGrpc(status);
  // What bears a detail is the agent's word; the rest is the way to it.
  if (absl::IsUnavailable(error) && !DetailOf(error))
    return Unreachable(socket_);
  if (absl::IsDeadlineExceeded(error) && !DetailOf(error))
    return Silent(socket_);
  return error;
}

absl::StatusOr<v1::StatusResponse> RunningAgent::Status() const {
  return Call<v1::StatusResponse>(&v1::AgentService::Stub::Status,
                                  v1::StatusRequest());
}

absl::StatusOr<v1::ListKeysResponse> RunningAgent::ListKeys() const {
  return Call<v1::ListKeysResponse>(&v1::AgentService::Stub::ListKeys,
                                    v1::ListKeysRequest());
}

absl::StatusOr<v1::KeyOrderView> RunningAgent::RotateKeys(
    const std::string& request_id) const {
  v1::RotateKeysRequest request;
  request.set_request_id(request_id);
  return Call<v1::KeyOrderView>(&v1::AgentService::Stub::RotateKeys, request);
}

absl::StatusOr<v1::KeyOrderView> RunningAgent::RevokeKey(
    const std::string& kid, const std::string& request_id) const {
  v1::RevokeKeyRequest request;
  request.set_kid(kid);
  request.set_request_id(request_id);
  return Call<v1::KeyOrderView>(&v1::AgentService::Stub::RevokeKey, request);
}

absl::StatusOr<std::string> RunningAgent::CopyStore() const {
  ASSIGN_OR_RETURN(
      const v1::CopyStoreResponse made,
      Call<v1::CopyStoreResponse>(&v1::AgentService::Stub::CopyStore,
                                  v1::CopyStoreRequest()));
  return made.path();
}

}  // namespace amparo::agent

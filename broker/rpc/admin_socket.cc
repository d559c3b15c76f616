#include "broker/rpc/admin_socket.h"

#include <fcntl.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "proto/grpc/status.h"

namespace amparo::broker {
namespace {

constexpr absl::Duration kCallPatience = absl::Seconds(5);
// They wait until the ports go on with other certificates.
constexpr absl::Duration kSwitchPatience = absl::Seconds(60);
constexpr absl::Duration kAskAgainAfter = absl::Milliseconds(50);
constexpr size_t kSocketPathMax = sizeof(sockaddr_un::sun_path) - 1;

void SetDeadline(grpc::ClientContext& context, absl::Duration patience) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + patience));
}

// Tries again soon: whoever asks may be waiting for the broker to start.
std::shared_ptr<grpc::Channel> MakeLocalChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  for (const char* backoff :
       {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS,
        GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS})
    arguments.SetInt(backoff, 100);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(),
                                   arguments);
}

}  // namespace

absl::StatusOr<AdminSocket> AdminSocket::At(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  if (error) return absl::InvalidArgumentError("no path of a socket");
  if (whole.string().size() <= kSocketPathMax)
    return AdminSocket(absl::StrCat("unix:", whole.string()), -1);
  const int directory =
      open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) {
    const int cause = errno;
    return MakeError(absl::ErrnoToStatusCode(cause),
                     absl::StrCat("cannot open ", whole.parent_path().string()),
                     {.code = "storage", .field = "--data"});
  }
  return AdminSocket(absl::StrCat("unix:/proc/self/fd/", directory, "/",
                                  whole.filename().string()),
                     directory);
}

AdminSocket::AdminSocket(std::string address, int directory)
    : address_(std::move(address)), directory_(directory) {}

AdminSocket::AdminSocket(AdminSocket&& other) noexcept
    : address_(std::move(other.address_)),
      directory_(std::exchange(other.directory_, -1)) {}

AdminSocket::~AdminSocket() {
  if (directory_ >= 0) close(directory_);
}

AdminClient::AdminClient(AdminSocket socket)
    : socket_(std::move(socket)),
      channel_(MakeLocalChannel(socket_.address())) {}

absl::StatusOr<bool> AdminClient::AskHealth(absl::Duration patience,
                                            bool wait_for_it) {
  grpc::ClientContext context;
  SetDeadline(context, patience);
  // A call that waits also drives the connection; calls that fail at once, one
  // after another, would leave it to gRPC's backup poller, every 5 s.
  context.set_wait_for_ready(wait_for_it);
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status =
      grpc::health::v1::Health::NewStub(channel_)->Check(&context, {},
                                                         &response);
  if (!status.ok()) return FromGrpc(status);
  return response.status() == grpc::health::v1::HealthCheckResponse::SERVING;
}

bool AdminClient::Answers(absl::Duration patience) {
  return AskHealth(patience, false).ok();
}

absl::Status AdminClient::CheckServing(absl::Duration patience) {
  const bool wait = patience > absl::ZeroDuration();
  const absl::Time until = absl::Now() + patience;
  while (true) {
    const auto serving = AskHealth(wait ? patience : kCallPatience, wait);
    if (serving.ok() && *serving) return absl::OkStatus();
    if (absl::Now() >= until)
      return MakeError(absl::StatusCode::kUnavailable,
                       serving.ok() ? "the broker does not serve now"
                                    : "no broker runs in this directory",
                       {.code = "broker_unreachable",
                        .hint = "read its journal",
                        .retryable = true});
    absl::SleepFor(kAskAgainAfter);
    patience = until - absl::Now();
  }
}

absl::StatusOr<v1::InviteResponse> AdminClient::Invite(
    const std::string& member, bool new_identity) {
  grpc::ClientContext context;
  SetDeadline(context, kCallPatience);
  v1::InviteRequest request;
  request.set_member(member);
  request.set_new_identity(new_identity);
  v1::InviteResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel_)->Invite(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<v1::ExportResponse> AdminClient::Export(
    const std::string& directory) {
  grpc::ClientContext context;
  v1::ExportRequest request;
  request.set_directory(directory);
  v1::ExportResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel_)->Export(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<v1::BackupResponse> AdminClient::Backup(
    const std::string& directory) {
  grpc::ClientContext context;
  v1::BackupRequest request;
  request.set_directory(directory);
  v1::BackupResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel_)->Backup(&context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<v1::NewCaResponse> AdminClient::NewCa() {
  grpc::ClientContext context;
  SetDeadline(context, kSwitchPatience);
  v1::NewCaResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel_)->NewCa(&context, {}, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<v1::CheckResponse> AdminClient::Check() {
  grpc::ClientContext context;
  v1::CheckResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel_)->Check(&context, {}, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

absl::StatusOr<v1::SwitchCaResponse> AdminClient::SwitchCa(bool at_once) {
  grpc::ClientContext context;
  SetDeadline(context, kSwitchPatience);
  v1::SwitchCaRequest request;
  request.set_at_once(at_once);
  v1::SwitchCaResponse response;
  const grpc::Status status = v1::AdminService::NewStub(channel_)->SwitchCa(
      &context, request, &response);
  if (!status.ok()) return FromGrpc(status);
  return response;
}

}  // namespace amparo::broker

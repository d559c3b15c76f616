#include "broker/rpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "grpc/health/v1/health.pb.h"
#include "proto/grpc/credentials.h"

namespace amparo::broker {
namespace {

// gRPC keeps these settings for the process, and wants them set once.
void EnableHealthAndReflection() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    // Reflection describes what is linked: without this, nothing would link
    // the health service's description.
    grpc::health::v1::HealthCheckRequest::descriptor();
  });
}

void Limit(grpc::ServerBuilder& builder, const char* argument,
           absl::Duration duration) {
  if (duration > absl::ZeroDuration())
    builder.AddChannelArgument(
        argument, static_cast<int>(absl::ToInt64Milliseconds(duration)));
}

void LimitStrangers(grpc::ServerBuilder& builder,
                    const RpcServer::Options::Strangers& limits) {
  if (limits.memory_bytes_max > 0) {
    grpc::ResourceQuota quota("strangers");
    quota.Resize(limits.memory_bytes_max);
    builder.SetResourceQuota(quota);
  }
  Limit(builder, GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits.idle);
  Limit(builder, GRPC_ARG_MAX_CONNECTION_AGE_MS, limits.age);
  Limit(builder, GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, limits.age);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RpcServer>> RpcServer::Start(
    const Options& options) {
  EnableHealthAndReflection();
  grpc::ServerBuilder builder;
  SetServerLimits(builder, options.message_bytes_max,
                  options.strangers.handshake);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             options.streams_per_connection_max);
  LimitStrangers(builder, options.strangers);
  int port = 0;
  builder.AddListeningPort(options.address, options.credentials, &port);
  for (grpc::Service* service : options.services)
    builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr)
    return MakeError(
        absl::StatusCode::kUnavailable,
        absl::StrCat("cannot listen on ", options.address),
        {.code = "config",
         .field = "listen",
         .expected = "an address of this machine with a free port"});
  std::unique_ptr<RpcServer> started(
      new RpcServer(std::move(server), port, options.names));
  started->SetServing(true);
  return started;
}

RpcServer::RpcServer(std::unique_ptr<grpc::Server> server, int port,
                     std::vector<std::string> names)
    : server_(std::move(server)), port_(port), names_(std::move(names)) {}

RpcServer::~RpcServer() { Shutdown(absl::ZeroDuration()); }

void RpcServer::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface& health = *server_->GetHealthCheckService();
  for (const std::string& name : names_) health.SetServingStatus(name, serving);
  health.SetServingStatus("", serving);
}

void RpcServer::Shutdown(absl::Duration grace) {
  server_->GetHealthCheckService()->Shutdown();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

}  // namespace amparo::broker

#include "agents/institution/rpc/systems_port.h"

#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_builder.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "base/event_log.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/pinned_clients.h"

namespace amparo::agent {
namespace {

constexpr int kMessageBytesMax = 4 << 20;  // the services set their own
constexpr int kCallsPerConnectionMax = 32;
constexpr size_t kMemoryMax = 256 << 20;  // of all connections together

bool Admits(const OfficerBook& officers, absl::string_view certificate) {
  const auto hash = CertificateHash(certificate);
  if (hash.ok() && officers.Admits(*hash)) return true;
  LogEvent(EventLevel::kWarning, "system_refused");
  return false;
}

}  // namespace

SystemsPort::SystemsPort(const ApiParts& parts)
    : services_(std::make_unique<CertificateCallers>(parts.officers), parts) {}

absl::StatusOr<std::unique_ptr<SystemsPort>> SystemsPort::Listen(
    const std::string& address, const TlsKeyPair& identity,
    const ApiParts& parts) {
  std::unique_ptr<SystemsPort> port(new SystemsPort(parts));
  grpc::ServerBuilder builder;
  SetServerLimits(builder, kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS,
                             kCallsPerConnectionMax);
  grpc::ResourceQuota quota("systems");
  builder.SetResourceQuota(quota.Resize(kMemoryMax));
  builder.AddListeningPort(
      address,
      MakePinningServerCredentials(
          {.key = ToText(identity.private_key_pem.Expose()),
           .certificate = identity.certificate_pem,
           .admits =
               [&officers = parts.officers](absl::string_view certificate) {
                 return Admits(officers, certificate);
               }}),
      &port->port_);
  port->services_.RegisterWith(builder);
  port->server_ = builder.BuildAndStart();
  if (port->server_ == nullptr)
    return MakeError(
        absl::StatusCode::kFailedPrecondition,
        absl::StrCat("cannot listen on ", address),
        {.code = "config",
         .field = "api.tls_listen",
         .expected = "an address of this machine with a free port"});
  return port;
}

SystemsPort::~SystemsPort() { Shutdown(absl::ZeroDuration()); }

void SystemsPort::Shutdown(absl::Duration grace) {
  if (server_ == nullptr) return;
  if (auto* health = server_->GetHealthCheckService()) health->Shutdown();
  server_->Shutdown(absl::ToChronoTime(absl::Now() + grace));
}

}  // namespace amparo::agent

#include "proto/grpc/server_probe.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <memory>
#include <vector>

#include "absl/time/clock.h"

namespace amparo {
namespace {

constexpr int kAgainFirstMs = 100;
constexpr int kAgainMaxMs = 1000;

}  // namespace

bool Connects(const std::string& address, const ClientTls& tls,
              absl::Duration patience) {
  using namespace grpc::experimental;
  std::vector<IdentityKeyCertPair> identity;
  if (!tls.key.empty()) identity.push_back({tls.key, tls.certificate});
  TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<StaticDataCertificateProvider>(tls.server_ca, identity));
  options.watch_root_certs();
  if (!identity.empty()) options.watch_identity_key_cert_pairs();
  // The chain is verified all the same.
  options.set_certificate_verifier(std::make_shared<NoOpCertificateVerifier>());
  options.set_check_call_host(false);
  grpc::ChannelArguments arguments;
  // This machine's way to others is not the way to itself.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kAgainFirstMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kAgainMaxMs);
  return grpc::CreateCustomChannel(address, TlsCredentials(options), arguments)
      ->WaitForConnected(absl::ToChronoTime(absl::Now() + patience));
}

}  // namespace amparo

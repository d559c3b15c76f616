#include "proto/grpc/server_probe.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <memory>
#include <vector>

#include "absl/time/clock.h"

namespace amparo {

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
  return MakeChannel(address, TlsCredentials(options), 1 << 20)
      ->WaitForConnected(absl::ToChronoTime(absl::Now() + patience));
}

}  // namespace amparo

#include "proto/grpc/pinned_clients.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

namespace amparo {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::StaticDataCertificateProvider;
using grpc::experimental::TlsCustomVerificationCheckRequest;

class PinVerifier final : public ExternalCertificateVerifier {
 public:
  explicit PinVerifier(std::function<bool(absl::string_view)> admits)
      : admits_(std::move(admits)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const grpc::string_ref shown = request->peer_cert();
    if (shown.empty() || !admits_({shown.data(), shown.size()}))
      *sync_status = {grpc::StatusCode::UNAUTHENTICATED,
                      "the certificate is not known here"};
    return true;  // answered at once
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::function<bool(absl::string_view)> admits_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakePinningServerCredentials(
    PinningServer server) {
  const auto provider = std::make_shared<StaticDataCertificateProvider>(
      std::vector<grpc::experimental::IdentityKeyCertPair>{
          {std::move(server.key), std::move(server.certificate)}});
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  // No chain to verify: the handshake proves the key, the pin says whose it is.
  options.set_cert_request_type(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<PinVerifier>(
          std::move(server.admits)));
  options.set_check_call_host(false);
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace amparo

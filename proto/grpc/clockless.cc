#include "proto/grpc/clockless.h"

#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <functional>
#include <utility>

#include "absl/time/clock.h"
#include "crypto/server_chain.h"

namespace amparo {
namespace {

using grpc::experimental::ExternalCertificateVerifier;
using grpc::experimental::TlsCustomVerificationCheckRequest;

class ChainVerifier final : public ExternalCertificateVerifier {
 public:
  ChainVerifier(std::string server_ca, std::string host)
      : server_ca_(std::move(server_ca)), host_(std::move(host)) {}

  bool Verify(TlsCustomVerificationCheckRequest* request,
              std::function<void(grpc::Status)>,
              grpc::Status* sync_status) override {
    const grpc::string_ref chain = request->peer_cert_full_chain();
    const ChainFault fault = JudgeServerChain({chain.data(), chain.size()},
                                              server_ca_, host_, absl::Now())
                                 .fault;
    if (fault == ChainFault::kForeign || fault == ChainFault::kOtherHost)
      *sync_status = {grpc::StatusCode::UNAUTHENTICATED, "not the one pinned"};
    return true;  // answered at once
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string server_ca_, host_;
};

}  // namespace

std::shared_ptr<grpc::ChannelCredentials> MakeClocklessCredentials(
    std::string server_ca, std::string host) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  // gRPC's own look at the chain is the one that asks the clock.
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(
      ExternalCertificateVerifier::Create<ChainVerifier>(std::move(server_ca),
                                                         std::move(host)));
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace amparo

#include "agents/institution/rpc/caller.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/server_context.h>

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crypto/x509.h"
#include "proto/grpc/unary.h"

namespace amparo::agent {
namespace {

std::string ClaimedHandle(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(kOfficerMetadata);
  if (found == metadata.end()) return "";
  return std::string(found->second.data(), found->second.size());
}

}  // namespace

absl::StatusOr<Officer> UidCallers::Identify(
    const grpc::CallbackServerContext& context) const {
  return officers_.Identify({.uid = uid_,
                             .certificate_hash = std::nullopt,
                             .handle = ClaimedHandle(context)});
}

absl::StatusOr<Officer> CertificateCallers::Identify(
    const grpc::CallbackServerContext& context) const {
  CallerClaim claim{.uid = std::nullopt,
                    .certificate_hash = std::nullopt,
                    .handle = ClaimedHandle(context)};
  const auto auth = context.auth_context();
  const std::vector<grpc::string_ref> certificates =
      auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (auth->IsPeerAuthenticated() && certificates.size() == 1)
    if (const auto hash =
            CertificateHash({certificates[0].data(), certificates[0].size()});
        hash.ok())
      claim.certificate_hash = *hash;
  return officers_.Identify(claim);
}

grpc::ServerUnaryReactor* ApiEdge::Run(
    grpc::CallbackServerContext* context,
    std::function<absl::Status(const Officer&)> work) const {
  return RunUnary(
      executor, context,
      [edge = *this, context, work = std::move(work)]() -> absl::Status {
        ASSIGN_OR_RETURN(const Officer officer,
                         edge.callers.Identify(*context));
        return work(officer);
      });
}

}  // namespace amparo::agent

#include "broker/rpc/enrolment_service.h"

#include <utility>

#include "base/status.h"

namespace amparo::broker {
namespace {

constexpr size_t kJoinRequestBytesMax = 4 << 10;

}  // namespace

EnrolmentService::EnrolmentService(Parts parts) : parts_(std::move(parts)) {}

grpc::ServerUnaryReactor* EnrolmentService::Run(
    const char* method, grpc::CallbackServerContext* context,
    std::function<absl::Status()> work) {
  return RunUnary(parts_.executor, context, std::move(work),
                  {parts_.observer, method});
}

grpc::ServerUnaryReactor* EnrolmentService::GetNetwork(
    grpc::CallbackServerContext* context, const v1::GetNetworkRequest*,
    v1::NetworkResponse* response) {
  return Run("GetNetwork", context, [this, response] {
    const std::shared_ptr<const Network> network = parts_.directory.Current();
    response->set_network(parts_.network);
    response->set_members_address(parts_.members_address());
    if (network->charter) {
      response->set_root(ToText(network->root.bytes()));
      response->set_charter_version(network->charter->charter.version);
    }
    response->set_log_key(parts_.log_key);
    response->set_ca_note(parts_.ca_note());
    response->set_time_s(
        static_cast<uint64_t>(UnixSeconds(parts_.clock.Now())));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* EnrolmentService::GetCharter(
    grpc::CallbackServerContext* context, const v1::GetCharterRequest* request,
    v1::CharterResponse* response) {
  return Run("GetCharter", context,
             [this, request, response]() -> absl::Status {
               uint64_t version = request->version();
               if (const auto network = parts_.directory.Current();
                   version == 0 && network->charter)
                 version = network->charter->charter.version;
               ASSIGN_OR_RETURN(*response->mutable_document(),
                                parts_.charters.Document(version));
               response->set_version(version);
               return absl::OkStatus();
             });
}

grpc::ServerUnaryReactor* EnrolmentService::PublishCharter(
    grpc::CallbackServerContext* context,
    const v1::PublishCharterRequest* request,
    v1::PublishCharterResponse* response) {
  return RunUnaryAsync(
      parts_.executor, context,
      [this, request, response](const Finisher& finish) {
        parts_.charters.Publish(
            request->document(), ToBytes(request->founding_token()),
            [response,
             finish](const absl::StatusOr<CharterDesk::Published>& published) {
              if (published.ok()) {
                response->set_version(published->version);
                response->set_leaf(published->leaf.value());
              }
              finish(published.status());
            });
      },
      {parts_.observer, "PublishCharter"});
}

grpc::ServerUnaryReactor* EnrolmentService::PublishSuspension(
    grpc::CallbackServerContext* context,
    const v1::PublishSuspensionRequest* request,
    v1::PublishSuspensionResponse* response) {
  return RunUnaryAsync(
      parts_.executor, context,
      [this, request, response](const Finisher& finish) {
        parts_.charters.Suspend(
            request->document(),
            [response, finish](const absl::StatusOr<LeafIndex>& leaf) {
              if (leaf.ok()) response->set_leaf(leaf->value());
              finish(leaf.status());
            });
      },
      {parts_.observer, "PublishSuspension"});
}

grpc::ServerUnaryReactor* EnrolmentService::Join(
    grpc::CallbackServerContext* context, const v1::JoinRequest* request,
    v1::JoinResponse* response) {
  return Run("Join", context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const MemberId member, MemberId::Parse(request->member()));
    if (request->join_request().size() > kJoinRequestBytesMax)
      return absl::InvalidArgumentError("a request that is too large");
    // First: whoever has no invitation makes this thread sign nothing.
    RETURN_IF_ERROR(
        parts_.enrolment.CheckInvitation(member, AsBytes(request->token())));
    // A CSR that is not valid must not use the invitation up. The certificate
    // goes out only once the invitation was.
    ASSIGN_OR_RETURN(std::string certificate,
                     parts_.certify(member, request->csr_pem()));
    RETURN_IF_ERROR(parts_.enrolment.Join(
        {member, ToBytes(request->token()), request->csr_pem(),
         request->join_request(), request->certificate_request()}));
    *response->mutable_certificate_pem() = std::move(certificate);
    response->set_members_address(parts_.members_address());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* EnrolmentService::GetJoinRequest(
    grpc::CallbackServerContext* context,
    const v1::GetJoinRequestRequest* request,
    v1::GetJoinRequestResponse* response) {
  return Run("GetJoinRequest", context,
             [this, request, response]() -> absl::Status {
               ASSIGN_OR_RETURN(const MemberId member,
                                MemberId::Parse(request->member()));
               ASSIGN_OR_RETURN(*response->mutable_join_request(),
                                parts_.enrolment.JoinRequestOf(member));
               return absl::OkStatus();
             });
}

}  // namespace amparo::broker

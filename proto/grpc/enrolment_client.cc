#include "proto/grpc/enrolment_client.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/status.h"
#include "proto/grpc/unreached.h"
#include "proto/network/ca_note.h"

namespace amparo {
namespace {

constexpr std::chrono::seconds kDeadline(15);
constexpr int kMessageBytesMax =
    static_cast<int>(kCharterBytesMax) + (64 << 10);

template <typename Response, typename Request, typename Method>
absl::StatusOr<Response> Call(v1::EnrolmentService::Stub& stub, Method method,
                              const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (status.ok()) return response;
  const absl::Status error = FromGrpc(status);
  if (!absl::IsUnavailable(error) && !absl::IsDeadlineExceeded(error))
    return error;
  return UnreachedError(WhyUnreached(status.error_message()), "enrolment port");
}

using Stub = v1::EnrolmentService::Stub;

}  // namespace

absl::StatusOr<EnrolmentClient> EnrolmentClient::Connect(
    const std::string& address, ByteView ca_der,
    const std::optional<Bytes>& next_ca_der) {
  ASSIGN_OR_RETURN(const std::string ca_pem, CaBundle(ca_der, next_ca_der));
  const auto channel =
      MakeChannel(address,
                  MakeClientCredentials(
                      {.server_ca = ca_pem, .key = "", .certificate = ""}),
                  kMessageBytesMax);
  return EnrolmentClient(v1::EnrolmentService::NewStub(channel));
}

absl::StatusOr<EnrolmentClient::Network> EnrolmentClient::GetNetwork() const {
  ASSIGN_OR_RETURN(const auto response,
                   (Call<v1::NetworkResponse>(*stub_, &Stub::GetNetwork,
                                              v1::GetNetworkRequest())));
  return Network{response.network(), response.members_address(),
                 response.charter_version(),
                 TimeFromUnix(static_cast<int64_t>(response.time_s())),
                 response.ca_note()};
}

absl::StatusOr<std::string> EnrolmentClient::GetCharter(
    uint64_t version) const {
  v1::GetCharterRequest request;
  request.set_version(version);
  ASSIGN_OR_RETURN(auto response, (Call<v1::CharterResponse>(
                                      *stub_, &Stub::GetCharter, request)));
  return std::move(*response.mutable_document());
}

absl::StatusOr<AcceptedCharter> EnrolmentClient::GetCharterChain(
    const Digest& root) const {
  ASSIGN_OR_RETURN(const Network network, GetNetwork());
  ASSIGN_OR_RETURN(const std::string first, GetCharter(1));
  ASSIGN_OR_RETURN(AcceptedCharter current,
                   AcceptFirstCharter(first, root, std::nullopt));
  while (current.charter.version < network.charter_version) {
    ASSIGN_OR_RETURN(const std::string next,
                     GetCharter(current.charter.version + 1));
    ASSIGN_OR_RETURN(current, AcceptNextCharter(next, current, std::nullopt));
  }
  return current;
}

absl::Status EnrolmentClient::PublishCharter(absl::string_view document,
                                             ByteView founding_token) const {
  v1::PublishCharterRequest request;
  request.set_document(document.data(), document.size());
  request.set_founding_token(founding_token.data(), founding_token.size());
  return Call<v1::PublishCharterResponse>(*stub_, &Stub::PublishCharter,
                                          request)
      .status();
}

absl::Status EnrolmentClient::PublishSuspension(
    absl::string_view document) const {
  v1::PublishSuspensionRequest request;
  request.set_document(document.data(), document.size());
  return Call<v1::PublishSuspensionResponse>(*stub_, &Stub::PublishSuspension,
                                             request)
      .status();
}

absl::StatusOr<EnrolmentClient::Joined> EnrolmentClient::Join(
    const Invitation& invitation, absl::string_view csr_pem,
    absl::string_view join_request,
    absl::string_view certificate_request) const {
  v1::JoinRequest request;
  request.set_member(invitation.member.text());
  request.set_token(invitation.token.data(), invitation.token.size());
  request.set_csr_pem(csr_pem.data(), csr_pem.size());
  request.set_join_request(join_request.data(), join_request.size());
  request.set_certificate_request(certificate_request.data(),
                                  certificate_request.size());
  ASSIGN_OR_RETURN(auto response,
                   (Call<v1::JoinResponse>(*stub_, &Stub::Join, request)));
  return Joined{std::move(*response.mutable_certificate_pem()),
                std::move(*response.mutable_members_address())};
}

absl::StatusOr<std::string> EnrolmentClient::GetJoinRequest(
    const MemberId& member) const {
  v1::GetJoinRequestRequest request;
  request.set_member(member.text());
  ASSIGN_OR_RETURN(auto response, (Call<v1::GetJoinRequestResponse>(
                                      *stub_, &Stub::GetJoinRequest, request)));
  return std::move(*response.mutable_join_request());
}

}  // namespace amparo

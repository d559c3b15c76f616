#include "proto/grpc/enrolment_client.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/grpc/clockless.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/status.h"
#include "proto/network/ca_note.h"
#include "proto/network/host_port.h"

namespace amparo {
namespace {

constexpr std::chrono::seconds kDeadline(15);
constexpr std::chrono::seconds kTimeDeadline(5);
constexpr int kMessageBytesMax =
    static_cast<int>(kCharterBytesMax) + (64 << 10);

using Stub = v1::EnrolmentService::Stub;

// The broker's time, of one that shows a certificate of the pinned CA, also
// before its time: it only goes into an explanation.
absl::StatusOr<absl::Time> AskTime(const Way& way) {
  ASSIGN_OR_RETURN(const HostPort parts, ParseHostPort(way.address));
  const auto channel = MakeChannel(
      way.address, MakeClocklessCredentials(way.tls.server_ca, parts.host),
      kMessageBytesMax);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kTimeDeadline);
  v1::NetworkResponse response;
  RETURN_IF_ERROR(FromGrpc(Stub(channel).GetNetwork(&context, {}, &response)));
  return TimeFromUnix(static_cast<int64_t>(response.time_s()));
}

}  // namespace

template <typename Response, typename Request, typename Method>
absl::StatusOr<Response> EnrolmentClient::Call(Method method,
                                               const Request& request) const {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  Response response;
  const grpc::Status status =
      (stub_.get()->*method)(&context, request, &response);
  if (status.ok()) return response;
  const absl::Status error = FromGrpc(status);
  if (!absl::IsUnavailable(error) && !absl::IsDeadlineExceeded(error))
    return error;
  // By the clock that TLS went by.
  return ExplainUnreached(way_, error, SystemClock().Now(),
                          [this] { return AskTime(way_); });
}

absl::StatusOr<EnrolmentClient> EnrolmentClient::Connect(
    const std::string& address, ByteView ca_der,
    const std::optional<Bytes>& next_ca_der) {
  ASSIGN_OR_RETURN(const std::string ca_pem, CaBundle(ca_der, next_ca_der));
  Way way{Way::Port::kEnrolment,
          address,
          {.server_ca = ca_pem, .key = "", .certificate = ""}};
  const auto channel =
      MakeChannel(address, MakeClientCredentials(way.tls), kMessageBytesMax);
  return EnrolmentClient(std::move(way),
                         v1::EnrolmentService::NewStub(channel));
}

absl::StatusOr<EnrolmentClient::Network> EnrolmentClient::GetNetwork() const {
  ASSIGN_OR_RETURN(
      const auto response,
      (Call<v1::NetworkResponse>(&Stub::GetNetwork, v1::GetNetworkRequest())));
  return Network{response.network(), response.members_address(),
                 response.charter_version(),
                 TimeFromUnix(static_cast<int64_t>(response.time_s())),
                 response.ca_note()};
}

absl::StatusOr<std::string> EnrolmentClient::GetCharter(
    uint64_t version) const {
  v1::GetCharterRequest request;
  request.set_version(version);
  ASSIGN_OR_RETURN(auto response,
                   (Call<v1::CharterResponse>(&Stub::GetCharter, request)));
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
  return Call<v1::PublishCharterResponse>(&Stub::PublishCharter, request)
      .status();
}

absl::Status EnrolmentClient::PublishSuspension(
    absl::string_view document) const {
  v1::PublishSuspensionRequest request;
  request.set_document(document.data(), document.size());
  return Call<v1::PublishSuspensionResponse>(&Stub::PublishSuspension, request)
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
                   (Call<v1::JoinResponse>(&Stub::Join, request)));
  return Joined{std::move(*response.mutable_certificate_pem()),
                std::move(*response.mutable_members_address())};
}

absl::StatusOr<std::string> EnrolmentClient::GetJoinRequest(
    const MemberId& member) const {
  v1::GetJoinRequestRequest request;
  request.set_member(member.text());
  ASSIGN_OR_RETURN(auto response, (Call<v1::GetJoinRequestResponse>(
                                      &Stub::GetJoinRequest, request)));
  return std::move(*response.mutable_join_request());
}

}  // namespace amparo

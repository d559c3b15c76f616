#pragma once

#include <functional>
#include <string>

#include "amparo/v1/enrolment.grpc.pb.h"
#include "base/clock.h"
#include "broker/core/charter_desk.h"
#include "broker/core/directory.h"
#include "broker/core/enrolment.h"
#include "proto/grpc/unary.h"

namespace amparo::broker {

// EnrolmentService of enrolment.proto: for callers without a certificate. What
// it takes is authorised by signatures or by a token.
class EnrolmentService final : public v1::EnrolmentService::CallbackService {
 public:
  struct Parts {
    std::string network;
    std::string log_key;  // signed-note verifier key
    // host:port of the members' port, known once it listens.
    std::function<std::string()> members_address;
    const Directory& directory;
    CharterDesk& charters;
    Enrolment& enrolment;
    // A certificate for who joins, and what is said of the network's CA.
    std::function<absl::StatusOr<std::string>(const MemberId& member,
                                              const std::string& csr_pem)>
        certify;
    std::function<std::string()> ca_note;
    const Clock& clock;
    Executor& executor;
    CallObserver* observer = nullptr;
  };
  // All that `parts` refers to must outlive the service.
  explicit EnrolmentService(Parts parts);

  grpc::ServerUnaryReactor* GetNetwork(grpc::CallbackServerContext* context,
                                       const v1::GetNetworkRequest* request,
                                       v1::NetworkResponse* response) override;
  grpc::ServerUnaryReactor* GetCharter(grpc::CallbackServerContext* context,
                                       const v1::GetCharterRequest* request,
                                       v1::CharterResponse* response) override;
  grpc::ServerUnaryReactor* PublishCharter(
      grpc::CallbackServerContext* context,
      const v1::PublishCharterRequest* request,
      v1::PublishCharterResponse* response) override;
  grpc::ServerUnaryReactor* PublishSuspension(
      grpc::CallbackServerContext* context,
      const v1::PublishSuspensionRequest* request,
      v1::PublishSuspensionResponse* response) override;
  grpc::ServerUnaryReactor* Join(grpc::CallbackServerContext* context,
                                 const v1::JoinRequest* request,
                                 v1::JoinResponse* response) override;
  grpc::ServerUnaryReactor* GetJoinRequest(
      grpc::CallbackServerContext* context,
      const v1::GetJoinRequestRequest* request,
      v1::GetJoinRequestResponse* response) override;

 private:
  grpc::ServerUnaryReactor* Run(const char* method,
                                grpc::CallbackServerContext* context,
                                std::function<absl::Status()> work);

  const Parts parts_;
};

}  // namespace amparo::broker

#pragma once

#include "agents/institution/core/consent_desk.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// ConsentService of agent.proto: converts and calls the desk. Thread-safe.
class ConsentService final : public v1::ConsentService::CallbackService {
 public:
  // All arguments must outlive the service.
  ConsentService(ApiEdge edge, ConsentDesk& desk) : edge_(edge), desk_(desk) {}

  grpc::ServerUnaryReactor* Record(
      grpc::CallbackServerContext* context,
      const v1::RecordConsentRequest* request,
      v1::RecordConsentResponse* response) override;
  grpc::ServerUnaryReactor* Extend(
      grpc::CallbackServerContext* context,
      const v1::ExtendConsentRequest* request,
      v1::RecordConsentResponse* response) override;
  grpc::ServerUnaryReactor* Revoke(
      grpc::CallbackServerContext* context,
      const v1::RevokeConsentRequest* request,
      v1::RevokeConsentResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListConsentsRequest* request,
                                 v1::ListConsentsResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowConsentRequest* request,
                                 v1::ConsentView* response) override;

 private:
  const ApiEdge edge_;
  ConsentDesk& desk_;
};

}  // namespace amparo::agent

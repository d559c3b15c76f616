#pragma once

#include "agents/institution/core/consent_desk.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// CaseService of agent.proto. Thread-safe.
class CaseService final : public v1::CaseService::CallbackService {
 public:
  // All arguments must outlive the service.
  CaseService(ApiEdge edge, ConsentDesk& desk) : edge_(edge), desk_(desk) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListCasesRequest* request,
                                 v1::ListCasesResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowCaseRequest* request,
                                 v1::CaseView* response) override;

 private:
  const ApiEdge edge_;
  ConsentDesk& desk_;
};

}  // namespace amparo::agent

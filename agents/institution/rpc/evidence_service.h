#pragma once

#include "agents/institution/core/evidence_desk.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// EvidenceService of agent.proto. Thread-safe.
class EvidenceService final : public v1::EvidenceService::CallbackService {
 public:
  // What `edge` and `desk` refer to must outlive the service.
  EvidenceService(ApiEdge edge, const Desk& desk) : edge_(edge), desk_(desk) {}

  grpc::ServerUnaryReactor* GetDocument(
      grpc::CallbackServerContext* context,
      const v1::GetDocumentRequest* request,
      v1::EvidenceDocument* response) override;
  grpc::ServerUnaryReactor* OpenCase(grpc::CallbackServerContext* context,
                                     const v1::OpenCaseRequest* request,
                                     v1::CaseOpening* response) override;

 private:
  const ApiEdge edge_;
  EvidenceDesk desk_;
};

}  // namespace amparo::agent

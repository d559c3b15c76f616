#include "agents/institution/rpc/case_service.h"

#include "agents/institution/rpc/proto_codec.h"
#include "base/status.h"

namespace amparo::agent {

grpc::ServerUnaryReactor* CaseService::List(
    grpc::CallbackServerContext* context, const v1::ListCasesRequest*,
    v1::ListCasesResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const auto cases, desk_.ListCases(officer));
    Fill(*response->mutable_cases(), cases);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* CaseService::Show(
    grpc::CallbackServerContext* context, const v1::ShowCaseRequest* request,
    v1::CaseView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const CaseView view,
                     desk_.ShowCase(officer, request->case_id()));
    *response = ToProto(view);
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

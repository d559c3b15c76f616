#include "agents/institution/rpc/consent_service.h"

#include "agents/institution/rpc/proto_codec.h"
#include "base/status.h"

namespace amparo::agent {

grpc::ServerUnaryReactor* ConsentService::Record(
    grpc::CallbackServerContext* context,
    const v1::RecordConsentRequest* request,
    v1::RecordConsentResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ConsentView consent,
        desk_.Record(officer, request->form_json(),
                     AsBytes(request->evidence()), request->request_id()));
    *response = ToRecordProto(consent);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConsentService::Extend(
    grpc::CallbackServerContext* context,
    const v1::ExtendConsentRequest* request,
    v1::RecordConsentResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ConsentView consent,
        desk_.Extend(officer, request->grant_id(), request->form_json()));
    *response = ToRecordProto(consent);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConsentService::Revoke(
    grpc::CallbackServerContext* context,
    const v1::RevokeConsentRequest* request,
    v1::RevokeConsentResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const RevokeOutcome outcome,
                     desk_.Revoke(officer, request->grant_id(),
                                  {.section = request->section(),
                                   .member = request->member(),
                                   .purpose = request->purpose()}));
    *response = ToProto(outcome);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConsentService::List(
    grpc::CallbackServerContext* context,
    const v1::ListConsentsRequest* request,
    v1::ListConsentsResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const auto consents,
                     desk_.List(officer, request->case_id()));
    Fill(*response->mutable_consents(), consents);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ConsentService::Show(
    grpc::CallbackServerContext* context, const v1::ShowConsentRequest* request,
    v1::ConsentView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const ConsentView consent,
                     desk_.Show(officer, request->grant_id()));
    *response = ToProto(consent);
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

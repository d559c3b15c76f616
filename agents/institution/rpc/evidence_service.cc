#include "agents/institution/rpc/evidence_service.h"

#include <utility>

#include "agents/institution/rpc/proto_codec.h"
#include "base/status.h"

namespace amparo::agent {

grpc::ServerUnaryReactor* EvidenceService::GetDocument(
    grpc::CallbackServerContext* context, const v1::GetDocumentRequest* request,
    v1::EvidenceDocument* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        EvidenceDesk::DocumentFile file,
        desk_.Document(officer, {.referral_id = request->referral_id(),
                                 .version = request->version(),
                                 .sections = TextsOf(request->sections())}));
    response->set_document(std::move(file.text));
    response->set_referral_id(file.referral_id.text());
    response->set_entry(file.entry.value());
    response->set_version(file.version);
    for (const Slot slot : file.sections) response->add_sections(NameOf(slot));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* EvidenceService::OpenCase(
    grpc::CallbackServerContext* context, const v1::OpenCaseRequest* request,
    v1::CaseOpening* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        EvidenceDesk::CaseFile file,
        desk_.OpenCase(officer, request->case_id(), request->with_sections()));
    response->set_opening(std::move(file.text));
    response->set_case_id(file.case_id.text());
    response->set_envelopes(file.envelopes);
    response->set_unopened(file.unopened);
    response->set_withheld(file.withheld);
    response->set_erased(file.erased);
    response->set_erased_at_s(ToSeconds(file.erased_at));
    response->set_with_sections(request->with_sections());
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

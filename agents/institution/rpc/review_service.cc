#include "agents/institution/rpc/review_service.h"

#include "agents/institution/rpc/proto_codec.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

v1::ReviewView ToProto(const ReviewView& view) {
  v1::ReviewView out;
  out.set_basis_id(view.id.text());
  out.set_case_id(view.case_id.text());
  for (const ReferralId& id : view.referrals) out.add_referral_ids(id.text());
  for (const MemberId& id : view.recipients) out.add_recipients(id.text());
  for (const Section section : view.sections)
    out.add_sections(std::string(NameOf(section)));
  out.set_reason_code(view.reason_code);
  out.set_risk_level(view.risk_level);
  if (view.decided_by) out.set_decided_by(view.decided_by->text());
  out.set_decided_at_s(ToSeconds(view.decided_at));
  out.set_due_at_s(ToSeconds(view.due));
  out.set_late(view.late);
  if (!view.review) return out;
  out.set_outcome(view.review->outcome);
  out.set_reviewed_by(view.review->officer.text());
  out.set_reviewed_at_s(ToSeconds(view.review->at));
  return out;
}

// With what stays out of lists.
v1::ReviewView WithNote(const ReviewView& view) {
  v1::ReviewView out = ToProto(view);
  if (view.review) out.set_note(view.review->note);
  return out;
}

}  // namespace

grpc::ServerUnaryReactor* ReviewService::List(
    grpc::CallbackServerContext* context, const v1::ListReviewsRequest* request,
    v1::ListReviewsResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<ReviewView> reviews,
                     desk_.List(officer, request->all()));
    for (const ReviewView& view : reviews)
      *response->add_reviews() = ToProto(view);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReviewService::Show(
    grpc::CallbackServerContext* context, const v1::ShowReviewRequest* request,
    v1::ReviewView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const ReviewDesk::Whole whole,
                     desk_.Show(officer, request->basis_id()));
    *response = WithNote(whole.view);
    response->set_purpose(whole.view.purpose);
    for (const std::string& basis : whole.view.legal_basis)
      response->add_legal_basis(basis);
    response->set_agreement_sought(whole.view.agreement_sought);
    response->set_person_informed(whole.view.informed_answer);
    response->set_person_informed_date(whole.view.informed_date.value_or(""));
    response->set_second_approver(whole.reasons.second_approver);
    response->set_reasons_json(DumpJson(whole.reasons.texts));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReviewService::Record(
    grpc::CallbackServerContext* context,
    const v1::RecordReviewRequest* request, v1::ReviewView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const ReviewView view,
                     desk_.Record(officer, request->basis_id(),
                                  request->outcome(), request->note()));
    *response = WithNote(view);
    return absl::OkStatus();
  });
}

}  // namespace amparo::agent

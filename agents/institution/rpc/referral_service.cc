#include "agents/institution/rpc/referral_service.h"

#include <deque>
#include <memory>
#include <utility>

#include "agents/institution/rpc/proto_codec.h"
#include "base/status.h"
#include "proto/grpc/pull_stream.h"

namespace amparo::agent {
namespace {

SendRequest FromProto(const v1::SendRequest& request) {
  return {.to = TextsOf(request.to()),
          .form_json = request.form_json(),
          .consent = request.consent_id(),
          .basis = request.basis(),
          .reason_json = request.reason_json(),
          .priority = request.priority(),
          .case_id = request.case_id(),
          .confirm_key = TextsOf(request.confirm_key()),
          .dry_run = request.dry_run(),
          .request_id = request.request_id()};
}

// What a watcher was told last.
struct WatchCursor {
  std::optional<Officer> officer;
  std::optional<uint64_t> told;
  // Ends with the stream.
  std::unique_ptr<RevisionFeed::Subscription> subscription;
};

}  // namespace

grpc::ServerUnaryReactor* ReferralService::Send(
    grpc::CallbackServerContext* context, const v1::SendRequest* request,
    v1::SendResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const SendOutcome outcome,
                     desk_.Send(officer, FromProto(*request)));
    *response = ToProto(outcome);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::List(
    grpc::CallbackServerContext* context,
    const v1::ListReferralsRequest* request,
    v1::ListReferralsResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const auto rows,
                     desk_.List(officer, {.box = request->box(),
                                          .state = request->state(),
                                          .overdue = request->overdue()}));
    Fill(*response->mutable_referrals(), rows);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Show(
    grpc::CallbackServerContext* context,
    const v1::ShowReferralRequest* request, v1::ReferralView* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ReferralView view,
        desk_.Show(officer, request->referral_id(),
                   TextsOf(request->open_sections()), request->status_only()));
    *response = ToProto(view);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Accept(
    grpc::CallbackServerContext* context,
    const v1::ReferralActionRequest* request, v1::ReferralChange* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const ReferralChange change,
                     desk_.Accept(officer, request->referral_id()));
    *response = ToProto(change);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Decline(
    grpc::CallbackServerContext* context,
    const v1::ReferralActionRequest* request, v1::ReferralChange* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ReferralChange change,
        desk_.Decline(officer, request->referral_id(), request->code()));
    *response = ToProto(change);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Update(
    grpc::CallbackServerContext* context,
    const v1::UpdateReferralRequest* request, v1::ReferralChange* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ReferralChange change,
        desk_.Update(officer, request->referral_id(), request->form_json()));
    *response = ToProto(change);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Disclose(
    grpc::CallbackServerContext* context, const v1::DiscloseRequest* request,
    v1::ReferralChange* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ReferralChange change,
        desk_.Disclose(officer, request->referral_id(), request->to(),
                       TextsOf(request->sections())));
    *response = ToProto(change);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Close(
    grpc::CallbackServerContext* context,
    const v1::ReferralActionRequest* request, v1::ReferralChange* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(
        const ReferralChange change,
        desk_.Close(officer, request->referral_id(), request->code()));
    *response = ToProto(change);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Withdraw(
    grpc::CallbackServerContext* context,
    const v1::ReferralActionRequest* request, v1::ReferralChange* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const ReferralChange change,
                     desk_.Withdraw(officer, request->referral_id()));
    *response = ToProto(change);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ReferralService::Inbox(
    grpc::CallbackServerContext* context, const v1::InboxRequest*,
    v1::InboxResponse* response) {
  return edge_.Run(context, [=, this](const Officer& officer) -> absl::Status {
    ASSIGN_OR_RETURN(const InboxView inbox, desk_.Inbox(officer));
    *response = ToProto(inbox);
    response->set_quarantined(status_.quarantined());
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::WatchResponse>* ReferralService::Watch(
    grpc::CallbackServerContext* context, const v1::WatchRequest*) {
  using Stream = PullStream<v1::WatchResponse>;
  const auto stream = Stream::Create(edge_.executor);
  const auto cursor = std::make_shared<WatchCursor>();
  // Looked up here, on gRPC's thread: the context may be gone when the source
  // is asked again.
  auto officer = edge_.callers.Identify(*context);
  absl::Status begun = officer.status();
  if (begun.ok()) {
    cursor->officer = *std::move(officer);
    auto subscription =
        feed_.Subscribe([waiting = std::weak_ptr<Stream>(stream)] {
          if (const auto awake = waiting.lock()) awake->Wake();
        });
    begun = subscription.status();
    if (begun.ok()) cursor->subscription = *std::move(subscription);
  }
  stream->Start(
      [this, cursor,
       begun](std::deque<v1::WatchResponse>& out) -> absl::StatusOr<Pulled> {
        RETURN_IF_ERROR(begun);
        RETURN_IF_ERROR(edge_.callers.StillServes(*cursor->officer));
        const uint64_t now = feed_.revision();
        if (cursor->told == now) return Pulled::kNothingYet;
        cursor->told = now;
        out.emplace_back().set_revision(now);
        return Pulled::kSome;
      });
  return stream.get();
}

}  // namespace amparo::agent

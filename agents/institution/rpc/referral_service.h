#pragma once

#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/status.h"
#include "agents/institution/rpc/caller.h"
#include "agents/institution/rpc/revision_feed.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// ReferralService of agent.proto: converts and calls the desk. Thread-safe.
class ReferralService final : public v1::ReferralService::CallbackService {
 public:
  // All arguments must outlive the service.
  ReferralService(ApiEdge edge, ReferralDesk& desk, RevisionFeed& feed,
                  const StatusSource& status)
      : edge_(edge), desk_(desk), feed_(feed), status_(status) {}

  grpc::ServerUnaryReactor* Send(grpc::CallbackServerContext* context,
                                 const v1::SendRequest* request,
                                 v1::SendResponse* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListReferralsRequest* request,
                                 v1::ListReferralsResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowReferralRequest* request,
                                 v1::ReferralView* response) override;
  grpc::ServerUnaryReactor* Accept(grpc::CallbackServerContext* context,
                                   const v1::ReferralActionRequest* request,
                                   v1::ReferralChange* response) override;
  grpc::ServerUnaryReactor* Decline(grpc::CallbackServerContext* context,
                                    const v1::ReferralActionRequest* request,
                                    v1::ReferralChange* response) override;
  grpc::ServerUnaryReactor* Update(grpc::CallbackServerContext* context,
                                   const v1::UpdateReferralRequest* request,
                                   v1::ReferralChange* response) override;
  grpc::ServerUnaryReactor* Disclose(grpc::CallbackServerContext* context,
                                     const v1::DiscloseRequest* request,
                                     v1::ReferralChange* response) override;
  grpc::ServerUnaryReactor* Close(grpc::CallbackServerContext* context,
                                  const v1::ReferralActionRequest* request,
                                  v1::ReferralChange* response) override;
  grpc::ServerUnaryReactor* Withdraw(grpc::CallbackServerContext* context,
                                     const v1::ReferralActionRequest* request,
                                     v1::ReferralChange* response) override;
  grpc::ServerUnaryReactor* Inbox(grpc::CallbackServerContext* context,
                                  const v1::InboxRequest* request,
                                  v1::InboxResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* context,
      const v1::WatchRequest* request) override;

 private:
  const ApiEdge edge_;
  ReferralDesk& desk_;
  RevisionFeed& feed_;
  const StatusSource& status_;
};

}  // namespace amparo::agent

#pragma once

#include "agents/institution/core/review_desk.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// ReviewService of agent.proto. Thread-safe.
class ReviewService final : public v1::ReviewService::CallbackService {
 public:
  // What `edge` and `desk` refer to must outlive the service.
  ReviewService(ApiEdge edge, const Desk& desk) : edge_(edge), desk_(desk) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListReviewsRequest* request,
                                 v1::ListReviewsResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowReviewRequest* request,
                                 v1::ReviewView* response) override;
  grpc::ServerUnaryReactor* Record(grpc::CallbackServerContext* context,
                                   const v1::RecordReviewRequest* request,
                                   v1::ReviewView* response) override;

 private:
  const ApiEdge edge_;
  ReviewDesk desk_;
};

}  // namespace amparo::agent

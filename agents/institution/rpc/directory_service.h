#pragma once

#include "agents/institution/core/peer_book.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"
#include "base/clock.h"

namespace amparo::agent {

// DirectoryService of agent.proto: the charter's members and their keys, for
// every officer. Thread-safe.
class DirectoryService final : public v1::DirectoryService::CallbackService {
 public:
  // All arguments must outlive the service.
  DirectoryService(ApiEdge edge, const PeerBook& peers, const Clock& clock)
      : edge_(edge), peers_(peers), clock_(clock) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListMembersRequest* request,
                                 v1::ListMembersResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowMemberRequest* request,
                                 v1::MemberView* response) override;

 private:
  v1::MemberView ViewOf(const Member& member, const Peers& peers) const;

  const ApiEdge edge_;
  const PeerBook& peers_;
  const Clock& clock_;
};

}  // namespace amparo::agent

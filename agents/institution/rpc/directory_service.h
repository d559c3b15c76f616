#pragma once

#include "agents/institution/core/desk.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// DirectoryService of agent.proto: the charter's members and their keys, for
// every officer. Thread-safe.
class DirectoryService final : public v1::DirectoryService::CallbackService {
 public:
  // All arguments must outlive the service.
  DirectoryService(ApiEdge edge, const Desk& desk) : edge_(edge), desk_(desk) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListMembersRequest* request,
                                 v1::ListMembersResponse* response) override;
  grpc::ServerUnaryReactor* Show(grpc::CallbackServerContext* context,
                                 const v1::ShowMemberRequest* request,
                                 v1::MemberView* response) override;
  grpc::ServerUnaryReactor* Confirm(grpc::CallbackServerContext* context,
                                    const v1::ConfirmKeyRequest* request,
                                    v1::MemberView* response) override;

 private:
  v1::MemberView ViewOf(const Member& member) const;
  // NOT_FOUND (code "unknown_member").
  absl::StatusOr<Member> Find(absl::string_view id) const;

  const ApiEdge edge_;
  const Desk& desk_;
};

}  // namespace amparo::agent

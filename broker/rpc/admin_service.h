#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "amparo/v1/admin.grpc.pb.h"
#include "crypto/checkpoint.h"
#include "proto/grpc/unary.h"
#include "proto/network/invitation.h"

namespace amparo::broker {

// AdminService of admin.proto: what the operator asks of the running broker.
class AdminService final : public v1::AdminService::CallbackService {
 public:
  struct Parts {
    std::function<absl::StatusOr<Invitation>(const std::string& member)> invite;
    std::function<absl::StatusOr<Checkpoint>(const std::string& directory)>
        write_export;
    Executor& executor;  // may be busy for as long as an export takes
  };
  explicit AdminService(Parts parts);

  grpc::ServerUnaryReactor* Invite(grpc::CallbackServerContext* context,
                                   const v1::InviteRequest* request,
                                   v1::InviteResponse* response) override;
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const v1::ExportRequest* request,
                                   v1::ExportResponse* response) override;

 private:
  const Parts parts_;
};

}  // namespace amparo::broker

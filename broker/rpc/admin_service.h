#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "amparo/v1/admin.grpc.pb.h"
#include "broker/core/whole_check.h"
#include "broker/store/store.h"
#include "crypto/checkpoint.h"
#include "proto/grpc/unary.h"
#include "proto/network/invitation.h"

namespace amparo::broker {

// AdminService of admin.proto: what the operator asks of the running broker.
class AdminService final : public v1::AdminService::CallbackService {
 public:
  struct Parts {
    std::function<absl::StatusOr<Invitation>(const std::string& member,
                                             bool new_identity)>
        invite;
    std::function<absl::StatusOr<Checkpoint>(const std::string& directory)>
        write_export;
    // The log's head as the backup has it.
    std::function<absl::StatusOr<LogHead>(const std::string& directory)>
        write_backup;
    std::function<absl::StatusOr<WholeCheck>()> check;
    std::function<absl::StatusOr<v1::NewCaResponse>()> new_ca;
    std::function<absl::StatusOr<v1::SwitchCaResponse>(bool at_once)> switch_ca;
    Executor& executor;  // busy for as long as an export or a check takes
  };
  explicit AdminService(Parts parts);

  grpc::ServerUnaryReactor* Invite(grpc::CallbackServerContext* context,
                                   const v1::InviteRequest* request,
                                   v1::InviteResponse* response) override;
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const v1::ExportRequest* request,
                                   v1::ExportResponse* response) override;
  grpc::ServerUnaryReactor* Backup(grpc::CallbackServerContext* context,
                                   const v1::BackupRequest* request,
                                   v1::BackupResponse* response) override;
  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const v1::CheckRequest* request,
                                  v1::CheckResponse* response) override;
  grpc::ServerUnaryReactor* NewCa(grpc::CallbackServerContext* context,
                                  const v1::NewCaRequest* request,
                                  v1::NewCaResponse* response) override;
  grpc::ServerUnaryReactor* SwitchCa(grpc::CallbackServerContext* context,
                                     const v1::SwitchCaRequest* request,
                                     v1::SwitchCaResponse* response) override;

 private:
  const Parts parts_;
};

}  // namespace amparo::broker

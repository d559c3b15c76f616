#include "broker/rpc/admin_service.h"

#include <utility>

#include "base/clock.h"
#include "base/status.h"

namespace amparo::broker {

AdminService::AdminService(Parts parts) : parts_(std::move(parts)) {}

grpc::ServerUnaryReactor* AdminService::Invite(
    grpc::CallbackServerContext* context, const v1::InviteRequest* request,
    v1::InviteResponse* response) {
  return RunUnary(
      parts_.executor, context, [this, request, response]() -> absl::Status {
        ASSIGN_OR_RETURN(
            const Invitation invitation,
            parts_.invite(request->member(), request->new_identity()));
        response->set_invitation(FormatInvitation(invitation));
        response->set_until_s(
            static_cast<uint64_t>(UnixSeconds(invitation.until)));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* AdminService::Export(
    grpc::CallbackServerContext* context, const v1::ExportRequest* request,
    v1::ExportResponse* response) {
  return RunUnary(parts_.executor, context,
                  [this, request, response]() -> absl::Status {
                    ASSIGN_OR_RETURN(const Checkpoint checkpoint,
                                     parts_.write_export(request->directory()));
                    response->set_size(checkpoint.size.value());
                    response->set_root(ToText(checkpoint.root.bytes()));
                    return absl::OkStatus();
                  });
}

grpc::ServerUnaryReactor* AdminService::Backup(
    grpc::CallbackServerContext* context, const v1::BackupRequest* request,
    v1::BackupResponse* response) {
  return RunUnary(parts_.executor, context,
                  [this, request, response]() -> absl::Status {
                    ASSIGN_OR_RETURN(const LogHead head,
                                     parts_.write_backup(request->directory()));
                    response->set_size(head.range.size().value());
                    response->set_root(ToText(head.range.Root().bytes()));
                    return absl::OkStatus();
                  });
}

grpc::ServerUnaryReactor* AdminService::Check(
    grpc::CallbackServerContext* context, const v1::CheckRequest*,
    v1::CheckResponse* response) {
  return RunUnary(parts_.executor, context, [this, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const WholeCheck seen, parts_.check());
    response->set_size(seen.size.value());
    response->set_root(ToText(seen.root.bytes()));
    response->set_openings(seen.openings);
    response->set_envelopes(seen.envelopes);
    response->set_publications(seen.publications);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::NewCa(
    grpc::CallbackServerContext* context, const v1::NewCaRequest*,
    v1::NewCaResponse* response) {
  return RunUnary(parts_.executor, context, [this, response]() -> absl::Status {
    ASSIGN_OR_RETURN(*response, parts_.new_ca());
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* AdminService::SwitchCa(
    grpc::CallbackServerContext* context, const v1::SwitchCaRequest* request,
    v1::SwitchCaResponse* response) {
  return RunUnary(
      parts_.executor, context, [this, request, response]() -> absl::Status {
        ASSIGN_OR_RETURN(*response, parts_.switch_ca(request->at_once()));
        return absl::OkStatus();
      });
}

}  // namespace amparo::broker

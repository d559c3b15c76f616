#pragma once

#include <functional>
#include <string>

#include "agents/institution/core/access_log.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/status.h"
#include "agents/institution/rpc/caller.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// AgentService of agent.proto: the daemon's own state, its officers, its access
// log. Thread-safe.
class AgentService final : public v1::AgentService::CallbackService {
 public:
  struct Parts {
    OfficerBook& officers;
    agent::AccessLog& access_log;
    KeyRing& keys;
    const PeerBook& peers;
    const Clock& clock;
    const Outbox& outbox;
    const HeldMail& held;
    ReferralDesk& referrals;
    const StatusSource& status;
    std::string version;  // of the program
    std::function<void()> keys_ordered;  // an order waits to be carried out
    std::function<absl::StatusOr<std::string>()> copy_store;  // gives its path
  };
  // All that `parts` refers to must outlive the service.
  AgentService(ApiEdge edge, Parts parts)
      : edge_(edge), parts_(std::move(parts)) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;
  grpc::ServerUnaryReactor* AddOfficer(grpc::CallbackServerContext* context,
                                       const v1::AddOfficerRequest* request,
                                       v1::OfficerView* response) override;
  grpc::ServerUnaryReactor* RemoveOfficer(
      grpc::CallbackServerContext* context,
      const v1::RemoveOfficerRequest* request,
      v1::OfficerView* response) override;
  grpc::ServerUnaryReactor* ListOfficers(
      grpc::CallbackServerContext* context,
      const v1::ListOfficersRequest* request,
      v1::ListOfficersResponse* response) override;
  grpc::ServerUnaryReactor* AccessLog(grpc::CallbackServerContext* context,
                                      const v1::AccessLogRequest* request,
                                      v1::AccessLogResponse* response) override;
  grpc::ServerUnaryReactor* GetAlarmEvidence(
      grpc::CallbackServerContext* context,
      const v1::GetAlarmEvidenceRequest* request,
      v1::AlarmEvidence* response) override;
  grpc::ServerUnaryReactor* AcknowledgeAlarm(
      grpc::CallbackServerContext* context,
      const v1::AcknowledgeAlarmRequest* request,
      v1::StatusResponse* response) override;
  grpc::ServerUnaryReactor* ListKeys(grpc::CallbackServerContext* context,
                                     const v1::ListKeysRequest* request,
                                     v1::ListKeysResponse* response) override;
  grpc::ServerUnaryReactor* RotateKeys(grpc::CallbackServerContext* context,
                                       const v1::RotateKeysRequest* request,
                                       v1::KeyOrderView* response) override;
  grpc::ServerUnaryReactor* RevokeKey(grpc::CallbackServerContext* context,
                                      const v1::RevokeKeyRequest* request,
                                      v1::KeyOrderView* response) override;
  grpc::ServerUnaryReactor* CopyStore(grpc::CallbackServerContext* context,
                                      const v1::CopyStoreRequest* request,
                                      v1::CopyStoreResponse* response) override;

 private:
  absl::Status FillStatus(const Officer& officer,
                          v1::StatusResponse& response) const;
  absl::Status FillAccessLog(const v1::AccessLogRequest& request,
                             v1::AccessLogResponse& response) const;
  // What came of it: "ok" or an error code.
  absl::Status LogAboutAlarm(const Officer& officer, const char* action,
                             const absl::Status& outcome) const;
  absl::Status LogNewOrder(const Officer& officer, const char* action,
                           absl::string_view request_id) const;
  void FillOrder(const KeyOrder& order, v1::KeyOrderView& response) const;
  std::string WaitsFor() const;

  const ApiEdge edge_;
  const Parts parts_;
};

}  // namespace amparo::agent

#pragma once

#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>
#include <string>

#include "agents/institution/core/consent_desk.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/status.h"
#include "agents/institution/rpc/agent_service.h"
#include "agents/institution/rpc/caller.h"
#include "agents/institution/rpc/case_service.h"
#include "agents/institution/rpc/consent_service.h"
#include "agents/institution/rpc/directory_service.h"
#include "agents/institution/rpc/evidence_service.h"
#include "agents/institution/rpc/referral_service.h"
#include "agents/institution/rpc/review_service.h"
#include "agents/institution/rpc/revision_feed.h"
#include "base/executor.h"

namespace amparo::agent {

// What the agent's API is made of; all must outlive every AgentServices.
struct ApiParts {
  const Desk& desk;
  OfficerBook& officers;
  ReferralDesk& referrals;
  ConsentDesk& consents;
  RevisionFeed& feed;
  const StatusSource& status;
  Executor& executor;
  std::string version;
  std::function<void()> keys_ordered = [] {};
  std::function<absl::StatusOr<std::string>()> copy_store = [] {
    return absl::UnimplementedError("this agent copies no store");
  };
};

// The services of agent.proto for one source of callers: one set for each uid
// of the Unix socket, one for TLS. Outlives the server it is registered with.
class AgentServices {
 public:
  AgentServices(std::unique_ptr<CallerSource> callers, const ApiParts& parts);
  // Also sets the largest message that the server takes.
  void RegisterWith(grpc::ServerBuilder& builder);

 private:
  const std::unique_ptr<CallerSource> callers_;
  ReferralService referrals_;
  ConsentService consents_;
  CaseService cases_;
  DirectoryService directory_;
  EvidenceService evidence_;
  ReviewService reviews_;
  AgentService agent_;
};

}  // namespace amparo::agent

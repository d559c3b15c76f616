#include "agents/institution/rpc/agent_services.h"

#include <utility>

#include "agents/institution/core/consent_rows.h"
#include "proto/content/referral_form.h"

namespace amparo::agent {
namespace {

// Evidence of the largest size with a form of the largest size. The desk says
// what is too large; the transport only keeps the absurd away.
constexpr int kMessageBytesMax = kEvidenceBytesMax + 2 * kFormBytesMax;

}  // namespace

AgentServices::AgentServices(std::unique_ptr<CallerSource> callers,
                             const ApiParts& parts)
    : callers_(std::move(callers)),
      referrals_({*callers_, parts.executor}, parts.referrals, parts.feed,
                 parts.status),
      consents_({*callers_, parts.executor}, parts.consents),
      cases_({*callers_, parts.executor}, parts.consents),
      directory_({*callers_, parts.executor}, parts.desk),
      evidence_({*callers_, parts.executor}, parts.desk),
      reviews_({*callers_, parts.executor}, parts.desk),
      agent_({*callers_, parts.executor}, {.officers = parts.officers,
                                           .access_log = parts.desk.access_log,
                                           .keys = parts.desk.keys,
                                           .peers = parts.desk.peers,
                                           .clock = parts.desk.clock,
                                           .outbox = parts.desk.outbox,
                                           .held = parts.desk.held,
                                           .referrals = parts.referrals,
                                           .status = parts.status,
                                           .version = parts.version,
                                           .keys_ordered = parts.keys_ordered,
                                           .copy_store = parts.copy_store}) {}

void AgentServices::RegisterWith(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.RegisterService(&referrals_);
  builder.RegisterService(&consents_);
  builder.RegisterService(&cases_);
  builder.RegisterService(&directory_);
  builder.RegisterService(&evidence_);
  builder.RegisterService(&reviews_);
  builder.RegisterService(&agent_);
}

}  // namespace amparo::agent

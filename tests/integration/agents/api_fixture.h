#pragma once

#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "agents/institution/rpc/agent_services.h"
#include "agents/institution/rpc/unix_listener.h"
#include "amparo/agent/v1/agent.grpc.pb.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "proto/grpc/status.h"
#include "tests/support/agent_world.h"
#include "tests/support/example_forms.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {

MATCHER_P(HasErrorCode, code, "") {
  const absl::Status& status = StatusOf(arg);
  *result_listener << status.ToString();
  return !status.ok() && ErrorCodeOf(status) == code;
}

inline constexpr size_t kWatchersMaxForTest = 2;

// The desks of one member of a world, behind gRPC.
class ApiOf {
 public:
  ApiOf(AgentWorld& world, const std::string& member)
      : agent_(world.agent(member)),
        desk_(agent_.desk()),
        referrals_(desk_),
        consents_(desk_),
        executor_(2, 16),
        feed_(agent_.cases(), kWatchersMaxForTest),
        status_{[] { return true; },
                [] { return absl::UnixEpoch() + absl::Seconds(7); },
                [] { return TreeSize(40); },
                [] { return TreeSize(0); },
                [] {
                  return std::vector<AlarmRecord>{
                      {"gap", std::nullopt, absl::UnixEpoch()}};
                },
                [this](absl::string_view code,
                       const std::optional<MemberId>& who) {
                  return agent_.alarms().CheckRings(code, who);
                },
                [this](absl::string_view code,
                       const std::optional<MemberId>& who) {
                  return agent_.alarms().Acknowledge(code, who);
                },
                [this](absl::string_view code, const std::optional<MemberId>& who) {
                  return agent_.alarms().EvidenceOf(code, who);
                },
                [] { return 3u; },
                [] { return std::string("clock"); }},
        parts_{desk_, agent_.officers(), referrals_, consents_,
               feed_, status_,           executor_,  "1.2.3"} {}

  TestAgent& agent() { return agent_; }
  const ApiParts& parts() const { return parts_; }

 private:
  TestAgent& agent_;
  Desk desk_;
  ReferralDesk referrals_;
  ConsentDesk consents_;
  Executor executor_;
  RevisionFeed feed_;
  StatusSource status_;
  ApiParts parts_;
};

// A call's context with a deadline, for the officer `handle`.
inline std::unique_ptr<grpc::ClientContext> CallAs(const std::string& handle) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(20)));
  if (!handle.empty()) context->AddMetadata(kOfficerMetadata, handle);
  return context;
}

// The API of ong's agent on a Unix socket; this process's uid has the officers
// "me" (officer, supervisor) and "root" (admin).
class ApiTest : public testing::Test {
 protected:
  ApiTest() : api_(world_, "ong") {
    AddOfficer("me", {Role::kOfficer, Role::kSupervisor});
    AddOfficer("root", {Role::kAdmin});
    listener_ = VALUE_OF(
        UnixListener::Create(folder_ / "agent.sock", [this](uint32_t uid) {
          auto& services = services_[uid];
          services = std::make_unique<AgentServices>(
              std::make_unique<UidCallers>(api_.agent().officers(), uid),
              api_.parts());
          grpc::ServerBuilder builder;
          services->RegisterWith(builder);
          return builder.BuildAndStart();
        }));
    channel_ = grpc::CreateChannel("unix:" + folder_ / "agent.sock",
                                   grpc::InsecureChannelCredentials());
  }

  void AddOfficer(const std::string& handle, std::vector<Role> roles) {
    VALUE_OF(api_.agent().officers().Add(VALUE_OF(Handle::Parse(handle)),
                                         std::move(roles), {getuid()},
                                         std::nullopt));
  }

  template <typename Stub, typename Request, typename Response>
  static absl::StatusOr<Response> Call(
      Stub& stub,
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request, const std::string& handle) {
    Response response;
    const auto context = CallAs(handle);
    const grpc::Status status =
        (stub.*method)(context.get(), request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  AgentWorld world_;
  ApiOf api_;
  ScratchFolder folder_;
  std::map<uint32_t, std::unique_ptr<AgentServices>> services_;
  std::unique_ptr<UnixListener> listener_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace amparo::agent

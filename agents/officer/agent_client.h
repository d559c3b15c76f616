#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/officer/profile.h"
#include "amparo/agent/v1/agent.grpc.pb.h"
#include "base/clock.h"
#include "base/status.h"

namespace amparo::officer {

namespace v1 = ::amparo::agent::v1;

// The agent's API as plain calls: each has a deadline, names the officer, and
// fails with one true cause. Connects at the first call. One thread at a time.
class AgentClient {
 public:
  // `clock` must outlive it.
  AgentClient(Profile profile, const Clock& clock);

  // Calls `method` of the service whose stub is asked for, for example
  //   client.Call(&v1::ReferralService::Stub::Show, request)
  // An error is the agent's own, or of the way to it (agent_channel.h), or
  // DEADLINE_EXCEEDED (code "timed_out").
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    RETURN_IF_ERROR(Connect());
    Stub stub(channel_);
    grpc::ClientContext context;
    Prepare(context, profile_.timeout);
    Response response;
    RETURN_IF_ERROR(Explain((stub.*method)(&context, request, &response)));
    return response;
  }

  // As Call, for a request with a `request_id`: asks once more, with the same
  // one, when the answer was lost. Never done twice.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> CallSafely(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) {
    auto response = Call(method, request);
    if (response.ok() || !AnswerWasLost(response.status())) return response;
    return Call(method, request);
  }

  // What changes, as a stream of at most `limit`. The caller reads it, and
  // gives what Finish() returns to Explain.
  struct Watch {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> reader;
  };
  absl::StatusOr<Watch> OpenWatch(absl::Duration limit);

  // What the end of a call means for the officer.
  absl::Status Explain(const grpc::Status& status) const;

  const Profile& profile() const { return profile_; }

 private:
  absl::Status Connect();
  void Prepare(grpc::ClientContext& context, absl::Duration limit) const;
  static bool AnswerWasLost(const absl::Status& status);

  const Profile profile_;
  const Clock& clock_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace amparo::officer

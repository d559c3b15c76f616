#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/daemon/config.h"
#include "agents/institution/daemon/data_dir.h"
#include "amparo/agent/v1/agent.grpc.pb.h"

namespace amparo::agent {

// The agent that runs on a data directory, over its own socket: for the verbs
// of amparo-agent that are its work. Calls block, 10 s each. Thread-safe.
class RunningAgent {
 public:
  // `officer`: the handle under which this system account is known to it.
  static RunningAgent At(const DataDir& data, const AgentConfig& config,
                         std::string officer);

  // UNAVAILABLE (code "agent_unreachable") when none answers, or one that is
  // there does not within the deadline: each says which.
  absl::StatusOr<v1::StatusResponse> Status() const;
  absl::StatusOr<v1::ListKeysResponse> ListKeys() const;
  absl::StatusOr<v1::KeyOrderView> RotateKeys(
      const std::string& request_id) const;
  // `kid` empty: the key in force.
  absl::StatusOr<v1::KeyOrderView> RevokeKey(
      const std::string& kid, const std::string& request_id) const;
  // The path of a copy of its store; the caller deletes it.
  absl::StatusOr<std::string> CopyStore() const;

 private:
  RunningAgent(std::string socket, std::string officer);
  template <typename Response, typename Method, typename Request>
  absl::StatusOr<Response> Call(Method method, const Request& request) const;

  std::string socket_;
  std::string officer_;
  std::unique_ptr<v1::AgentService::Stub> stub_;
};

}  // namespace amparo::agent

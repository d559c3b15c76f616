#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/officer/agent_client.h"
#include "base/clock.h"

namespace amparo::officer {

// The agent's word that something changed. When the agent restarts, the stream
// is opened again: what broke is not worth an error. One thread.
class ChangeStream {
 public:
  // `client` and `clock` must outlive it.
  ChangeStream(AgentClient& client, const Clock& clock, absl::Time until);

  // Blocks until the next change; the first one comes at once.
  // DEADLINE_EXCEEDED when `until` passed; other errors are final.
  absl::Status Next();

 private:
  // OK when it is worth trying again.
  absl::Status End();

  AgentClient& client_;
  const Clock& clock_;
  const absl::Time until_;
  std::optional<AgentClient::Watch> watch_;
  bool worked_ = false;  // an agent that never answered is an error
};

}  // namespace amparo::officer

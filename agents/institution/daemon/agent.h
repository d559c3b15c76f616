#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/institution/daemon/config.h"
#include "agents/institution/daemon/data_dir.h"
#include "agents/institution/daemon/secrets.h"
#include "base/clock.h"

namespace amparo::agent {

// A whole running agent: store, books, loops, API. Works from Start to Stop or
// destruction. One thread at a time.
class Agent {
 public:
  // UNAVAILABLE when another agent has this directory open. `clock` must
  // outlive it. Call AllowOnlyTls13 before.
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const DataDir& data,
                                                      const AgentConfig& config,
                                                      AgentSecrets secrets,
                                                      const Clock& clock);
  ~Agent();

  // Takes no more calls, lets running ones end within `grace`, ends the loops,
  // and anchors the access log if the broker answers.
  void Stop(absl::Duration grace);

 private:
  struct Parts;
  explicit Agent(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace amparo::agent

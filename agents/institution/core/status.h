#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "crypto/merkle.h"

namespace amparo::agent {

// What the daemon knows of itself, asked when somebody wants the status: the
// parts that no book holds. Each may be called by any thread.
struct StatusSource {
  std::function<bool()> broker_reachable;
  std::function<absl::Time()> broker_last_seen;  // InfinitePast: never
  std::function<TreeSize()> log_size;
  std::function<TreeSize()> witnessed_size;
  std::function<std::vector<AlarmRecord>()> alarms;
  std::function<uint32_t()> quarantined;  // mail that could not be taken in
};

}  // namespace amparo::agent

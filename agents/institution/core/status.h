#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "base/bytes.h"
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
  // What the next one will answer, before anything is done.
  std::function<absl::Status(absl::string_view code,
                             const std::optional<MemberId>& member)>
      may_acknowledge;
  std::function<absl::Status(absl::string_view code,
                             const std::optional<MemberId>& member)>
      acknowledge_alarm;
  std::function<absl::StatusOr<Bytes>(absl::string_view code,
                                      const std::optional<MemberId>& member)>
      alarm_evidence;
  std::function<uint32_t()> quarantined;  // mail that could not be taken in
  // Why nothing is sealed: "clock" "log" "charter" "suite"; "" when it is.
  std::function<std::string()> sealing_waits_for;
};

}  // namespace amparo::agent

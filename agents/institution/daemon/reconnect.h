#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agents/institution/daemon/data_dir.h"
#include "base/clock.h"

namespace amparo::agent {

// The way back for an agent whose certificate ended, or that was away while the
// network's CA changed (proto/grpc/entrance.h). Keys and cases stay, and the
// committee has nothing to do. Works beside the running agent, which goes on
// with the new files by itself.
absl::Status Reconnect(const DataDir& data, absl::string_view invitation,
                       const Clock& clock);

}  // namespace amparo::agent

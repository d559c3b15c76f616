#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/data_dir.h"
#include "proto/network/network_file.h"

// The network's CA changes in the data directory (docs/OPERATIONS.md, The
// network's CA). network.json says which CAs there are; everything else
// follows.

namespace amparo::broker {

// Makes the CA that will take the other one's place. ALREADY_EXISTS (code
// "conflict") while there is one.
absl::StatusOr<NetworkFile> MakeNextCa(const DataDir& data, const Clock& clock);

// It takes the place. FAILED_PRECONDITION (code "invalid_state") without one.
absl::StatusOr<NetworkFile> SwitchToNextCa(const DataDir& data,
                                           const Clock& clock);

// The file by which the members' port knows its clients: every CA of `network`.
absl::Status WriteTrustedCas(const DataDir& data, const NetworkFile& network);

// The verbs: by the running broker, or in the directory of one that is stopped.
// A stopped one cannot say who has followed: SwitchCa asks for `at_once` then,
// and says that it does not know who is behind.
absl::StatusOr<Answer> NewCa(const DataDir& data, const Clock& clock);
absl::StatusOr<Answer> SwitchCa(const DataDir& data, bool at_once,
                                const Clock& clock);

}  // namespace amparo::broker

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "broker/daemon/data_dir.h"
#include "broker/store/store.h"

namespace amparo::broker {

// Writes a copy of the data directory, as it is at one moment, beside whatever
// goes on: store, configuration, keys; and a mark, by which `run` refuses it
// until it was rebuilt. `directory` appears when it is whole, for its owner
// alone; ALREADY_EXISTS when it is there before. The head of the copied log.
absl::StatusOr<LogHead> WriteBackup(const DataDir& data, Store& store,
                                    const std::string& directory,
                                    absl::Time now);

}  // namespace amparo::broker

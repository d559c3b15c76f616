#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "broker/store/store.h"

namespace amparo::broker {

struct RocksStoreOptions {
  // Writes are refused (RESOURCE_EXHAUSTED) while the disk has less free, so
  // that it never fills in the middle of one.
  uint64_t disk_free_bytes_min = 256 << 20;
};

// A Store in a RocksDB directory. `path`'s parent must exist. UNAVAILABLE when
// another process holds it, DATA_LOSS when it is damaged.
absl::StatusOr<std::unique_ptr<Store>> OpenRocksStore(
    const std::string& path, const RocksStoreOptions& options = {});

}  // namespace amparo::broker

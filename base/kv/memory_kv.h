#pragma once

#include <map>

#include "base/kv/kv.h"
#include "base/mutex.h"

namespace amparo {

// A KeyValue in memory, for tests. Thread-safe.
class MemoryKv final : public KeyValue {
 public:
  absl::StatusOr<Bytes> Get(absl::string_view key) const override;
  absl::Status Scan(absl::string_view prefix, absl::string_view start,
                    const std::function<bool(absl::string_view, ByteView)>& visit)
      const override;
  absl::Status Write(const Batch& batch) override;
  absl::Status Purge(absl::string_view prefix) override;

  // Makes every following Write fail with `status`, until it is OK again.
  void FailWrites(absl::Status status);

 private:
  mutable Mutex mutex_;
  std::map<std::string, Bytes> map_ ABSL_GUARDED_BY(mutex_);
  absl::Status write_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo

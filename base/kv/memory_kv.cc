#include "base/kv/memory_kv.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"

namespace amparo {

absl::StatusOr<Bytes> MemoryKv::Get(absl::string_view key) const {
  MutexLock lock(mutex_);
  const auto found = map_.find(std::string(key));
  if (found == map_.end()) return absl::NotFoundError("no such key");
  return found->second;
}

absl::Status MemoryKv::Scan(
    absl::string_view prefix, absl::string_view start,
    const std::function<bool(absl::string_view, ByteView)>& visit) const {
  MutexLock lock(mutex_);
  for (auto it = map_.lower_bound(std::string(std::max(prefix, start)));
       it != map_.end() && absl::StartsWith(it->first, prefix); ++it)
    if (!visit(it->first, it->second)) break;
  return absl::OkStatus();
}

absl::Status MemoryKv::Write(const Batch& batch) {
  MutexLock lock(mutex_);
  if (!write_status_.ok()) return write_status_;
  for (const Batch::Change& change : batch.changes()) {
    if (change.value.has_value())
      map_[change.key] = *change.value;
    else
      map_.erase(change.key);
  }
  return absl::OkStatus();
}

absl::Status MemoryKv::Purge(absl::string_view) { return absl::OkStatus(); }

void MemoryKv::FailWrites(absl::Status status) {
  MutexLock lock(mutex_);
  write_status_ = std::move(status);
}

}  // namespace amparo

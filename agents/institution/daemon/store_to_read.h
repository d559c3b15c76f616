#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "agents/institution/daemon/config.h"
#include "agents/institution/daemon/data_dir.h"
#include "base/kv/rocks_kv.h"

namespace amparo::agent {

// FAILED_PRECONDITION (code "config"), with what to do, where the store is not
// that was made when this agent joined: deleted, emptied, or not mounted.
absl::Status CheckStore(const DataDir& data);

// `opened`, and where it says that the store is damaged (DATA_LOSS), what to do.
absl::Status AdviseIfDamaged(const absl::Status& opened);

// The agent's store as it lies there, values encrypted; while an agent runs on
// it, a copy that the agent made, deleted with this object. One thread at a
// time.
class StoreToRead {
 public:
  // `officer`: who asks the running agent; an admin's right.
  // As CheckStore where there is no store.
  static absl::StatusOr<std::unique_ptr<StoreToRead>> Open(
      const DataDir& data, const AgentConfig& config,
      const std::string& officer);
  ~StoreToRead();

  KeyValue& kv() { return *kv_; }

 private:
  StoreToRead() = default;
  std::unique_ptr<RocksKv> kv_;
  std::string copy_;
};

}  // namespace amparo::agent

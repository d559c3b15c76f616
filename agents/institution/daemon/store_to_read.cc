#include "agents/institution/daemon/store_to_read.h"

#include <utility>

#include "agents/institution/daemon/running_agent.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"

namespace amparo::agent {

absl::StatusOr<std::unique_ptr<StoreToRead>> StoreToRead::Open(
    const DataDir& data, const AgentConfig& config,
    const std::string& officer) {
  if (!FileExists(data.Path("store")))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "this directory has no store",
                     {.code = "config", .hint = "check --data"});
  std::unique_ptr<StoreToRead> store(new StoreToRead());
  auto own = RocksKv::Open(data.Path("store"));
  if (absl::IsUnavailable(own.status())) {
    ASSIGN_OR_RETURN(store->copy_,
                     RunningAgent::At(data, config, officer).CopyStore());
    own = RocksKv::Open(store->copy_);
  }
  RETURN_IF_ERROR(own.status());
  store->kv_ = *std::move(own);
  return store;
}

StoreToRead::~StoreToRead() {
  kv_.reset();
  if (!copy_.empty()) RemoveFolder(copy_).IgnoreError();
}

}  // namespace amparo::agent

#include "agents/institution/daemon/store_to_read.h"

#include <utility>

#include "agents/institution/daemon/running_agent.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {

absl::Status CheckStore(const DataDir& data) {
  if (RocksKv::Exists(data.Path("store"))) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "this agent's store is gone",
      {.code = "config",
       .field = data.Path("store"),
       .hint = "mount it, if it is a volume of its own; else amparo-agent "
               "restore, from a backup into a new directory; without one, join "
               "anew with an invitation that the operator made with "
               "--new-identity"});
}

absl::Status AdviseIfDamaged(const absl::Status& opened) {
  ErrorDetail detail = DetailOf(opened).value_or(ErrorDetail{});
  if (!absl::IsDataLoss(opened) || !detail.hint.empty()) return opened;
  detail.code = ErrorCodeOf(opened);
  detail.hint =
      "it cannot be mended: keep a copy of DIR/store, look after the disk, then "
      "amparo-agent restore, from a backup into a new directory; without one, "
      "join anew with an invitation that the operator made with --new-identity";
  return MakeError(opened.code(), opened.message(), detail);
}

absl::StatusOr<std::unique_ptr<StoreToRead>> StoreToRead::Open(
    const DataDir& data, const AgentConfig& config,
    const std::string& officer) {
  RETURN_IF_ERROR(CheckStore(data));
  std::unique_ptr<StoreToRead> store(new StoreToRead());
  auto own = RocksKv::OpenExisting(data.Path("store"));
  if (absl::IsUnavailable(own.status())) {
    ASSIGN_OR_RETURN(store->copy_,
                     RunningAgent::At(data, config, officer).CopyStore());
    own = RocksKv::OpenExisting(store->copy_);
  }
  RETURN_IF_ERROR(AdviseIfDamaged(own.status()));
  store->kv_ = *std::move(own);
  return store;
}

StoreToRead::~StoreToRead() {
  kv_.reset();
  if (!copy_.empty()) RemoveFolder(copy_).IgnoreError();
}

}  // namespace amparo::agent

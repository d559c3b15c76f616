#include "agents/institution/rpc/revision_feed.h"

#include <utility>
#include <vector>

#include "base/error.h"

namespace amparo::agent {
namespace {

// How long the end of the daemon may wait for this thread.
constexpr absl::Duration kWaitMax = absl::Milliseconds(250);

}  // namespace

RevisionFeed::RevisionFeed(const CaseBook& cases, size_t watchers_max)
    : cases_(cases), watchers_max_(watchers_max) {
  thread_ = std::thread([this] { Follow(); });
}

RevisionFeed::~RevisionFeed() {
  ending_ = true;
  thread_.join();
}

absl::StatusOr<std::unique_ptr<RevisionFeed::Subscription>>
RevisionFeed::Subscribe(std::function<void()> wake) {
  MutexLock lock(mutex_);
  if (watchers_.size() >= watchers_max_)
    return MakeError(
        absl::StatusCode::kResourceExhausted, "too many are watching",
        {.code = "conflict", .hint = "end another watch", .retryable = true});
  const uint64_t id = next_id_++;
  watchers_.emplace(id, std::move(wake));
  return std::make_unique<Subscription>(*this, id);
}

void RevisionFeed::Remove(uint64_t id) {
  MutexLock lock(mutex_);
  watchers_.erase(id);
}

void RevisionFeed::Follow() {
  uint64_t seen = cases_.revision();
  while (!ending_) {
    const uint64_t now = cases_.WaitBeyond(seen, kWaitMax);
    if (now == seen) continue;
    seen = now;
    // Copied, so that a watcher may end while others are woken.
    std::vector<std::function<void()>> wakes;
    {
      MutexLock lock(mutex_);
      for (const auto& [id, wake] : watchers_) wakes.push_back(wake);
    }
    for (const auto& wake : wakes) wake();
  }
}

}  // namespace amparo::agent

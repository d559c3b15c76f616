#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "agents/institution/core/case_book.h"
#include "base/mutex.h"

namespace amparo::agent {

// Tells watchers that the case book changed: one thread waits for all of them.
// Thread-safe.
class RevisionFeed {
 public:
  // `cases` must outlive this; so must this every Subscription.
  RevisionFeed(const CaseBook& cases, size_t watchers_max);
  ~RevisionFeed();

  // Ends when destroyed.
  class Subscription {
   public:
    Subscription(RevisionFeed& feed, uint64_t id) : feed_(feed), id_(id) {}
    ~Subscription() { feed_.Remove(id_); }
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    RevisionFeed& feed_;
    const uint64_t id_;
  };

  // `wake` is called after every change, on the feed's thread; it may not call
  // this object. RESOURCE_EXHAUSTED when there are watchers_max.
  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      std::function<void()> wake);
  uint64_t revision() const { return cases_.revision(); }

 private:
  void Follow();
  void Remove(uint64_t id);

  const CaseBook& cases_;
  const size_t watchers_max_;
  std::atomic<bool> ending_ = false;
  Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, std::function<void()>> watchers_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace amparo::agent

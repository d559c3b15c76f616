#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "proto/network/member.h"

namespace amparo::broker {

// Wakes those who wait for something new. A wake is a hint: read the store,
// from the cursor on. Thread-safe.
class InboxFeed {
 public:
  // Called from any thread, must not block. May be called once more after its
  // Subscription is gone: hold what it needs by a shared or weak pointer.
  using Wake = std::function<void()>;

  // Ends the subscription when destroyed. Must not outlive the feed.
  class Subscription {
   public:
    Subscription(Subscription&& other) noexcept;
    Subscription& operator=(Subscription&&) = delete;
    ~Subscription();

   private:
    friend class InboxFeed;
    Subscription(InboxFeed* feed, MemberId member, uint64_t id);
    InboxFeed* feed_;
    MemberId member_;
    uint64_t id_;
  };

  explicit InboxFeed(size_t streams_per_member_max);

  // RESOURCE_EXHAUSTED when `member` has as many subscriptions as it may.
  absl::StatusOr<Subscription> Subscribe(const MemberId& member, Wake wake);
  void Notify(const MemberId& member);
  void NotifyAll();
  size_t SubscriptionCount() const;

 private:
  void Unsubscribe(const MemberId& member, uint64_t id);

  const size_t streams_per_member_max_;
  mutable Mutex mutex_;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<MemberId, std::map<uint64_t, std::shared_ptr<const Wake>>> wakes_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

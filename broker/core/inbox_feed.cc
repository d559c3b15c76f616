#include "broker/core/inbox_feed.h"

#include <utility>

#include "base/error.h"

namespace amparo::broker {

InboxFeed::Subscription::Subscription(InboxFeed* feed, MemberId member,
                                      uint64_t id)
    : feed_(feed), member_(std::move(member)), id_(id) {}

InboxFeed::Subscription::Subscription(Subscription&& other) noexcept
    : feed_(std::exchange(other.feed_, nullptr)),
      member_(other.member_),
      id_(other.id_) {}

InboxFeed::Subscription::~Subscription() {
  if (feed_ != nullptr) feed_->Unsubscribe(member_, id_);
}

InboxFeed::InboxFeed(size_t streams_per_member_max)
    : streams_per_member_max_(streams_per_member_max) {}

absl::StatusOr<InboxFeed::Subscription> InboxFeed::Subscribe(
    const MemberId& member, Wake wake) {
  MutexLock lock(mutex_);
  auto& wakes = wakes_[member];
  if (wakes.size() >= streams_per_member_max_)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "the member has as many streams as it may",
                     {.code = "broker_unreachable", .retryable = true});
  const uint64_t id = next_id_++;
  wakes.emplace(id, std::make_shared<const Wake>(std::move(wake)));
  return Subscription(this, member, id);
}

void InboxFeed::Notify(const MemberId& member) {
  std::vector<std::shared_ptr<const Wake>> wakes;
  {
    MutexLock lock(mutex_);
    const auto found = wakes_.find(member);
    if (found == wakes_.end()) return;
    for (const auto& [id, wake] : found->second) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) (*wake)();
}

void InboxFeed::NotifyAll() {
  std::vector<std::shared_ptr<const Wake>> wakes;
  {
    MutexLock lock(mutex_);
    for (const auto& [member, of_member] : wakes_)
      for (const auto& [id, wake] : of_member) wakes.push_back(wake);
  }
  for (const auto& wake : wakes) (*wake)();
}

size_t InboxFeed::SubscriptionCount() const {
  MutexLock lock(mutex_);
  size_t count = 0;
  for (const auto& [member, of_member] : wakes_) count += of_member.size();
  return count;
}

void InboxFeed::Unsubscribe(const MemberId& member, uint64_t id) {
  MutexLock lock(mutex_);
  const auto found = wakes_.find(member);
  if (found == wakes_.end()) return;
  found->second.erase(id);
  if (found->second.empty()) wakes_.erase(found);
}

}  // namespace amparo::broker

#include "agents/institution/core/loop.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "crypto/random.h"

namespace amparo::agent {

Loop::Loop(std::function<absl::Duration()> step)
    : step_(std::move(step)), thread_([this] { Run(); }) {}

Loop::~Loop() { Stop(); }

void Loop::Wake() {
  {
    MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.Signal();
}

void Loop::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.Signal();
  if (thread_.joinable()) thread_.join();
}

void Loop::Run() {
  while (true) {
    const absl::Time until = absl::Now() + step_();
    MutexLock lock(mutex_);
    while (!woken_ && !stopping_) {
      const absl::Duration left = until - absl::Now();
      if (left <= absl::ZeroDuration()) break;
      changed_.WaitFor(mutex_, left);
    }
    if (stopping_) return;
    woken_ = false;
  }
}

absl::Duration Backoff::Next() {
  next_ = std::clamp(next_ * 2, first_, max_);
  const auto half_ms = static_cast<uint32_t>(absl::ToInt64Milliseconds(next_ / 2));
  return next_ - absl::Milliseconds(RandomBelow(half_ms + 1));
}

}  // namespace amparo::agent

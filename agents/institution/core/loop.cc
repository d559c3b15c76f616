#include "agents/institution/core/loop.h"

#include <algorithm>
#include <utility>

#include "crypto/random.h"

namespace amparo::agent {
namespace {

constexpr absl::Duration kPauseMax = absl::Hours(24);

}  // namespace

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
    const absl::Duration pause = std::min(step_(), kPauseMax);
    MutexLock lock(mutex_);
    // Not by the time of day: a clock that is set back stops no loop.
    while (!woken_ && !stopping_)
      if (!changed_.WaitFor(mutex_, pause)) break;
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

#include "base/pacer.h"

#include <utility>

namespace amparo {

Pacer::Pacer(absl::Duration period, std::function<void()> step)
    : period_(period), step_(std::move(step)), thread_([this] { Run(); }) {}

Pacer::~Pacer() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void Pacer::Hurry() {
  MutexLock lock(mutex_);
  hurry_ = true;
  changed_.SignalAll();
}

void Pacer::Run() {
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!ending_ && !hurry_)
        if (!changed_.WaitFor(mutex_, period_)) break;
      if (ending_) return;
      hurry_ = false;
    }
    step_();
  }
}

}  // namespace amparo

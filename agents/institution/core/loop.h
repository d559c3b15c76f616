#pragma once

#include <algorithm>
#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace amparo::agent {

// A thread that does one step again and again at its own pace. Thread-safe.
class Loop {
 public:
  // `step` answers after how long it wants to be called again; Wake() calls it
  // sooner.
  explicit Loop(std::function<absl::Duration()> step);
  // As Stop().
  ~Loop();

  void Wake();
  // Returns when the step that is running has ended.
  void Stop();

 private:
  void Run();

  const std::function<absl::Duration()> step_;
  Mutex mutex_;
  CondVar changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

// Waiting times after failures: `first`, doubling to `max`, each shortened at
// random by up to half so that agents do not come back in step. Not
// thread-safe.
class Backoff {
 public:
  // A `first` beyond `max` counts as `max`.
  Backoff(absl::Duration first, absl::Duration max)
      : first_(std::min(first, max)), max_(max) {}
  absl::Duration Next();
  void Reset() { next_ = absl::ZeroDuration(); }

 private:
  const absl::Duration first_;
  const absl::Duration max_;
  absl::Duration next_;
};

}  // namespace amparo::agent

#pragma once

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace amparo {

// Runs a step again and again, at its own pace, on a thread of its own, until
// destroyed: Checkpointer and Retention in the daemon. Thread-safe.
class Pacer {
 public:
  Pacer(absl::Duration period, std::function<void()> step);
  ~Pacer();
  Pacer(const Pacer&) = delete;
  Pacer& operator=(const Pacer&) = delete;

  // The next step comes at once.
  void Hurry();

 private:
  void Run();

  const absl::Duration period_;
  const std::function<void()> step_;
  Mutex mutex_;
  CondVar changed_;
  bool hurry_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace amparo

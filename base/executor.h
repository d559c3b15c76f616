#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace amparo {

// A fixed number of threads and a bounded queue. Thread-safe.
class Executor {
 public:
  // `queue_max`: tasks that may wait; running ones are not counted.
  Executor(size_t threads, size_t queue_max);
  // Runs what is queued, then joins.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // False when the queue is full or the executor is ending: the task was not
  // taken and will not run.
  [[nodiscard]] bool TrySubmit(std::function<void()> task);

 private:
  void Run();

  const size_t queue_max_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace amparo

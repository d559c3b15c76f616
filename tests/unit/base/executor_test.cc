#include "base/executor.h"

#include <functional>
#include <vector>

#include "base/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace amparo {
namespace {

// A door that tasks wait at.
class Gate {
 public:
  void Open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.SignalAll();
  }
  // Counts the caller, then waits until the gate is open.
  void Pass() {
    MutexLock lock(mutex_);
    ++arrived_;
    changed_.SignalAll();
    while (!open_) changed_.Wait(mutex_);
  }
  void WaitForArrivals(int count) {
    MutexLock lock(mutex_);
    while (arrived_ < count) changed_.Wait(mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
};

class Counter {
 public:
  void Add() {
    MutexLock lock(mutex_);
    ++value_;
  }
  int value() {
    MutexLock lock(mutex_);
    return value_;
  }

 private:
  Mutex mutex_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(Executor, RunsEveryTaskItTookBeforeItEnds) {
  Counter ran;
  int taken = 0;
  {
    Executor executor(3, 1000);
    for (int i = 0; i < 1000; ++i)
      if (executor.TrySubmit([&] { ran.Add(); })) ++taken;
  }
  EXPECT_EQ(taken, 1000);
  EXPECT_EQ(ran.value(), taken);
}

TEST(Executor, RefusesATaskBeyondItsQueueAndNeverRunsIt) {
  Gate gate;
  Counter ran, refused;
  {
    Executor executor(1, 2);
    ASSERT_TRUE(executor.TrySubmit([&] { gate.Pass(); }));
    gate.WaitForArrivals(1);  // the one thread is busy, the queue empty
    EXPECT_TRUE(executor.TrySubmit([&] { ran.Add(); }));
    EXPECT_TRUE(executor.TrySubmit([&] { ran.Add(); }));
    EXPECT_FALSE(executor.TrySubmit([&] { refused.Add(); }));
    EXPECT_FALSE(executor.TrySubmit([&] { refused.Add(); }));
    gate.Open();
  }
  EXPECT_EQ(ran.value(), 2);
  EXPECT_EQ(refused.value(), 0);
}

TEST(Executor, TakesTasksAgainWhenItsQueueHasRoom) {
  Gate first, second;
  Counter ran;
  {
    Executor executor(1, 1);
    ASSERT_TRUE(executor.TrySubmit([&] { first.Pass(); }));
    first.WaitForArrivals(1);
    ASSERT_TRUE(executor.TrySubmit([&] { second.Pass(); }));
    EXPECT_FALSE(executor.TrySubmit([&] { ran.Add(); }));
    first.Open();
    second.WaitForArrivals(1);
    EXPECT_TRUE(executor.TrySubmit([&] { ran.Add(); }));
    second.Open();
  }
  EXPECT_EQ(ran.value(), 1);
}

TEST(Executor, RunsAsManyTasksAtOnceAsItHasThreads) {
  Gate gate;
  Executor executor(3, 3);
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(executor.TrySubmit([&] { gate.Pass(); }));
  gate.WaitForArrivals(3);  // does not return unless all three run at once
  gate.Open();
}

TEST(Executor, RunsTasksOfOneThreadInTheirOrder) {
  std::vector<int> order;
  {
    Executor executor(1, 100);
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(executor.TrySubmit([&order, i] { order.push_back(i); }));
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(Executor, TakesNothingMoreWhileItEnds) {
  Counter refused;
  std::function<void()> again;
  {
    Executor executor(1, 2);
    // Queues itself as long as it can. There is room for it always, so only the
    // end of the executor stops it.
    again = [&] {
      if (!executor.TrySubmit(again)) refused.Add();
    };
    ASSERT_TRUE(executor.TrySubmit(again));
  }
  EXPECT_EQ(refused.value(), 1);
}

TEST(Executor, LetsATaskSubmitAnother) {
  Counter ran;
  Gate gate;
  {
    Executor executor(1, 1);
    ASSERT_TRUE(executor.TrySubmit([&] {
      EXPECT_TRUE(executor.TrySubmit([&] {
        ran.Add();
        gate.Open();
      }));
    }));
    gate.Pass();
  }
  EXPECT_EQ(ran.value(), 1);
}

}  // namespace
}  // namespace amparo

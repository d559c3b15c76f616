#include "base/mutex.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace amparo {
namespace {

TEST(MutexLock, LetsOneThreadInAtATime) {
  struct {
    Mutex mutex;
    int value ABSL_GUARDED_BY(mutex) = 0;
  } counter;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10000; ++i) {
        MutexLock lock(counter.mutex);
        ++counter.value;
      }
    });
  for (std::thread& thread : threads) thread.join();
  MutexLock lock(counter.mutex);
  EXPECT_EQ(counter.value, 40000);
}

// Two threads take turns; each waits for the other.
struct Turns {
  Mutex mutex;
  CondVar changed;
  int turn ABSL_GUARDED_BY(mutex) = 0;
};

TEST(CondVar, WakesTheThreadThatWaits) {
  Turns turns;
  constexpr int kRounds = 1000;
  const auto play = [&](int parity) {
    for (int round = parity; round < kRounds; round += 2) {
      MutexLock lock(turns.mutex);
      while (turns.turn != round) turns.changed.Wait(turns.mutex);
      ++turns.turn;
      turns.changed.Signal();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  MutexLock lock(turns.mutex);
  EXPECT_EQ(turns.turn, kRounds);
}

TEST(CondVar, WakesEveryThreadThatWaits) {
  Turns turns;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      MutexLock lock(turns.mutex);
      while (turns.turn == 0) turns.changed.Wait(turns.mutex);
    });
  {
    MutexLock lock(turns.mutex);
    turns.turn = 1;
  }
  turns.changed.SignalAll();
  for (std::thread& thread : threads) thread.join();
}

TEST(CondVar, SaysWhenNobodySignalledInTime) {
  Turns turns;
  MutexLock lock(turns.mutex);
  EXPECT_FALSE(turns.changed.WaitFor(turns.mutex, absl::ZeroDuration()));
  EXPECT_FALSE(turns.changed.WaitFor(turns.mutex, -absl::Seconds(5)));
}

TEST(CondVar, HoldsTheMutexAfterEveryWait) {
  Turns turns;
  constexpr int kRounds = 1000;
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      MutexLock lock(turns.mutex);
      ++turns.turn;
      turns.changed.SignalAll();
    }
  });
  {
    MutexLock lock(turns.mutex);
    while (turns.turn < kRounds) {
      // Both ends of a wait, signalled or not, hold the mutex: the sanitizer
      // would report this write otherwise.
      turns.changed.WaitFor(turns.mutex, absl::Microseconds(1));
      turns.turn += 0;
    }
  }
  other.join();
}

}  // namespace
}  // namespace amparo

#include "base/pacer.h"

#include <future>

#include "gtest/gtest.h"

namespace amparo {
namespace {

TEST(Pacer, StepsAtOnceWhenHurried) {
  std::promise<void> stepped;
  bool first = true;
  Pacer pacer(absl::Hours(1), [&] {
    if (first) stepped.set_value();
    first = false;
  });
  pacer.Hurry();
  stepped.get_future().wait();
}

TEST(Pacer, StepsByItself) {
  std::promise<void> stepped;
  int steps = 0;
  Pacer pacer(absl::Milliseconds(1), [&] {
    if (++steps == 3) stepped.set_value();
  });
  stepped.get_future().wait();
}

TEST(Pacer, EndsWithoutWaitingForItsPeriod) {
  Pacer pacer(absl::Hours(1), [] {});
}

}  // namespace
}  // namespace amparo

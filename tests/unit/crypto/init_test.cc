#include "crypto/init.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(InitCrypto, MayBeCalledAgainAndFromManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([] { EXPECT_OK(InitCrypto()); });
  for (std::thread& thread : threads) thread.join();
}

TEST(InitCrypto, LeavesNoWayForACoreDump) {
  ASSERT_OK(InitCrypto());
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 0u);
  EXPECT_EQ(limit.rlim_max, 0u);
  EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
}

}  // namespace
}  // namespace amparo

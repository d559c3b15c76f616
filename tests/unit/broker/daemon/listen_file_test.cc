#include "broker/daemon/listen_file.h"

#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

TEST(ListenFile, ReadsWhatItWrites) {
  const ListenFile file = {77,
                           {"127.0.0.1:40001", "127.0.0.1:40002"},
                           {"broker.example:7443", "broker.example:7444"},
                           "127.0.0.1:40003"};
  const ListenFile back = VALUE_OF(ParseListenFile(FormatListenFile(file)));
  EXPECT_EQ(back.pid, 77);
  EXPECT_EQ(back.listen.enrol, file.listen.enrol);
  EXPECT_EQ(back.announced.members, file.announced.members);
  EXPECT_EQ(back.metrics, file.metrics);
  EXPECT_THAT(ParseListenFile("{}"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ListenFile, FillsInThePortThatTheKernelChose) {
  EXPECT_EQ(FillPort("127.0.0.1:0", 40001), "127.0.0.1:40001");
  EXPECT_EQ(FillPort("broker.example:7443", 40001), "broker.example:7443");
}

TEST(ListenFile, KeepsThePortOfTheLastTime) {
  EXPECT_EQ(KeptAddress("127.0.0.1:0", "127.0.0.1:40001"), "127.0.0.1:40001");
  EXPECT_EQ(KeptAddress("127.0.0.1:0", "0.0.0.0:40001"), "127.0.0.1:0");
  EXPECT_EQ(KeptAddress("127.0.0.1:7443", "127.0.0.1:40001"), "127.0.0.1:7443");
  EXPECT_EQ(KeptAddress("127.0.0.1:0", ""), "127.0.0.1:0");
}

}  // namespace
}  // namespace amparo::broker

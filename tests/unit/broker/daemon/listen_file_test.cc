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

}  // namespace
}  // namespace amparo::broker

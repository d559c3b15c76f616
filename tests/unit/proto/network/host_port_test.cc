#include "proto/network/host_port.h"

#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

TEST(HostPort, ReadsNamesAndAddressesOfBothFamilies) {
  EXPECT_EQ(VALUE_OF(ParseHostPort("broker.example:7443")).host,
            "broker.example");
  EXPECT_EQ(VALUE_OF(ParseHostPort("[::1]:80")).host, "::1");
  EXPECT_EQ(FormatHostPort(VALUE_OF(ParseHostPort("[::1]:80"))), "[::1]:80");
  EXPECT_EQ(VALUE_OF(ParseHostPort("127.0.0.1:0")).port, 0);
}

TEST(HostPort, RefusesWhatIsNone) {
  for (const char* text : {"", "host", ":80", "host:", "host:65536", "::1:80",
                           "host:+80", "host:8o", "ho st:80", "host:-1"})
    EXPECT_THAT(ParseHostPort(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(HostPort, FillsInThePortThatTheKernelChose) {
  EXPECT_EQ(FillPort("127.0.0.1:0", 40001), "127.0.0.1:40001");
  EXPECT_EQ(FillPort("broker.example:7443", 40001), "broker.example:7443");
}

TEST(HostPort, KeepsThePortOfTheLastTime) {
  EXPECT_EQ(KeptAddress("127.0.0.1:0", "127.0.0.1:40001"), "127.0.0.1:40001");
  EXPECT_EQ(KeptAddress("127.0.0.1:0", "0.0.0.0:40001"), "127.0.0.1:0");
  EXPECT_EQ(KeptAddress("127.0.0.1:7443", "127.0.0.1:40001"), "127.0.0.1:7443");
  EXPECT_EQ(KeptAddress("127.0.0.1:0", ""), "127.0.0.1:0");
}

}  // namespace
}  // namespace amparo

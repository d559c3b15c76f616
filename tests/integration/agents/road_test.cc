#include "proto/grpc/road.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/time/clock.h"
#include "tests/support/in_between.h"

// The road to a port: what of the environment is used, and what of several
// addresses.

namespace amparo {
namespace {

sockaddr_in Loopback() {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port that answers nobody any more, as behind a firewall that drops: its
// queue is full, and nothing takes from it.
class DeadPort {
 public:
  DeadPort()
      : address_(Loopback()), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    auto* any = reinterpret_cast<sockaddr*>(&address_);
    socklen_t size = sizeof address_;
    EXPECT_EQ(bind(listener_, any, size), 0);
    EXPECT_EQ(listen(listener_, 0), 0);
    EXPECT_EQ(getsockname(listener_, any, &size), 0);
    for (int& caller : callers_) {
      caller = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      (void)connect(caller, any, size);
    }
  }
  ~DeadPort() {
    for (const int caller : callers_) close(caller);
    close(listener_);
  }
  sockaddr_in& address() { return address_; }

 private:
  sockaddr_in address_;
  const int listener_;
  int callers_[4] = {};
};

TEST(Road, ADeadFirstAddressLeavesTheSecondItsTime) {
  DeadPort dead;
  const InBetween alive("");
  sockaddr_in second = Loopback();
  const std::string port =
      alive.address().substr(alive.address().find(':') + 1);
  second.sin_port = htons(static_cast<uint16_t>(std::stoi(port)));
  addrinfo addresses[2] = {};
  for (addrinfo& one : addresses) {
    one.ai_family = AF_INET;
    one.ai_addrlen = sizeof second;
  }
  addresses[0].ai_addr = reinterpret_cast<sockaddr*>(&dead.address());
  addresses[0].ai_next = &addresses[1];
  addresses[1].ai_addr = reinterpret_cast<sockaddr*>(&second);

  std::optional<Socket> out;
  EXPECT_EQ(ConnectToAny(addresses, absl::Now() + absl::Milliseconds(400), out),
            Road::End::kThere);
  EXPECT_TRUE(out.has_value());
  // The dead one is dead indeed.
  addresses[0].ai_next = nullptr;
  out.reset();
  EXPECT_EQ(ConnectToAny(addresses, absl::Now() + absl::Milliseconds(100), out),
            Road::End::kSilence);
}

TEST(Road, AProxyThatIsNotReadIsNamed) {
  EXPECT_EQ(UnusedProxy("broker.example"), "");
  {
    const Environment capitals("HTTPS_PROXY", "http://proxy.example:3128");
    EXPECT_FALSE(ProxyFor("broker.example"));
    EXPECT_EQ(UnusedProxy("broker.example"),
              "HTTPS_PROXY is set, but only https_proxy, in small letters, is "
              "read");
    const Environment around("NO_PROXY", ".example");
    EXPECT_EQ(UnusedProxy("broker.example"), "");
  }
  {
    const Environment by_tls("https_proxy", "https://proxy.example:3128");
    EXPECT_FALSE(ProxyFor("broker.example"));
    EXPECT_EQ(UnusedProxy("broker.example"),
              "https_proxy is set, but not used: of proxies only "
              "http://HOST:PORT is known");
    const Environment around("no_proxy", "broker.example");
    EXPECT_EQ(UnusedProxy("broker.example"), "");
  }
  const Environment used("https_proxy", "http://proxy.example:3128");
  const Environment capitals("HTTPS_PROXY", "http://other.example:3128");
  EXPECT_EQ(UnusedProxy("broker.example"), "");
}

}  // namespace
}  // namespace amparo

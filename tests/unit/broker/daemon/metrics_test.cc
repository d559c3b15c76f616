#include "broker/daemon/metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "broker/daemon/config.h"
#include "broker/daemon/metrics_port.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

int Connect(const std::string& address) {
  const HostPort where = VALUE_OF(ParseHostPort(address));
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(where.port);
  inet_pton(AF_INET, where.host.c_str(), &to.sin_addr);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

std::string Ask(const std::string& address, const std::string& request) {
  const int fd = Connect(address);
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  shutdown(fd, SHUT_WR);
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = recv(fd, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<size_t>(got));
  close(fd);
  return answer;
}

TEST(Metrics, CountsCallsByMethodAndCode) {
  Metrics metrics([] { return BrokerGauges{.log_entries = 42}; });
  metrics.OnEnd("Submit", absl::StatusCode::kOk, absl::Milliseconds(3));
  metrics.OnEnd("Submit", absl::StatusCode::kOk, absl::Milliseconds(4));
  metrics.OnEnd("Submit", absl::StatusCode::kPermissionDenied,
                absl::Milliseconds(1));
  const std::string text = metrics.Render();
  EXPECT_TRUE(absl::StrContains(
      text, "amparo_calls_total{code=\"OK\",method=\"Submit\"} 2"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "code=\"PERMISSION_DENIED\""));
  EXPECT_TRUE(absl::StrContains(text, "amparo_call_seconds_count"));
  EXPECT_TRUE(absl::StrContains(text, "amparo_log_entries 42"));
}

TEST(MetricsPort, AnswersScrapesAndNothingElse) {
  const auto port =
      VALUE_OF(MetricsPort::Open("127.0.0.1:0", [] { return "text 1\n"; }));
  EXPECT_FALSE(absl::EndsWith(port->address(), ":0"));
  const std::string answer =
      Ask(port->address(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\ntext 1\n"));
  for (const char* other :
       {"GET / HTTP/1.1\r\n\r\n", "POST /metrics HTTP/1.1\r\n\r\n",
        "GET /metricsx HTTP/1.1\r\n\r\n", "", "\x16\x03\x01"})
    EXPECT_TRUE(absl::StartsWith(Ask(port->address(), other), "HTTP/1.1 404"));
  // More than it reads.
  Ask(port->address(), "GET /" + std::string(7000, 'x'));
  EXPECT_TRUE(absl::StartsWith(
      Ask(port->address(), "GET /metrics HTTP/1.0\r\n\r\n"), "HTTP/1.1 200"));
}

TEST(MetricsPort, EndsAtOnceBesideASilentCaller) {
  auto port =
      VALUE_OF(MetricsPort::Open("127.0.0.1:0", [] { return "text\n"; }));
  const int silent = Connect(port->address());
  close(silent);
  port.reset();
}

TEST(MetricsPort, SaysThatAPortIsTaken) {
  const auto first =
      VALUE_OF(MetricsPort::Open("127.0.0.1:0", [] { return ""; }));
  EXPECT_THAT(MetricsPort::Open(first->address(), [] { return ""; }),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace amparo::broker

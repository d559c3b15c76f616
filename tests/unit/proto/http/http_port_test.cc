#include "proto/http/http_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proto/network/host_port.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

// A caller that may say what it likes.
class Caller {
 public:
  explicit Caller(const std::string& address)
      : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const HostPort where = VALUE_OF(ParseHostPort(address));
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(where.port);
    inet_pton(AF_INET, where.host.c_str(), &to.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    // A port that never answers fails the test instead of holding it up.
    const timeval patience = {.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Caller() { close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  // False when the other side has hung up.
  bool Say(absl::string_view text) const {
    return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  void SayNoMore() const { shutdown(fd_, SHUT_WR); }
  // What comes until the other side hangs up, or `end` came.
  std::string Hear(absl::string_view end = "") const {
    std::string heard;
    char buffer[4096];
    while (end.empty() || !absl::StrContains(heard, end)) {
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0) hung_up_ = errno == ECONNRESET;
      if (got == 0) hung_up_ = true;
      if (got <= 0) break;
      heard.append(buffer, static_cast<size_t>(got));
    }
    return heard;
  }
  bool hung_up() const { return hung_up_; }

 private:
  const int fd_;
  mutable bool hung_up_ = false;
};

class HttpPortTest : public testing::Test {
 protected:
  void Open(const HttpPort::Limits& limits = {}) {
    port = VALUE_OF(
        HttpPort::Open("127.0.0.1:0", "log.http_listen", limits,
                       [this](absl::string_view path) -> HttpAnswer {
                         ++asked;
                         if (path == "/page")
                           return {.status = 200,
                                   .content_type = "application/octet-stream",
                                   .cache_control = "no-cache",
                                   .body = "the page"};
                         HttpAnswer answer;
                         answer.body = absl::StrCat("no ", path);
                         return answer;
                       }));
  }
  void OpenTaking(size_t body_bytes_max) {
    port = VALUE_OF(HttpPort::Open(
        "127.0.0.1:0", "listen", {.body_bytes_max = body_bytes_max},
        [](absl::string_view) {
          return HttpAnswer{.status = 200, .body = "the page"};
        },
        [this](absl::string_view path, absl::string_view body) {
          ++asked;
          return HttpAnswer{
              .status = 200,
              .body = absl::StrCat("took ", path, " ", body, ".")};
        }));
  }
  std::string Ask(absl::string_view request) const {
    const Caller caller(port->address());
    caller.Say(request);
    caller.SayNoMore();
    return caller.Hear();
  }

  std::atomic<int> asked = 0;
  std::unique_ptr<HttpPort> port;
};

TEST_F(HttpPortTest, AnswersGetAndHead) {
  Open();
  EXPECT_FALSE(absl::EndsWith(port->address(), ":0"));
  const std::string got = Ask("GET /page?x=y HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::StartsWith(got, "HTTP/1.1 200 OK\r\n")) << got;
  EXPECT_TRUE(absl::StrContains(got, "Content-Length: 8\r\n")) << got;
  EXPECT_TRUE(
      absl::StrContains(got, "Content-Type: application/octet-stream\r\n"));
  EXPECT_TRUE(absl::StrContains(got, "Cache-Control: no-cache\r\n"));
  EXPECT_TRUE(absl::EndsWith(got, "\r\n\r\nthe page"));
  const std::string head = Ask("HEAD /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(head, "Content-Length: 8\r\n")) << head;
  EXPECT_TRUE(absl::EndsWith(head, "\r\n\r\n"));
}

TEST_F(HttpPortTest, RefusesEveryOtherMethodUnasked) {
  Open();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE",
                             "CONNECT", "PATCH", "get"}) {
    const std::string answer =
        Ask(absl::StrCat(method, " /page HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 405 ")) << answer;
    EXPECT_TRUE(absl::StrContains(answer, "Allow: GET, HEAD\r\n"));
  }
  EXPECT_EQ(asked, 0);
}

TEST_F(HttpPortTest, AnswersOneRequestAfterAnotherOnAConnection) {
  Open();
  const Caller caller(port->address());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(caller.Say("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(absl::StrContains(caller.Hear("the page"), " 200 OK"));
  }
  // Several at once: each its own answer, in order.
  ASSERT_TRUE(
      caller.Say("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"
                 "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
                 "GET /last HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string heard = caller.Hear("no /last");
  EXPECT_LT(heard.find("the page"), heard.find("no /other"));
  EXPECT_LT(heard.find("no /other"), heard.find("no /last"));
  EXPECT_EQ(asked, 6);
}

TEST_F(HttpPortTest, HangsUpOnARequestWithABody) {
  Open();
  for (const char* header :
       {"Content-Length: 40", "Transfer-Encoding: chunked",
        "Content-Length: 40\r\nTransfer-Encoding: chunked"}) {
    const Caller caller(port->address());
    caller.Say(
        absl::StrCat("GET /page HTTP/1.1\r\nHost: x\r\n", header,
                     "\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string heard = caller.Hear();
    EXPECT_FALSE(absl::StrContains(heard, "the page")) << heard;
    EXPECT_FALSE(absl::StrContains(heard, "no /smuggled")) << heard;
    EXPECT_TRUE(caller.hung_up()) << header;
  }
  EXPECT_EQ(asked, 0);
}

TEST_F(HttpPortTest, SurvivesWhatIsNoRequest) {
  Open({.idle = absl::Seconds(2)});
  for (const std::string& text : std::vector<std::string>{
           "", "\r\n", "\x16\x03\x01\x02\x00\x01", std::string(9, '\0'), "GET",
           "GET /page", "GET /page HTTP/9.9\r\n\r\n",
           "GET /page HTTP/1.1\r\nHost x\r\n\r\n",
           "GET /page HTTP/1.1\r\n: x\r\n\r\n",
           "GET http://other/page HTTP/1.1\r\n\r\n",
           "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\n\r\n",
           "GET /page HTTP/1.1\r\nA: " + std::string(100'000, 'x') +
               "\r\n\r\n"})
    EXPECT_FALSE(absl::StrContains(Ask(text), "the page"))
        << text.substr(0, 40);
  EXPECT_TRUE(absl::StrContains(Ask("GET /page HTTP/1.0\r\n\r\n"), "the page"));
}

TEST_F(HttpPortTest, TakesWhatIsPosted) {
  OpenTaking(64);
  const Caller caller(port->address());
  for (const char* body : {"one", "", "three\n"}) {
    ASSERT_TRUE(
        caller.Say(absl::StrCat("POST /page HTTP/1.1\r\nHost: x\r\n"
                                "Content-Length: ",
                                strlen(body), "\r\n\r\n", body)));
    const std::string end = absl::StrCat("took /page ", body, ".");
    EXPECT_TRUE(absl::EndsWith(caller.Hear(end), end));
  }
  // In pieces, and the next request behind it.
  const std::string full(64, 'x');
  ASSERT_TRUE(
      caller.Say("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: "
                 "64\r\n\r\nx"));
  ASSERT_TRUE(
      caller.Say(full.substr(1) + "GET /page HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(absl::StrContains(caller.Hear("the page"), full));
}

TEST_F(HttpPortTest, AttackByABodyThatIsTooLargeOrHasNoEnd) {
  OpenTaking(64);
  const std::string large = Ask(absl::StrCat(
      "POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 65\r\n\r\n",
      std::string(65, 'x')));
  EXPECT_TRUE(absl::StartsWith(large, "HTTP/1.1 413 ")) << large;
  EXPECT_TRUE(absl::StartsWith(Ask("POST /page HTTP/1.1\r\nHost: x\r\n\r\n"),
                               "HTTP/1.1 411 "));
  // Two lengths, and none: whose end is it?
  for (const char* header : {"Transfer-Encoding: chunked",
                             "Content-Length: 3\r\nTransfer-Encoding: chunked",
                             "Content-Length: 99999999999999999999",
                             "Content-Length: -1", "Content-Length: x"}) {
    const std::string heard = Ask(absl::StrCat(
        "POST /page HTTP/1.1\r\nHost: x\r\n", header,
        "\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /page HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_FALSE(absl::StrContains(heard, "took")) << header << heard;
    EXPECT_FALSE(absl::StrContains(heard, "the page")) << header << heard;
  }
  EXPECT_EQ(asked, 0);
}

// It keeps nothing of a caller that leaves in the middle.
TEST_F(HttpPortTest, SurvivesACallerThatLeavesInTheMiddleOfABody) {
  OpenTaking(64);
  for (int i = 0; i < 10; ++i)
    EXPECT_FALSE(absl::StrContains(
        Ask("POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nxxx"),
        "took"));
  EXPECT_EQ(asked, 0);
}

TEST_F(HttpPortTest, GivesThePathAsItWasSent) {
  Open();
  EXPECT_TRUE(absl::EndsWith(
      Ask("GET /..%2f..%2Fetc//passwd%00 HTTP/1.1\r\nHost: x\r\n\r\n"),
      "no /..%2f..%2Fetc//passwd%00"));
}

// One that sends a byte now and then is cut off all the same.
TEST_F(HttpPortTest, AttackByASlowCallerEnds) {
  Open({.idle = absl::Seconds(60), .life = absl::Seconds(1)});
  const Caller slow(port->address());
  ASSERT_TRUE(slow.Say("GET /page HTTP/1.1\r\nHost: x\r\n"));
  EXPECT_EQ(slow.Hear(), "");
  EXPECT_TRUE(slow.hung_up());
}

TEST_F(HttpPortTest, AttackByASilentCallerEnds) {
  Open({.idle = absl::Seconds(1)});
  const Caller silent(port->address());
  EXPECT_EQ(silent.Hear(), "");
  EXPECT_TRUE(silent.hung_up());
}

TEST_F(HttpPortTest, TakesNoMoreCallersThanItsLimit) {
  Open({.connections_max = 4, .connections_per_address_max = 2});
  const Caller first(port->address()), second(port->address());
  for (const Caller* caller : {&first, &second}) {
    ASSERT_TRUE(caller->Say("GET /page HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(absl::StrContains(caller->Hear("the page"), "200"));
  }
  const Caller third(port->address());
  third.Say("GET /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(third.Hear(), "");
  EXPECT_TRUE(third.hung_up());
}

TEST_F(HttpPortTest, EndsAtOnceBesideASilentCaller) {
  Open();
  const Caller silent(port->address());
  port.reset();
  EXPECT_EQ(silent.Hear(), "");
}

TEST_F(HttpPortTest, SaysThatAPortIsTaken) {
  Open();
  const auto again =
      HttpPort::Open(port->address(), "log.http_listen", {},
                     [](absl::string_view) { return HttpAnswer(); });
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(HttpPort::Open("broker.example:80", "log.http_listen", {},
                             [](absl::string_view) { return HttpAnswer(); }),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace amparo

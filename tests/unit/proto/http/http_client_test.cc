#include "proto/http/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "proto/http/http_port.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

// A server that says what it likes to the first caller, and reads what it can.
class RudeServer {
 public:
  explicit RudeServer(std::function<void(int fd)> talk) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at = {};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(listen(listener_, 4), 0);
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    url_ = absl::StrCat("http://127.0.0.1:", ntohs(at.sin_port), "/x");
    thread_ = std::thread([this, talk = std::move(talk)] {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      talk(fd);
      close(fd);
    });
  }
  ~RudeServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  const std::string& url() const { return url_; }

 private:
  int listener_;
  std::string url_;
  std::thread thread_;
};

bool Say(int fd, absl::string_view text) {
  return send(fd, text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

// Until the other side hangs up.
void Listen(int fd) {
  char buffer[4096];
  while (recv(fd, buffer, sizeof buffer, 0) > 0) {
  }
}

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    port_ = VALUE_OF(HttpPort::Open(
        "127.0.0.1:0", "listen", {.body_bytes_max = 100'000},
        [](absl::string_view) { return HttpAnswer(); },
        [this](absl::string_view path, absl::string_view body) {
          ++asked_;
          return HttpAnswer{
              .status = path == "/conflict" ? 409u : 200u,
              .body = absl::StrCat(path, " ", body.size(), " ", body)};
        }));
  }
  std::string Url(absl::string_view path) {
    return absl::StrCat("http://", port_->address(), path);
  }
  std::string CodeAt(const RudeServer& server, absl::Duration patience) {
    HttpClient client("", {.answer_bytes_max = 1000, .patience = patience});
    return ErrorCodeOf(client.Post(server.url(), "body").status());
  }

  std::atomic<int> asked_ = 0;
  std::unique_ptr<HttpPort> port_;
};

TEST_F(HttpClientTest, PostsAndGivesWhatComesBack) {
  HttpClient client("", {.answer_bytes_max = 200'000});
  for (const std::string& body :
       {std::string("one"), std::string(), std::string(100'000, 'x')}) {
    const auto answer = VALUE_OF(client.Post(Url("/page"), body));
    EXPECT_EQ(answer.status, 200u);
    EXPECT_EQ(answer.body, absl::StrCat("/page ", body.size(), " ", body));
  }
  EXPECT_EQ(VALUE_OF(client.Post(Url("/conflict"), "x")).status, 409u);
}

// A connection that was kept open and has ended is no failure.
TEST_F(HttpClientTest, CallsAgainWhereTheServerHungUp) {
  HttpClient client("", {});
  const std::string url = Url("/page"), address = port_->address();
  ASSERT_OK(client.Post(url, "x"));
  port_.reset();
  port_ = VALUE_OF(HttpPort::Open(
      address, "listen", {.body_bytes_max = 100},
      [](absl::string_view) { return HttpAnswer(); },
      [](absl::string_view, absl::string_view) {
        return HttpAnswer{.status = 200, .body = "again"};
      }));
  EXPECT_EQ(VALUE_OF(client.Post(url, "x")).body, "again");
}

TEST_F(HttpClientTest, SaysWhenNobodyIsThere) {
  HttpClient client("", {});
  const std::string url = Url("/page");
  port_.reset();
  EXPECT_EQ(ErrorCodeOf(client.Post(url, "x").status()), "unreachable");
  for (const char* bad : {"", "file:///etc/passwd", "ftp://127.0.0.1/x",
                          "gopher://127.0.0.1/x", "nothing at all"})
    EXPECT_EQ(ErrorCodeOf(client.Post(bad, "x").status()), "unreachable")
        << bad;
}

TEST_F(HttpClientTest, AttackByAnAnswerWithoutAnEnd) {
  const RudeServer body([](int fd) {
    Say(fd, "HTTP/1.1 200 OK\r\n\r\n");
    while (Say(fd, std::string(1000, 'x'))) {
    }
  });
  EXPECT_EQ(CodeAt(body, absl::Seconds(60)), "too_large");
  const RudeServer headers([](int fd) {
    Say(fd, "HTTP/1.1 200 OK\r\n");
    while (Say(fd, "X: " + std::string(100, 'x') + "\r\n")) {
    }
  });
  EXPECT_EQ(CodeAt(headers, absl::Seconds(60)), "too_large");
  const RudeServer interim([](int fd) {
    while (Say(fd, "HTTP/1.1 100 Continue\r\n\r\n")) {
    }
  });
  EXPECT_EQ(CodeAt(interim, absl::Seconds(60)), "too_large");
}

TEST_F(HttpClientTest, AttackByAServerThatIsSlow) {
  const RudeServer silent([](int fd) { Listen(fd); });
  EXPECT_EQ(CodeAt(silent, absl::Milliseconds(200)), "timed_out");
  const RudeServer stops_midway([](int fd) {
    Say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nx");
    Listen(fd);
  });
  EXPECT_EQ(CodeAt(stops_midway, absl::Milliseconds(200)), "timed_out");
}

TEST_F(HttpClientTest, AttackByARedirectLeadsNowhere) {
  const std::string elsewhere = Url("/elsewhere");
  for (const char* status : {"301", "302", "303", "307", "308"}) {
    const RudeServer server([&](int fd) {
      Say(fd, absl::StrCat("HTTP/1.1 ", status, " Moved\r\nLocation: ",
                           elsewhere, "\r\nContent-Length: 0\r\n\r\n"));
      shutdown(fd, SHUT_WR);
      Listen(fd);
    });
    HttpClient client("", {});
    EXPECT_EQ(absl::StrCat(VALUE_OF(client.Post(server.url(), "x")).status),
              status);
  }
  EXPECT_EQ(asked_, 0);
}

TEST_F(HttpClientTest, TakesNoAnswerThatIsNone) {
  for (const char* text : {"", "hello\r\n", "HTTP/1.1\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"}) {
    const RudeServer server([&](int fd) {
      Say(fd, text);
      shutdown(fd, SHUT_WR);
      Listen(fd);
    });
    EXPECT_EQ(CodeAt(server, absl::Seconds(20)), "unreachable") << text;
  }
}

TEST_F(HttpClientTest, StopsACallThatIsUnderWay) {
  HttpClient client("", {.patience = absl::Minutes(5)});
  const RudeServer silent([&](int fd) {
    char byte;
    recv(fd, &byte, 1, 0);  // the call is under way
    client.Stop();
    Listen(fd);
  });
  EXPECT_EQ(ErrorCodeOf(client.Post(silent.url(), "x").status()), "stopped");
  EXPECT_EQ(ErrorCodeOf(client.Post(Url("/page"), "x").status()), "stopped");
  EXPECT_EQ(asked_, 0);
}

}  // namespace
}  // namespace amparo

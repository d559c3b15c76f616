#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace amparo {

// Something between a client and a server, on a port of loopback: an HTTP proxy
// that says `answer` to whoever connects and asks, and where that is a 200
// carries bytes to `target`. An empty answer: it takes connections and says
// nothing. Each caller has a thread of its own until the end of the test.
class InBetween {
 public:
  explicit InBetween(std::string answer, uint16_t target = 0)
      : answer_(std::move(answer)), target_(target), listener_(Listen(port_)) {
    thread_ = std::thread([this] { Serve(); });
  }
  ~InBetween() {
    ended_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    for (std::thread& caller : callers_) caller.join();
    close(listener_);
  }
  InBetween(const InBetween&) = delete;
  InBetween& operator=(const InBetween&) = delete;

  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  int calls() const { return calls_; }

 private:
  static int Listen(uint16_t& port) {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener, any, size), 0);
    EXPECT_EQ(listen(listener, 16), 0);
    EXPECT_EQ(getsockname(listener, any, &size), 0);
    port = ntohs(address.sin_port);
    return listener;
  }
  static sockaddr_in Loopback(uint16_t port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
  }

  void Serve() {
    for (int caller; (caller = accept(listener_, nullptr, nullptr)) >= 0;) {
      ++calls_;
      callers_.emplace_back([this, caller] {
        Answer(caller);
        close(caller);
      });
    }
  }
  void Answer(int caller) {
    std::array<char, 4096> request;
    if (answer_.empty()) return Wait(caller);
    if (recv(caller, request.data(), request.size(), 0) <= 0) return;
    const std::string head =
        absl::StrCat("HTTP/1.1 ", answer_, "\r\nContent-Length: 0\r\n\r\n");
    if (send(caller, head.data(), head.size(), MSG_NOSIGNAL) < 0) return;
    if (target_ == 0) return Wait(caller);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address = Loopback(target_);
    if (connect(server, reinterpret_cast<sockaddr*>(&address),
                sizeof address) == 0)
      Carry(caller, server);
    close(server);
  }
  // Until the caller goes, or the test ends.
  void Wait(int caller) const {
    std::array<char, 4096> bytes;
    while (!ended_) {
      pollfd one = {caller, POLLIN, 0};
      if (poll(&one, 1, 20) > 0 &&
          recv(caller, bytes.data(), bytes.size(), 0) <= 0)
        return;
    }
  }
  void Carry(int caller, int server) const {
    std::array<char, 16384> bytes;
    while (!ended_) {
      std::array<pollfd, 2> both = {{{caller, POLLIN, 0}, {server, POLLIN, 0}}};
      if (poll(both.data(), both.size(), 20) <= 0) continue;
      for (const pollfd& from : both) {
        if (from.revents == 0) continue;
        const ssize_t got = recv(from.fd, bytes.data(), bytes.size(), 0);
        const int to = from.fd == caller ? server : caller;
        if (got <= 0 ||
            send(to, bytes.data(), static_cast<size_t>(got), MSG_NOSIGNAL) < 0)
          return;
      }
    }
  }

  const std::string answer_;
  const uint16_t target_;
  uint16_t port_ = 0;
  const int listener_;
  std::atomic<bool> ended_ = false;
  std::atomic<int> calls_ = 0;
  std::thread thread_;
  std::vector<std::thread> callers_;
};

// A variable of the environment, as long as this lives.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    EXPECT_EQ(setenv(name, value.c_str(), 1), 0);
  }
  ~Environment() { unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* const name_;
};

}  // namespace amparo

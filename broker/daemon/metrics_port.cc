#include "broker/daemon/metrics_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "broker/daemon/config.h"

namespace amparo::broker {
namespace {

constexpr int kBacklog = 16;
constexpr size_t kRequestBytesMax = 8192;
// A caller that says nothing does not hold the next one up for long.
constexpr timeval kPatience = {.tv_sec = 2, .tv_usec = 0};

struct Address {
  sockaddr_storage bytes = {};
  socklen_t size = 0;
};

absl::StatusOr<Address> ToAddress(const HostPort& where) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.bytes);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.bytes);
  const std::string host = where.host == "localhost" ? "127.0.0.1" : where.host;
  if (inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(where.port);
    address.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(where.port);
    address.size = sizeof *v6;
  } else {
    return absl::InvalidArgumentError("not an IP address");
  }
  return address;
}

uint16_t PortOf(int listener) {
  Address address;
  address.size = sizeof address.bytes;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address.bytes),
                  &address.size) != 0)
    return 0;
  // The port stands at the same place in both families.
  return ntohs(reinterpret_cast<sockaddr_in*>(&address.bytes)->sin_port);
}

// A socket that listens; -1 when it cannot.
int Listen(const Address& address) {
  const int fd = socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address.bytes),
           address.size) == 0 &&
      listen(fd, kBacklog) == 0)
    return fd;
  close(fd);
  return -1;
}

// What the caller sent up to the empty line; cut at the maximum.
std::string ReadRequest(int connection) {
  std::string request;
  char buffer[2048];
  while (request.size() < kRequestBytesMax &&
         request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = recv(connection, buffer, sizeof buffer, 0);
    if (got <= 0) break;
    request.append(buffer, static_cast<size_t>(got));
  }
  return request;
}

void SendAll(int connection, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t sent =
        send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<size_t>(sent));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsPort>> MetricsPort::Open(
    const std::string& listen, std::function<std::string()> render) {
  const absl::Status refused = MakeError(
      absl::StatusCode::kUnavailable, absl::StrCat("cannot listen on ", listen),
      {.code = "config",
       .field = "metrics.listen",
       .expected = "a loopback address with a free port"});
  ASSIGN_OR_RETURN(HostPort where, ParseHostPort(listen));
  const auto address = ToAddress(where);
  if (!address.ok()) return refused;
  const int listener = Listen(*address);
  if (listener < 0) return refused;
  const int wake = eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    close(listener);
    return refused;
  }
  where.port = PortOf(listener);
  return std::unique_ptr<MetricsPort>(new MetricsPort(
      listener, wake, FormatHostPort(where), std::move(render)));
}

MetricsPort::MetricsPort(int listener, int wake, std::string address,
                         std::function<std::string()> render)
    : listener_(listener),
      wake_(wake),
      address_(std::move(address)),
      render_(std::move(render)),
      thread_([this] { Run(); }) {}

MetricsPort::~MetricsPort() {
  const uint64_t one = 1;
  // An eventfd with room takes 8 bytes always.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof one);
  thread_.join();
  close(listener_);
  close(wake_);
}

void MetricsPort::Run() {
  while (true) {
    pollfd waiting[] = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    poll(waiting, 2, -1);
    if (waiting[1].revents != 0) return;
    if ((waiting[0].revents & POLLIN) == 0) continue;
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    Answer(connection);
    close(connection);
  }
}

void MetricsPort::Answer(int connection) const {
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO})
    setsockopt(connection, SOL_SOCKET, option, &kPatience, sizeof kPatience);
  const std::string request = ReadRequest(connection);
  const bool asked = absl::StartsWith(request, "GET /metrics ") ||
                     absl::StartsWith(request, "GET /metrics?");
  const std::string body = asked ? render_() : "see /metrics\n";
  SendAll(connection,
          absl::StrCat("HTTP/1.1 ", asked ? "200 OK" : "404 Not Found",
                       "\r\nContent-Type: text/plain; version=0.0.4; "
                       "charset=utf-8\r\nContent-Length: ",
                       body.size(), "\r\nConnection: close\r\n\r\n", body));
}

}  // namespace amparo::broker

#include "proto/grpc/road.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "proto/network/host_port.h"

namespace amparo {
namespace {

constexpr size_t kAnswerBytesMax = 16 << 10;

absl::string_view Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsIn(absl::string_view list, absl::string_view host) {
  for (absl::string_view entry : absl::StrSplit(list, ',', absl::SkipEmpty()))
    if (absl::EndsWithIgnoreCase(host, entry)) return true;
  return false;
}

bool IsExempt(absl::string_view host) {
  const absl::string_view list = Environment("no_grpc_proxy");
  return IsIn(list.empty() ? Environment("no_proxy") : list, host);
}

// Whether the socket was ready for `events` in time.
bool Await(int fd, short events, absl::Time deadline) {
  pollfd wait = {fd, events, 0};
  for (;;) {
    const auto left = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left <= 0) return false;
    const int ready = poll(&wait, 1, static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

Road::End EndOf(int error) {
  switch (error) {
    case ECONNREFUSED:
      return Road::End::kNobodyListens;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
      return Road::End::kNoRoute;
    default:
      return Road::End::kSilence;
  }
}

Road::End ConnectOne(const addrinfo& to, absl::Time deadline,
                     std::optional<Socket>& out) {
  Socket socket(
      ::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) return EndOf(errno);
  if (connect(socket.fd(), to.ai_addr, to.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return EndOf(errno);
    if (!Await(socket.fd(), POLLOUT, deadline)) return Road::End::kSilence;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
      return EndOf(errno);
    if (error != 0) return EndOf(error);
  }
  out.emplace(std::move(socket));
  return Road::End::kThere;
}

Road::End Connect(const std::string& address, absl::Time deadline,
                  std::optional<Socket>& out) {
  const auto parts = ParseHostPort(address);
  if (!parts.ok()) return Road::End::kBadAddress;
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(parts->host.c_str(), absl::StrCat(parts->port).c_str(),
                  &hints, &found) != 0)
    return Road::End::kNoSuchName;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found,
                                                             freeaddrinfo);
  return ConnectToAny(found, deadline, out);
}

// The head of the proxy's answer; shorter when it said no more in time.
std::string ReadHead(int fd, absl::Time deadline) {
  std::string head;
  std::array<char, 1024> part;
  while (!absl::StrContains(head, "\r\n\r\n") &&
         head.size() < kAnswerBytesMax) {
    if (!Await(fd, POLLIN, deadline)) break;
    const ssize_t got = recv(fd, part.data(), part.size(), 0);
    if (got <= 0) break;
    head.append(part.data(), static_cast<size_t>(got));
  }
  return head;
}

// 0 when that is no answer in HTTP.
int HttpStatusOf(absl::string_view head) {
  int status = 0;
  const bool is_http = absl::ConsumePrefix(&head, "HTTP/1.") &&
                       head.size() >= 5 && head[1] == ' ' &&
                       absl::SimpleAtoi(head.substr(2, 3), &status);
  return is_http ? status : 0;
}

void AskProxy(const std::string& address, absl::Time deadline, Road& road) {
  const int fd = road.socket->fd();
  std::string request =
      absl::StrCat("CONNECT ", address, " HTTP/1.0\r\nHost: ", address, "\r\n");
  if (!road.proxy->credentials.empty())
    absl::StrAppend(&request, "Proxy-Authorization: Basic ",
                    absl::Base64Escape(road.proxy->credentials), "\r\n");
  request += "\r\n";
  const ssize_t sent = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  const std::string head = sent == static_cast<ssize_t>(request.size())
                               ? ReadHead(fd, deadline)
                               : "";
  road.http_status = HttpStatusOf(head);
  road.end = road.http_status / 100 == 2 ? Road::End::kThere
             : road.http_status == 0     ? Road::End::kNoProxy
                                         : Road::End::kProxyRefuses;
}

}  // namespace

std::optional<Proxy> ProxyFor(absl::string_view host) {
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    absl::string_view url = Environment(name);
    if (url.empty()) continue;
    // Of another scheme, gRPC takes none at all.
    if (!absl::ConsumePrefix(&url, "http://") || IsExempt(host))
      return std::nullopt;
    url = url.substr(0, url.find_first_of("/?#"));
    Proxy proxy{name, "", ""};
    if (const size_t at = url.rfind('@'); at != absl::string_view::npos) {
      proxy.credentials = std::string(url.substr(0, at));
      url.remove_prefix(at + 1);
    }
    proxy.address = std::string(url);
    // gRPC's default for what it resolves.
    if (!ParseHostPort(proxy.address).ok()) proxy.address += ":443";
    return proxy;
  }
  return std::nullopt;
}

std::string UnusedProxy(absl::string_view host) {
  if (ProxyFor(host) || IsExempt(host)) return "";
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy"})
    if (!Environment(name).empty())
      return absl::StrCat(name,
                          " is set, but not used: of proxies only "
                          "http://HOST:PORT is known");
  for (const auto& [capitals, name] : {std::pair("HTTPS_PROXY", "https_proxy"),
                                       std::pair("HTTP_PROXY", "http_proxy")})
    if (!Environment(capitals).empty() && !IsIn(Environment("NO_PROXY"), host))
      return absl::StrCat(capitals, " is set, but only ", name,
                          ", in small letters, is read");
  return "";
}

Road::End ConnectToAny(const addrinfo* addresses, absl::Time deadline,
                       std::optional<Socket>& out) {
  int left = 0;
  for (const addrinfo* one = addresses; one != nullptr; one = one->ai_next)
    ++left;
  Road::End end = Road::End::kSilence;
  for (const addrinfo* one = addresses; one != nullptr; one = one->ai_next) {
    const absl::Time now = absl::Now();
    end = ConnectOne(*one, now + (deadline - now) / left--, out);
    if (end == Road::End::kThere) break;
  }
  return end;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

Road GoTo(const std::string& address, absl::Time deadline) {
  Road road;
  const auto parts = ParseHostPort(address);
  if (!parts.ok()) {
    road.end = Road::End::kBadAddress;
    return road;
  }
  road.proxy = ProxyFor(parts->host);
  road.end = Connect(road.proxy ? road.proxy->address : address, deadline,
                     road.socket);
  if (road.end == Road::End::kThere && road.proxy)
    AskProxy(address, deadline, road);
  if (road.end != Road::End::kThere) road.socket.reset();
  return road;
}

}  // namespace amparo

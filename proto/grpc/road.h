#pragma once

#include <netdb.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace amparo {

// A proxy of the environment, as gRPC chooses it: grpc_proxy, https_proxy,
// http_proxy, unless no_grpc_proxy or no_proxy ends like the host.
struct Proxy {
  std::string variable;     // that names it
  std::string address;      // host:port
  std::string credentials;  // user:password, or empty
};
std::optional<Proxy> ProxyFor(absl::string_view host);

// What the environment names as a proxy and gRPC does not read: a variable in
// capitals, or an address without http://. What to do about it, for people; ""
// when there is none, and when a proxy is used.
std::string UnusedProxy(absl::string_view host);

// A connected TCP socket; closed at its end.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// The road to an address: to it, or to a proxy and through that.
struct Road {
  enum class End {
    kThere,
    kBadAddress,     // not host:port
    kNoSuchName,     // DNS does not know the host
    kNobodyListens,  // the host refuses the port
    kNoRoute,        // this machine knows no way to the host
    kSilence,        // nothing came back in time
    kProxyRefuses,   // the proxy answered otherwise than 2xx
    kNoProxy,        // what listens there speaks no HTTP, or says nothing
  };
  End end = End::kSilence;
  std::optional<Proxy> proxy;  // through which; the faults before kProxyRefuses
                               // are then of the way to it
  int http_status = 0;         // kProxyRefuses
  std::optional<Socket> socket;  // kThere; it does not block
};
// A connection to the first of `addresses`, one after another, that takes one.
// Each may take its share of the time until `deadline`: a dead one leaves the
// others theirs. What the last one said, where none does.
Road::End ConnectToAny(const addrinfo* addresses, absl::Time deadline,
                       std::optional<Socket>& out);

// Blocks, at most until `deadline` (but for DNS).
Road GoTo(const std::string& address, absl::Time deadline);

}  // namespace amparo

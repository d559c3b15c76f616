#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace amparo {

struct HttpAnswer {
  unsigned status = 404;
  std::string content_type = "text/plain; charset=utf-8";
  std::string cache_control = "no-store";
  std::string body = "not found\n";
};

// Answers GET and HEAD, and POST where asked to, over HTTP/1.1 on one address,
// in the clear: metrics for this machine, the public part of the log for
// everybody, a witness for brokers. Parsing is libmicrohttpd's; what a stranger
// may take is bounded here. Serves, on one thread of its own, until destroyed.
class HttpPort {
 public:
  struct Limits {
    unsigned connections_max = 64;
    unsigned connections_per_address_max = 32;
    size_t request_bytes_max = 8192;  // its line and headers
    size_t body_bytes_max = 0;        // of a POST
    absl::Duration idle = absl::Seconds(10);
    // Of a connection, whatever goes on in it: who sends a byte now and then
    // keeps nobody else out for longer.
    absl::Duration life = absl::Seconds(60);
  };
  // From the path as it was sent, without its query: nothing is unescaped.
  using Answerer = std::function<HttpAnswer(absl::string_view path)>;
  // The same for what was posted, whole and within its limit.
  using Taker =
      std::function<HttpAnswer(absl::string_view path, absl::string_view body)>;

  // `key` of the configuration stands in the error: UNAVAILABLE when `listen`
  // (host:port, host an IP address or localhost) cannot be had. `answer`
  // and `take` are called on the port's own thread; without `take` a POST is
  // refused. One that does not say its length is in any case.
  static absl::StatusOr<std::unique_ptr<HttpPort>> Open(
      const std::string& listen, const char* key, const Limits& limits,
      Answerer answer, Taker take = nullptr);
  ~HttpPort();
  HttpPort(const HttpPort&) = delete;
  HttpPort& operator=(const HttpPort&) = delete;

  const std::string& address() const { return address_; }  // with its port

 private:
  struct Server;
  HttpPort(std::unique_ptr<Server> server, std::string address);

  const std::unique_ptr<Server> server_;
  const std::string address_;
};

}  // namespace amparo

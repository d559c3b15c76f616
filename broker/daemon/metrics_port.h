#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace amparo::broker {

// Answers GET /metrics over HTTP/1.1 on one address, one caller after another:
// what a scraper on the same machine needs, and no more. Serves until
// destroyed.
class MetricsPort {
 public:
  // `render` makes the text, on the port's own thread. UNAVAILABLE when
  // `listen` (host:port, host an IP address or localhost) cannot be had.
  static absl::StatusOr<std::unique_ptr<MetricsPort>> Open(
      const std::string& listen, std::function<std::string()> render);
  ~MetricsPort();
  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;

  const std::string& address() const { return address_; }  // with its port

 private:
  MetricsPort(int listener, int wake, std::string address,
              std::function<std::string()> render);
  void Run();
  void Answer(int connection) const;

  const int listener_;
  const int wake_;  // eventfd: written once, to end
  const std::string address_;
  const std::function<std::string()> render_;
  std::thread thread_;
};

}  // namespace amparo::broker

#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace amparo {

// POSTs to servers that nobody trusts, over HTTP/1.1, in the clear or with TLS.
// What comes back is bounded in size and time; no redirect is followed, no
// cookie kept, no proxy of the environment asked. The connection stays open for
// the next one. One thread at a time, but for Stop.
class HttpClient {
 public:
  struct Limits {
    size_t answer_bytes_max = 16 << 10;  // of the body, and of the headers
    absl::Duration patience = absl::Seconds(10);  // for the whole of it
  };
  // `ca_file`: PEM certificates to trust instead of the system's; empty: those.
  HttpClient(std::string ca_file, const Limits& limits);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  struct Answer {
    unsigned status = 0;
    std::string body;
  };
  // `url`: http:// or https://. DEADLINE_EXCEEDED (code "timed_out"),
  // RESOURCE_EXHAUSTED ("too_large"), UNAUTHENTICATED ("tls": not who the
  // certificate should say), CANCELLED ("stopped"), UNAVAILABLE
  // ("unreachable") for everything else.
  absl::StatusOr<Answer> Post(const std::string& url, const std::string& body);

  // Ends the call under way within a second, and every later one at once.
  void Stop() { stopped_ = true; }

 private:
  struct Call;
  const std::string ca_file_;
  const Limits limits_;
  std::atomic<bool> stopped_ = false;
  void* const handle_;
};

}  // namespace amparo

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/grpc/unary.h"

namespace amparo::broker {

// What is read at each scrape: counts only.
struct BrokerGauges {
  double log_entries = 0;
  double checkpoint_entries = 0;
  double subscriptions = 0;
  double charter_version = 0;
  double certificate_expires_s = 0;  // Unix time
  bool ledger_open = false;
};

// Prometheus metrics over HTTP on a loopback port: counts and durations, never
// an id. Thread-safe.
class Metrics final : public CallObserver {
 public:
  // `read` is called at each scrape, on a thread of its own.
  explicit Metrics(std::function<BrokerGauges()> read);
  ~Metrics() override;

  // Serves /metrics at `listen` (host:port, 0: the kernel chooses). The
  // address in use; UNAVAILABLE when it cannot be had.
  absl::StatusOr<std::string> Serve(const std::string& listen);
  // No scrape runs after it returned.
  void StopServing();

  void OnEnd(const char* method, absl::StatusCode code,
             absl::Duration took) override;
  // The text that a scrape gets.
  std::string Render() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace amparo::broker

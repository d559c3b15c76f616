#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "proto/grpc/unary.h"
#include "proto/http/http_port.h"

namespace amparo::broker {

// What is read at each scrape: counts only.
struct BrokerGauges {
  double log_entries = 0;
  double checkpoint_entries = 0;
  double witnessed_entries = 0;
  double outside_witnesses = 0;
  double outside_witnesses_silent = 0;
  double subscriptions = 0;
  double charter_version = 0;
  double certificate_expires_s = 0;  // Unix time
  bool ledger_open = false;
};

// Prometheus metrics: counts and durations, never an id. Thread-safe.
class Metrics final : public CallObserver {
 public:
  // `read` is called by Render.
  explicit Metrics(std::function<BrokerGauges()> read);
  ~Metrics() override;

  void OnEnd(const char* method, absl::StatusCode code,
             absl::Duration took) override;
  // What a scrape gets, in Prometheus' text format.
  std::string Render() const;
  // The same as the page /metrics; no other is there.
  HttpAnswer Page(absl::string_view path) const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace amparo::broker

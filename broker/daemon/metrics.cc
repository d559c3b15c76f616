#include "broker/daemon/metrics.h"

#include <map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "prometheus/metric_family.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace amparo::broker {
namespace {

// Seconds; a durable submit takes some milliseconds.
const prometheus::Histogram::BucketBoundaries kBuckets = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5};

prometheus::MetricFamily Gauge(const char* name, const char* help,
                               double value) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  return {name, help, prometheus::MetricType::Gauge, {std::move(metric)}};
}

// Reads the gauges when it is asked.
class GaugeReader final : public prometheus::Collectable {
 public:
  explicit GaugeReader(std::function<BrokerGauges()> read)
      : read_(std::move(read)) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    const BrokerGauges gauges = read_();
    return {
        Gauge("amparo_log_entries", "Entries in the log.", gauges.log_entries),
        Gauge("amparo_checkpoint_entries",
              "Entries under the newest signed checkpoint.",
              gauges.checkpoint_entries),
        Gauge("amparo_witnessed_entries",
              "Entries under the newest checkpoint with a quorum.",
              gauges.witnessed_entries),
        Gauge("amparo_outside_witnesses",
              "Witnesses from outside that are asked.",
              gauges.outside_witnesses),
        Gauge("amparo_outside_witnesses_silent",
              "Those whose last answer was of no use, or did not come.",
              gauges.outside_witnesses_silent),
        Gauge("amparo_subscriptions", "Open subscriptions to mailboxes.",
              gauges.subscriptions),
        Gauge("amparo_charter_version", "Version of the charter in force.",
              gauges.charter_version),
        Gauge("amparo_certificate_expires_seconds",
              "End of the server certificate, Unix time.",
              gauges.certificate_expires_s),
        Gauge("amparo_ledger_open", "1 while the ledger takes writes.",
              gauges.ledger_open ? 1 : 0),
    };
  }

 private:
  const std::function<BrokerGauges()> read_;
};

}  // namespace

struct Metrics::State {
  explicit State(std::function<BrokerGauges()> read)
      : gauges(std::make_shared<GaugeReader>(std::move(read))) {}

  const std::shared_ptr<GaugeReader> gauges;
  const std::shared_ptr<prometheus::Registry> registry =
      std::make_shared<prometheus::Registry>();
  prometheus::Family<prometheus::Counter>& calls =
      prometheus::BuildCounter()
          .Name("amparo_calls_total")
          .Help("Calls that ended, by method and status code.")
          .Register(*registry);
  prometheus::Family<prometheus::Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("amparo_call_seconds")
          .Help("Time from the arrival of a call to its answer.")
          .Register(*registry);

  // A family finds its members by text; calls are too many for that.
  Mutex mutex;
  std::map<std::pair<const char*, absl::StatusCode>, prometheus::Counter*>
      counters ABSL_GUARDED_BY(mutex);
  std::map<const char*, prometheus::Histogram*> histograms
      ABSL_GUARDED_BY(mutex);
};

Metrics::Metrics(std::function<BrokerGauges()> read)
    : state_(std::make_unique<State>(std::move(read))) {}

Metrics::~Metrics() = default;

void Metrics::OnEnd(const char* method, absl::StatusCode code,
                    absl::Duration took) {
  prometheus::Counter* counter;
  prometheus::Histogram* histogram;
  {
    MutexLock lock(state_->mutex);
    prometheus::Counter*& known_counter = state_->counters[{method, code}];
    if (known_counter == nullptr)
      known_counter = &state_->calls.Add(
          {{"method", method}, {"code", absl::StatusCodeToString(code)}});
    prometheus::Histogram*& known_histogram = state_->histograms[method];
    if (known_histogram == nullptr)
      known_histogram = &state_->durations.Add({{"method", method}}, kBuckets);
    counter = known_counter;
    histogram = known_histogram;
  }
  counter->Increment();
  histogram->Observe(absl::ToDoubleSeconds(took));
}

std::string Metrics::Render() const {
  std::vector<prometheus::MetricFamily> families = state_->registry->Collect();
  for (prometheus::MetricFamily& family : state_->gauges->Collect())
    families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

HttpAnswer Metrics::Page(absl::string_view path) const {
  HttpAnswer answer;
  if (path != "/metrics") {
    answer.body = "see /metrics\n";
    return answer;
  }
  answer.status = 200;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = Render();
  return answer;
}

}  // namespace amparo::broker

#include "broker/daemon/metrics.h"

#include "absl/strings/match.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

TEST(Metrics, CountsCallsByMethodAndCode) {
  Metrics metrics([] { return BrokerGauges{.log_entries = 42}; });
  metrics.OnEnd("Submit", absl::StatusCode::kOk, absl::Milliseconds(3));
  metrics.OnEnd("Submit", absl::StatusCode::kOk, absl::Milliseconds(4));
  metrics.OnEnd("Submit", absl::StatusCode::kPermissionDenied,
                absl::Milliseconds(1));
  const std::string text = metrics.Render();
  EXPECT_TRUE(absl::StrContains(
      text, "amparo_calls_total{code=\"OK\",method=\"Submit\"} 2"))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "code=\"PERMISSION_DENIED\""));
  EXPECT_TRUE(absl::StrContains(text, "amparo_call_seconds_count"));
  EXPECT_TRUE(absl::StrContains(text, "amparo_log_entries 42"));
}

TEST(Metrics, AreOnePageAndNoOther) {
  const Metrics metrics([] { return BrokerGauges(); });
  const HttpAnswer page = metrics.Page("/metrics");
  EXPECT_EQ(page.status, 200u);
  EXPECT_TRUE(absl::StrContains(page.body, "amparo_log_entries"));
  for (const char* other : {"/", "", "/metricsx", "/metrics/", "//metrics"})
    EXPECT_EQ(metrics.Page(other).status, 404u) << other;
}

}  // namespace
}  // namespace amparo::broker

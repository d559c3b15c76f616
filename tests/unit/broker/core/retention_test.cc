#include "broker/core/retention.h"

#include "proto/envelope/limits.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

TEST(Retention, LogsTheExpiryOfWhatWasNotDelivered) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto lost = broker.Send("clinic-a", "clinic-b");
  const auto read = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", read)));
  broker.clock().Set(lost.envelope.header.expires - absl::Seconds(1));
  EXPECT_FALSE(VALUE_OF(broker.retention().Step()));
  EXPECT_EQ(broker.leaf_count(), 3u);
  broker.clock().Advance(absl::Seconds(1));
  EXPECT_FALSE(VALUE_OF(broker.retention().Step()));
  EXPECT_EQ(broker.leaf_count(), 4u);

  // Both ends hear of it; the ciphertext is gone.
  for (const char* name : {"clinic-a", "clinic-b"}) {
    const auto items = broker.Fetch(name, read.receipt.leaf);
    ASSERT_FALSE(items.empty()) << name;
    EXPECT_EQ(std::get<ExpiryEvent>(items.back().item.event).digest,
              EnvelopeDigest(lost.envelope));
  }
  EXPECT_EQ(VALUE_OF(broker.store().FindEnvelope(lost.receipt.leaf)).state,
            EnvelopeState::kExpired);
  EXPECT_EQ(VALUE_OF(broker.store().PendingCount(broker.Id("clinic-b"))), 0u);
  EXPECT_FALSE(VALUE_OF(broker.retention().Step()));
  EXPECT_EQ(broker.leaf_count(), 4u);
}

TEST(Retention, SweepsNoticesThatAreOldButNoPendingEnvelope) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto read = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", read)));
  EXPECT_EQ(broker.Fetch("clinic-a").size(), 1u);
  broker.clock().Advance(RetentionPeriods().message - absl::Hours(1));
  EXPECT_OK(broker.PublishKeyEvent(
      "clinic-b", broker.member("clinic-b")
                      .NewPrekey(broker.charter(), broker.clock().Now())));
  const auto young = broker.Send("clinic-a", "clinic-b");
  broker.clock().Advance(absl::Hours(2));
  EXPECT_OK(broker.retention().Step());
  EXPECT_TRUE(broker.Fetch("clinic-a").empty());
  ASSERT_EQ(broker.Fetch("clinic-b").size(), 1u);
  EXPECT_EQ(broker.Fetch("clinic-b")[0].receipt.leaf, young.receipt.leaf);
}

TEST(Retention, ForgetsOpeningsAtTheEndOfTheirTimeAndKeepsTheLog) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)));
  broker.clock().Advance(RetentionPeriods().opening + absl::Hours(1));
  EXPECT_OK(broker.retention().Step());
  EXPECT_THAT(broker.store().GetOpening(sent.receipt.leaf),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.store().FindEnvelope(sent.receipt.leaf),
              StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(VALUE_OF(broker.store().Entries(sent.receipt.leaf, 10)).size(), 2u);
}

}  // namespace
}  // namespace amparo::broker

#include "broker/core/relay.h"

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "broker/store/memory_store.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/recall.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

TEST(Relay, DeliversAnAcceptedEnvelopeToItsRecipient) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  const LeafReceipt receipt = VALUE_OF(broker.Accept("clinic-a", envelope));

  const std::vector<Delivery> inbox = broker.Fetch("clinic-b");
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0].receipt.leaf, receipt.leaf);
  EXPECT_EQ(inbox[0].receipt.signature, receipt.signature);
  EXPECT_EQ(inbox[0].item.enc, envelope.enc);
  EXPECT_EQ(AsText(envelope.ciphertext), inbox[0].item.ciphertext);
  const auto& event = std::get<EnvelopeEvent>(inbox[0].item.event);
  EXPECT_EQ(event.header, envelope.header_bytes);
  EXPECT_EQ(event.signature, envelope.signature);
  EXPECT_TRUE(broker.Fetch("clinic-a").empty());
  EXPECT_EQ(broker.leaf_count(), 1u);
}

}  // namespace
}  // namespace amparo::broker

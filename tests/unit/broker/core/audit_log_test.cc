#include "broker/core/audit_log.h"

#include <vector>

#include "crypto/merkle.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

TEST(AuditLog, ServesTilesAndEntriesThatMakeTheRoot) {
  BrokerFixture broker({"clinic-a", "clinic-b"}, nullptr,
                       {.member_rate_per_s = 100000});
  for (int i = 0; i < 270; ++i) broker.Send("clinic-a", "clinic-b");
  const LogHead head = broker.store().Head();
  CompactRange range;
  for (LeafIndex at(0); at.value() < head.range.size().value();) {
    const auto page = VALUE_OF(broker.audit_log().Entries(at, 100));
    for (const Bytes& entry : page) range.Append(LeafHash(entry));
    at = LeafIndex(at.value() + page.size());
  }
  EXPECT_EQ(range.Root(), head.range.Root());
  for (const TileId& tile : AllTiles(head.range.size())) {
    const Bytes bytes = VALUE_OF(broker.audit_log().Tile(tile));
    EXPECT_OK(DecodeTile(bytes, tile.width));
  }
  EXPECT_THAT(
      broker.audit_log().Entries(LeafIndex(head.range.size().value()), 1),
      StatusIs(StatusCode::kOutOfRange));
}

TEST(AuditLog, RefusesTilesThatTheTreeDoesNotHave) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const uint32_t size =
      static_cast<uint32_t>(broker.store().Head().range.size().value());
  EXPECT_OK(broker.audit_log().Tile({0, 0, size}));
  EXPECT_THAT(broker.audit_log().Tile({0, 0, size + 1}),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.audit_log().Tile({1, 0, 1}),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.audit_log().Tile({0, 0, 0}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(broker.audit_log().Tile({0, 0, 257}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(broker.audit_log().Tile({64, 0, 1}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(broker.audit_log().Entries(LeafIndex(0), 0),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(broker.audit_log().Document(Sha256("none")),
              StatusIs(StatusCode::kNotFound));
}

TEST(AuditLog, ShowsOpeningsToTheirPartiesAndTheAuditorAlone) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c", "auditor"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)));
  const auto between_others = broker.Send("clinic-b", "clinic-c");
  EXPECT_OK(broker.Recall(
      "clinic-b", broker.RecallOf("clinic-b", between_others.envelope)));
  const LeafIndex end(broker.store().Head().range.size().value());
  const auto count = [&](absl::string_view peer) {
    const auto page = VALUE_OF(
        broker.audit_log().Openings(broker.Id(peer), LeafIndex(0), end));
    EXPECT_EQ(page.next, end);
    return page.openings.size();
  };
  EXPECT_EQ(count("clinic-a"), 2u);
  EXPECT_EQ(count("clinic-b"), 4u);
  EXPECT_EQ(count("clinic-c"), 2u);
  EXPECT_EQ(count("auditor"), 4u);
  broker.SetStatus("auditor", MemberStatus::kSuspended);
  EXPECT_THAT(
      broker.audit_log().Openings(broker.Id("auditor"), LeafIndex(0), end),
      StatusIs(StatusCode::kPermissionDenied));
}

TEST(AuditLog, OpeningsFitTheirLeaves) {
  BrokerFixture broker({"clinic-a", "clinic-b", "auditor"});
  broker.Send("clinic-a", "clinic-b");
  const auto page = VALUE_OF(broker.audit_log().Openings(
      broker.Id("auditor"), LeafIndex(0), LeafIndex(1000)));
  ASSERT_EQ(page.openings.size(), 1u);
  const Opening& opening = page.openings[0];
  const LogEntry entry = VALUE_OF(
      DecodeLogEntry(VALUE_OF(broker.audit_log().Entries(opening.leaf, 1))[0]));
  EXPECT_EQ(std::get<CommitmentEntry>(entry.content).commitment,
            LeafCommitment(opening.salt, opening.event));
}

}  // namespace
}  // namespace amparo::broker

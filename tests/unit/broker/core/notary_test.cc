#include "broker/core/notary.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "crypto/checkpoint.h"
#include "proto/envelope/erasure.h"
#include "proto/envelope/limits.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

// --- Anchors.

TEST(Notary, DatesADocumentAndGivesARepetitionTheFirstLeaf) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const SignedAnchor anchor =
      broker.member("clinic-a")
          .NewAnchor(broker.charter(), broker.clock().Now());
  const LeafReceipt receipt = VALUE_OF(broker.LogAnchor("clinic-a", anchor));
  const Bytes event =
      EncodeAuditEvent(AnchorEvent{anchor.anchor_bytes, anchor.signature});
  EXPECT_OK(VerifyLeafReceipt(receipt, broker.charter().network_id, event,
                              broker.log_key().verify_key()));
  broker.clock().Advance(absl::Hours(30));
  EXPECT_EQ(VALUE_OF(broker.LogAnchor("clinic-a", anchor)).leaf, receipt.leaf);
  EXPECT_EQ(broker.leaf_count(), 1u);
}

TEST(Notary, RefusesAnAnchorThatIsNotTheCallersOwn) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const absl::Time now = broker.clock().Now();
  const SignedAnchor of_a =
      broker.member("clinic-a").NewAnchor(broker.charter(), now);
  EXPECT_THAT(broker.LogAnchor("clinic-b", of_a),
              StatusIs(StatusCode::kPermissionDenied));
  Anchor claimed = of_a.anchor;
  claimed.member = broker.Id("clinic-b");
  EXPECT_THAT(
      broker.LogAnchor(
          "clinic-b", SignAnchor(claimed, broker.member("clinic-a").signing())),
      StatusIs(StatusCode::kPermissionDenied));
  SignedAnchor stale = of_a;
  stale.anchor.created = now - kCreatedBefore - absl::Seconds(1);
  EXPECT_THAT(broker.LogAnchor("clinic-a",
                               SignAnchor(stale.anchor,
                                          broker.member("clinic-a").signing())),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(broker.leaf_count(), 0u);
}

// --- Checkpoints of access logs.

std::string AccessNote(const std::string& origin, const SigningKey& key) {
  return VALUE_OF(SignCheckpoint(
      {origin, TreeSize(3), Sha256("root of an access log"), {}}, key));
}

std::string AccessOrigin(const BrokerFixture& broker, const char* member) {
  return absl::StrCat(broker.charter().charter.network, "/access/", member);
}

absl::StatusOr<LeafReceipt> LogAccess(BrokerFixture& broker,
                                      absl::string_view peer,
                                      const std::string& note) {
  return WaitFor([&](Done done) {
    broker.notary().LogAccessCheckpoint(broker.Id(peer), note, std::move(done));
  });
}

TEST(Notary, LogsACheckpointOfTheCallersAccessLog) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const std::string note = AccessNote(AccessOrigin(broker, "clinic-a"),
                                      broker.member("clinic-a").signing());
  const LeafReceipt receipt = VALUE_OF(LogAccess(broker, "clinic-a", note));
  EXPECT_EQ(VALUE_OF(LogAccess(broker, "clinic-a", note)).leaf, receipt.leaf);
  EXPECT_THAT(LogAccess(broker, "clinic-b", note),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(LogAccess(broker, "clinic-a", "not a note"),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(LogAccess(broker, "clinic-a", std::string(5000, 'x')),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(broker.leaf_count(), 1u);
}

TEST(Notary, AttackACheckpointUnderAnothersNameIsNotLogged) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const SigningKey& key = broker.member("clinic-a").signing();
  for (const std::string& origin :
       {AccessOrigin(broker, "clinic-b"), std::string("access-log/clinic-a"),
        absl::StrCat("x", AccessOrigin(broker, "clinic-a")),
        absl::StrCat(AccessOrigin(broker, "clinic-a"), "/"),
        broker.charter().charter.network})
    EXPECT_THAT(LogAccess(broker, "clinic-a", AccessNote(origin, key)),
                StatusIs(StatusCode::kPermissionDenied))
        << origin;
  EXPECT_EQ(broker.leaf_count(), 0u);
}

// --- Erasures.

std::string ErasureBy(BrokerFixture& broker, absl::string_view name,
                      std::vector<LeafIndex> leaves) {
  return broker.member(name).ErasureOf(leaves, broker.charter(),
                                       broker.clock().Now());
}

TEST(Notary, ErasesAnOpeningOnceBothEndsAskedForIt) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)));
  EXPECT_OK(broker.LogErasure(
      "clinic-a", ErasureBy(broker, "clinic-a", {sent.receipt.leaf})));
  EXPECT_OK(broker.store().GetOpening(sent.receipt.leaf));
  EXPECT_OK(broker.LogErasure(
      "clinic-b", ErasureBy(broker, "clinic-b", {sent.receipt.leaf})));
  EXPECT_THAT(broker.store().GetOpening(sent.receipt.leaf),
              StatusIs(StatusCode::kNotFound));
  // Nothing is left that says who wrote to whom; the log still has its leaf.
  EXPECT_THAT(broker.store().FindEnvelope(sent.receipt.leaf),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.store().FindEnvelope(broker.Id("clinic-a"),
                                          sent.envelope.header.envelope_id),
              StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(VALUE_OF(broker.store().Entries(sent.receipt.leaf, 1)).size(), 1u);
}

TEST(Notary, ErasesAtOnceWhatConcernsTheCallerAlone) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const LeafReceipt anchor = VALUE_OF(broker.LogAnchor(
      "clinic-a", broker.member("clinic-a")
                      .NewAnchor(broker.charter(), broker.clock().Now())));
  const std::string token = ErasureBy(broker, "clinic-a", {anchor.leaf});
  const LeafReceipt erased = VALUE_OF(broker.LogErasure("clinic-a", token));
  EXPECT_THAT(broker.store().GetOpening(anchor.leaf),
              StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(VALUE_OF(broker.LogErasure("clinic-a", token)).leaf, erased.leaf);
}

TEST(Notary, ErasesForACaseOpenerThirtyDaysAfterAsking) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)));
  const auto as_opener = [&] {
    return SignErasure({broker.charter().network_id,
                        broker.Id("clinic-a"),
                        broker.clock().Now(),
                        ErasureAuthority::kCaseOpener,
                        {sent.receipt.leaf}},
                       broker.member("clinic-a").signing());
  };
  EXPECT_OK(broker.LogErasure("clinic-a", as_opener()));
  broker.clock().Advance(absl::Hours(29 * 24));
  EXPECT_OK(broker.LogErasure("clinic-a", as_opener()));
  EXPECT_OK(broker.store().GetOpening(sent.receipt.leaf));
  broker.clock().Advance(absl::Hours(25));
  EXPECT_OK(broker.LogErasure("clinic-a", as_opener()));
  EXPECT_THAT(broker.store().GetOpening(sent.receipt.leaf),
              StatusIs(StatusCode::kNotFound));
}

TEST(Notary, ErasesNothingThatIsPendingOrForeign) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_THAT(broker.LogErasure("clinic-a", ErasureBy(broker, "clinic-a",
                                                      {sent.receipt.leaf})),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(broker.LogErasure("clinic-c", ErasureBy(broker, "clinic-c",
                                                      {sent.receipt.leaf})),
              StatusIs(StatusCode::kNotFound));
  // In another's name, and brought by another.
  const std::string of_a = ErasureBy(broker, "clinic-a", {sent.receipt.leaf});
  EXPECT_THAT(broker.LogErasure("clinic-c", of_a),
              StatusIs(StatusCode::kPermissionDenied));
  Erasure claimed = VALUE_OF(PeekErasure(of_a));
  EXPECT_THAT(broker.LogErasure(
                  "clinic-a",
                  SignErasure(claimed, broker.member("clinic-c").signing())),
              StatusIs(StatusCode::kPermissionDenied));
  // A charter's leaf has no opening.
  EXPECT_THAT(broker.LogErasure("clinic-a",
                                ErasureBy(broker, "clinic-a", {LeafIndex(0)})),
              StatusIs(StatusCode::kNotFound));
  EXPECT_OK(broker.store().GetOpening(sent.receipt.leaf));
  EXPECT_EQ(broker.leaf_count(), 1u);
}

// --- Key events.

TEST(Notary, PublishesAKeyThatCountsFromItsLeafOn) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope by_old_key = broker.EnvelopeFrom("clinic-a", "clinic-b");
  EXPECT_OK(broker.PublishKeyEvent(
      "clinic-a", broker.member("clinic-a")
                      .NewSigningKey(broker.charter(), broker.clock().Now())));
  EXPECT_THAT(broker.Accept("clinic-a", by_old_key),
              StatusIs(StatusCode::kPermissionDenied));
  broker.Send("clinic-a", "clinic-b");
  broker.Restart();
  broker.Send("clinic-a", "clinic-b");
}

TEST(Notary, RefusesASecondKeyEventForASeq) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  TestMember& member = broker.member("clinic-a");
  const std::string first =
      member.NewPrekey(broker.charter(), broker.clock().Now());
  const LeafReceipt receipt =
      VALUE_OF(broker.PublishKeyEvent("clinic-a", first));
  EXPECT_EQ(VALUE_OF(broker.PublishKeyEvent("clinic-a", first)).leaf,
            receipt.leaf);

  KeyEvent second = VALUE_OF(PeekKeyEvent(first));
  second.key = OpeningKey::Generate().sealing_key();
  const absl::Status status =
      broker.PublishKeyEvent("clinic-a", SignKeyEvent(second, member.signing()))
          .status();
  EXPECT_THAT(status, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(ErrorCodeOf(status), "conflict");
  EXPECT_EQ(broker.leaf_count(), 1u);
  EXPECT_FALSE(
      broker.directory().Current()->keys.IsFrozen(broker.Id("clinic-a")));
}

TEST(Notary, RefusesAKeyEventThatIsNotTheCallersOwn) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const std::string event =
      broker.member("clinic-a")
          .NewPrekey(broker.charter(), broker.clock().Now());
  EXPECT_THAT(broker.PublishKeyEvent("clinic-b", event),
              StatusIs(StatusCode::kPermissionDenied));
  KeyEvent ghost = VALUE_OF(PeekKeyEvent(event));
  EXPECT_THAT(
      broker.PublishKeyEvent(
          "clinic-a", SignKeyEvent(ghost, broker.member("clinic-b").signing())),
      StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(broker.leaf_count(), 0u);
}

}  // namespace
}  // namespace amparo::broker

#include "broker/core/relay.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/random.h"
#include "proto/envelope/limits.h"
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

TEST(Relay, SignsAReceiptThatOpensTheLeaf) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  const LeafReceipt receipt = VALUE_OF(broker.Accept("clinic-a", envelope));
  const Bytes event = EncodeAuditEvent(EnvelopeEvent{
      envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
      envelope.signature});
  const LogEntry entry =
      VALUE_OF(VerifyLeafReceipt(receipt, broker.charter().network_id, event,
                                 broker.log_key().verify_key()));
  const std::vector<Bytes> logged =
      VALUE_OF(broker.store().Entries(receipt.leaf, 1));
  ASSERT_EQ(logged.size(), 1u);
  EXPECT_EQ(logged[0], EncodeLogEntry(entry));
}

// --- What is refused, and leaves no trace.

TEST(Relay, RefusesAnEnvelopeSignedByAnotherInstitution) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  EXPECT_THAT(broker.Accept("clinic-c", envelope),
              StatusIs(StatusCode::kPermissionDenied));

  Envelope forged = broker.EnvelopeFrom("clinic-a", "clinic-b");
  broker.member("clinic-c").SignAgain(forged);  // by another key, and says so
  EXPECT_THAT(broker.Accept("clinic-a", forged),
              StatusIs(StatusCode::kPermissionDenied));

  forged.header.sender_kid =
      broker.member("clinic-c").signing().verify_key().Thumbprint();
  broker.member("clinic-c").SignAgain(forged);
  EXPECT_THAT(broker.Accept("clinic-a", forged),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(broker.leaf_count(), 0u);
  EXPECT_TRUE(broker.Fetch("clinic-b").empty());
}

struct HeaderCase {
  std::string name;
  std::function<void(BrokerFixture&, Envelope&)> change;
  StatusCode code;
  std::string field;
};

class RelayRefuses : public testing::TestWithParam<HeaderCase> {};

TEST_P(RelayRefuses, AHeaderThatDoesNotHold) {
  BrokerFixture broker({"clinic-a", "clinic-b", "auditor"});
  Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  GetParam().change(broker, envelope);
  broker.member("clinic-a").SignAgain(envelope);
  const uint64_t leaves_before = broker.leaf_count();
  const absl::Status status = broker.Accept("clinic-a", envelope).status();
  EXPECT_THAT(status, StatusIs(GetParam().code));
  ASSERT_TRUE(DetailOf(status).has_value()) << status;
  EXPECT_EQ(DetailOf(status)->field, GetParam().field);
  EXPECT_EQ(broker.leaf_count(), leaves_before);
  EXPECT_EQ(VALUE_OF(broker.store().PendingCount(broker.Id("clinic-b"))), 0u);
}

const MemberId kGhost = *MemberId::Parse("ghost");

INSTANTIATE_TEST_SUITE_P(
    Fields, RelayRefuses,
    testing::Values(
        HeaderCase{"OfAnotherNetwork",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.network_id = Digest(RandomArray<32>());
                   },
                   StatusCode::kPermissionDenied, "network_id"},
        HeaderCase{"OfASuiteThatIsNotAllowed",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.suite = 2;
                   },
                   StatusCode::kFailedPrecondition, "suite"},
        HeaderCase{"CreatedTooLongAgo",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.created -=
                         kCreatedBefore + absl::Seconds(1);
                     envelope.header.expires =
                         envelope.header.created + kEnvelopeLifeMax;
                   },
                   StatusCode::kFailedPrecondition, "created"},
        HeaderCase{"CreatedInTheFuture",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.created +=
                         kCreatedAfter + absl::Seconds(1);
                   },
                   StatusCode::kFailedPrecondition, "created"},
        HeaderCase{"ThatLivesTooLong",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.expires += absl::Seconds(1);
                   },
                   StatusCode::kInvalidArgument, "expires"},
        HeaderCase{"ThatIsOverAlready",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.expires = envelope.header.created;
                   },
                   StatusCode::kInvalidArgument, "expires"},
        HeaderCase{"UnderAnUnknownCharter",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.charter_hash = Digest(RandomArray<32>());
                   },
                   StatusCode::kFailedPrecondition, "charter_hash"},
        HeaderCase{"ForAGhostMember",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.recipient = kGhost;
                   },
                   StatusCode::kNotFound, "recipient"},
        HeaderCase{"ForAMemberWithoutMailbox",
                   [](BrokerFixture& broker, Envelope& envelope) {
                     envelope.header.recipient = broker.Id("auditor");
                   },
                   StatusCode::kNotFound, "recipient"},
        HeaderCase{"ForASuspendedMember",
                   [](BrokerFixture& broker, Envelope&) {
                     broker.SetStatus("clinic-b", MemberStatus::kSuspended);
                   },
                   StatusCode::kFailedPrecondition, "recipient"},
        HeaderCase{"ToAGhostPrekey",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.prekey_id = Digest(RandomArray<32>());
                   },
                   StatusCode::kFailedPrecondition, "prekey_id"},
        HeaderCase{"ToAnotherMembersPrekey",
                   [](BrokerFixture& broker, Envelope& envelope) {
                     envelope.header.prekey_id =
                         broker.member("clinic-a").prekey().Id();
                   },
                   StatusCode::kFailedPrecondition, "prekey_id"},
        HeaderCase{"WithoutAPlaceInItsLink",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.link_seq = 0;
                   },
                   StatusCode::kInvalidArgument, "link_seq"},
        HeaderCase{"BeyondEveryLink",
                   [](BrokerFixture&, Envelope& envelope) {
                     envelope.header.link_seq = kLinkMax + 1;
                   },
                   StatusCode::kInvalidArgument, "link_seq"},
        HeaderCase{"ThatLiesAboutItsSize",
                   [](BrokerFixture&, Envelope& envelope) {
                     ++envelope.header.ciphertext_bytes;
                   },
                   StatusCode::kInvalidArgument, "ciphertext_bytes"}),
    [](const auto& param) { return param.param.name; });

TEST(Relay, TakesWhatLiesWithinTheFreshnessWindow) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  for (const absl::Duration off : {-kCreatedBefore, kCreatedAfter}) {
    Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
    envelope.header.created += off;
    envelope.header.expires = envelope.header.created + kEnvelopeLifeMax;
    broker.member("clinic-a").SignAgain(envelope);
    EXPECT_OK(broker.Accept("clinic-a", envelope));
  }
}

TEST(Relay, RefusesAnEnvelopeLargerThanTheBrokerTakes) {
  AdmissionLimits limits;
  limits.envelope_bytes_max = 1000;
  BrokerFixture broker({"clinic-a", "clinic-b"}, nullptr, limits);
  const absl::Status status =
      broker.Accept("clinic-a", broker.EnvelopeFrom("clinic-a", "clinic-b"))
          .status();
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(ErrorCodeOf(status), "too_large");
}

TEST(Relay, RefusesASenderThatIsSuspended) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  broker.SetStatus("clinic-a", MemberStatus::kSuspended);
  const absl::Status status = broker.Accept("clinic-a", envelope).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(status), "member_suspended");
  EXPECT_THAT(broker.relay().Fetch(broker.Id("clinic-a"), {}, 1, 1),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(Relay, RefusesTheBackdatedMailOfAnExMember) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  broker.SetStatus("clinic-a", MemberStatus::kLeft);
  // Made and dated when it still belonged; what counts is where its leaf
  // would stand.
  EXPECT_THAT(broker.Accept("clinic-a", envelope),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(Relay, RefusesASigningKeyThatWasRevoked) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  EXPECT_OK(broker.PublishKeyEvent(
      "clinic-a",
      broker.member("clinic-a")
          .RevokeSigningKey(broker.charter(), broker.clock().Now())));
  EXPECT_THAT(broker.Accept("clinic-a", envelope),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(Relay, RefusesASigningKeyWhoseTimeIsUp) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  broker.clock().Advance(kSigningKeyLife);
  EXPECT_THAT(
      broker.Accept("clinic-a", broker.EnvelopeFrom("clinic-a", "clinic-b")),
      StatusIs(StatusCode::kPermissionDenied));
}

TEST(Relay, TakesASupersededPrekeyForAnHour) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Digest old = broker.member("clinic-b").prekey().Id();
  EXPECT_OK(broker.PublishKeyEvent(
      "clinic-b", broker.member("clinic-b")
                      .NewPrekey(broker.charter(), broker.clock().Now())));
  const auto to_old_prekey = [&] {
    Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
    envelope.header.prekey_id = old;
    broker.member("clinic-a").SignAgain(envelope);
    return envelope;
  };
  broker.clock().Advance(kPrekeySuccessorGrace);
  EXPECT_OK(broker.Accept("clinic-a", to_old_prekey()));
  broker.clock().Advance(absl::Seconds(1));
  EXPECT_THAT(broker.Accept("clinic-a", to_old_prekey()),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_OK(
      broker.Accept("clinic-a", broker.EnvelopeFrom("clinic-a", "clinic-b")));
}

TEST(Relay, RefusesMoreThanAMailboxHolds) {
  AdmissionLimits limits;
  limits.mailbox_envelopes_max = 2;
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c", "clinic-d"},
                       nullptr, limits);
  const auto first = broker.Send("clinic-a", "clinic-b");
  broker.Send("clinic-c", "clinic-b");
  const absl::Status status =
      broker.Accept("clinic-d", broker.EnvelopeFrom("clinic-d", "clinic-b"))
          .status();
  EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_TRUE(DetailOf(status)->retryable);
  broker.Send("clinic-d", "clinic-c");  // another's is not full
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", first)));
  broker.Send("clinic-d", "clinic-b");  // and now there is room
}

TEST(Relay, AMemberThatFloodsAMailboxKeepsNobodyElseOut) {
  AdmissionLimits limits;
  limits.mailbox_envelopes_max = 8;
  BrokerFixture broker({"flooder", "clinic-b", "clinic-c"}, nullptr, limits);
  const auto first = broker.Send("flooder", "clinic-b");
  broker.Send("flooder", "clinic-b");
  const absl::Status status =
      broker.Accept("flooder", broker.EnvelopeFrom("flooder", "clinic-b"))
          .status();
  EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_TRUE(DetailOf(status)->retryable);
  broker.Send("flooder", "clinic-c");
  broker.Send("clinic-c", "clinic-b");
  broker.Send("clinic-c", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", first)));
  broker.Send("flooder", "clinic-b");
}

TEST(Relay, RefusesAMemberThatDoesTooMuch) {
  AdmissionLimits limits;
  limits.member_rate_per_s = 10;
  BrokerFixture broker({"clinic-a", "clinic-b"}, nullptr, limits);
  broker.clock().Advance(absl::Seconds(1));
  for (int i = 0; i < 10; ++i) broker.Send("clinic-a", "clinic-b");
  EXPECT_THAT(
      broker.Accept("clinic-a", broker.EnvelopeFrom("clinic-a", "clinic-b")),
      StatusIs(StatusCode::kResourceExhausted));
  broker.Send("clinic-b", "clinic-a");  // others may go on
  broker.clock().Advance(absl::Milliseconds(100));
  broker.Send("clinic-a", "clinic-b");
}

// --- Retries.

TEST(Relay, GivesARetryTheFirstReceipt) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  broker.clock().Advance(absl::Minutes(1));
  const LeafReceipt again = VALUE_OF(broker.Accept("clinic-a", sent.envelope));
  EXPECT_EQ(again.leaf, sent.receipt.leaf);
  EXPECT_EQ(again.time, sent.receipt.time);
  EXPECT_EQ(again.salt, sent.receipt.salt);
  EXPECT_EQ(again.signature, sent.receipt.signature);
  EXPECT_EQ(broker.leaf_count(), 1u);
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 1u);
}

TEST(Relay, GivesALateRetryTheFirstReceiptThoughItGrewStale) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  broker.clock().Advance(absl::Hours(5));
  const LeafReceipt again = VALUE_OF(broker.Accept("clinic-a", sent.envelope));
  EXPECT_EQ(again.leaf, sent.receipt.leaf);
  EXPECT_EQ(again.signature, sent.receipt.signature);
  // One that was never accepted stays stale.
  const Envelope late = broker.EnvelopeFrom("clinic-a", "clinic-b");
  broker.clock().Advance(absl::Hours(5));
  EXPECT_THAT(broker.Accept("clinic-a", late),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(Relay, GivesTheFirstReceiptAfterARestart) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  broker.Restart();
  const LeafReceipt again = VALUE_OF(broker.Accept("clinic-a", sent.envelope));
  EXPECT_EQ(again.leaf, sent.receipt.leaf);
  EXPECT_EQ(again.salt, sent.receipt.salt);
  EXPECT_EQ(again.signature, sent.receipt.signature);
}

TEST(Relay, GivesNoReceiptToAnotherWhoReplays) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_THAT(broker.Accept("clinic-c", sent.envelope),
              StatusIs(StatusCode::kPermissionDenied));
  broker.SetStatus("clinic-a", MemberStatus::kSuspended);
  EXPECT_THAT(broker.Accept("clinic-a", sent.envelope),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(Relay, RefusesASecondEnvelopeUnderAUsedId) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  Envelope other = broker.EnvelopeFrom("clinic-a", "clinic-b");
  other.header.envelope_id = sent.envelope.header.envelope_id;
  broker.member("clinic-a").SignAgain(other);
  const absl::Status status = broker.Accept("clinic-a", other).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kAlreadyExists));
  EXPECT_EQ(ErrorCodeOf(status), "conflict");
  EXPECT_EQ(broker.leaf_count(), 1u);
  // Ids are a sender's own: another's may be the same by chance.
  Envelope same_id = broker.EnvelopeFrom("clinic-b", "clinic-a");
  same_id.header.envelope_id = sent.envelope.header.envelope_id;
  broker.member("clinic-b").SignAgain(same_id);
  EXPECT_OK(broker.Accept("clinic-b", same_id));
}

// --- Acknowledgements.

TEST(Relay, TellsTheSenderWhatWasDelivered) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  const std::string token = broker.ReceiptFor("clinic-b", sent);
  const LeafReceipt receipt = VALUE_OF(broker.Acknowledge("clinic-b", token));

  EXPECT_TRUE(broker.Fetch("clinic-b").empty());
  const std::vector<Delivery> notices = broker.Fetch("clinic-a");
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].receipt.leaf, receipt.leaf);
  EXPECT_EQ(std::get<ReceiptEvent>(notices[0].item.event).token, token);
  EXPECT_EQ(broker.leaf_count(), 2u);
  // Nothing comes twice to one who says how far it has read.
  EXPECT_TRUE(broker.Fetch("clinic-a", receipt.leaf).empty());
}

TEST(Relay, GivesARepeatedAcknowledgementTheFirstReceipt) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  const std::string token = broker.ReceiptFor("clinic-b", sent);
  const LeafReceipt first = VALUE_OF(broker.Acknowledge("clinic-b", token));
  const LeafReceipt again = VALUE_OF(broker.Acknowledge("clinic-b", token));
  EXPECT_EQ(again.leaf, first.leaf);
  EXPECT_EQ(again.signature, first.signature);
  // And after its key was replaced.
  EXPECT_OK(broker.PublishKeyEvent(
      "clinic-b", broker.member("clinic-b")
                      .NewSigningKey(broker.charter(), broker.clock().Now())));
  EXPECT_EQ(VALUE_OF(broker.Acknowledge("clinic-b", token)).leaf, first.leaf);
}

TEST(Relay, RefusesASecondAnswerToAnEnvelope) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)));
  EXPECT_THAT(broker.Acknowledge(
                  "clinic-b", broker.ReceiptFor("clinic-b", sent,
                                                ReceiptKind::kUndecryptable)),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(Relay, RefusesAReceiptThatIsNotTheRecipientsOwn) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  // By one who is not the recipient, in its own name.
  EXPECT_THAT(
      broker.Acknowledge("clinic-c", broker.ReceiptFor("clinic-c", sent)),
      StatusIs(StatusCode::kNotFound));
  // The recipient's, brought by another.
  EXPECT_THAT(
      broker.Acknowledge("clinic-c", broker.ReceiptFor("clinic-b", sent)),
      StatusIs(StatusCode::kPermissionDenied));
  // Signed by another, in the recipient's name.
  const std::string forged =
      SignReceipt(VALUE_OF(PeekReceipt(broker.ReceiptFor("clinic-b", sent))),
                  broker.member("clinic-c").signing());
  EXPECT_THAT(broker.Acknowledge("clinic-b", forged),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 1u);
  EXPECT_EQ(broker.leaf_count(), 1u);
}

TEST(Relay, RefusesAReceiptThatFitsNoEnvelope) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  const auto other = broker.Send("clinic-a", "clinic-b");
  const auto crossed = [&](const BrokerFixture::Sent& of, LeafIndex leaf) {
    return broker.member("clinic-b")
        .ReceiptFor(of.envelope, leaf, ReceiptKind::kDelivered,
                    broker.charter(), broker.clock().Now());
  };
  EXPECT_THAT(broker.Acknowledge("clinic-b", crossed(sent, other.receipt.leaf)),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.Acknowledge("clinic-b", crossed(sent, LeafIndex(9999))),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.Acknowledge("clinic-b", crossed(sent, LeafIndex(0))),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(broker.Acknowledge("clinic-b", "no token"),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent,
                                                       ReceiptKind::kOpened)),
      StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(broker.leaf_count(), 2u);
}

// --- Recalls.

TEST(Relay, LeavesATombstoneOfARecalledEnvelope) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  const std::string token = broker.RecallOf("clinic-a", sent.envelope);
  const LeafReceipt receipt = VALUE_OF(broker.Recall("clinic-a", token));

  const std::vector<Delivery> inbox = broker.Fetch("clinic-b");
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0].receipt.leaf, receipt.leaf);
  EXPECT_EQ(std::get<RecallEvent>(inbox[0].item.event).token, token);
  ASSERT_TRUE(inbox[0].item.recalled.has_value());
  EXPECT_EQ(inbox[0].item.recalled->header, sent.envelope.header_bytes);
  EXPECT_TRUE(inbox[0].item.ciphertext.empty());
  EXPECT_EQ(VALUE_OF(broker.store().PendingCount(broker.Id("clinic-b"))), 0u);
  EXPECT_EQ(VALUE_OF(broker.Recall("clinic-a", token)).leaf, receipt.leaf);
}

TEST(Relay, RecallsNothingThatWasDelivered) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)));
  const absl::Status status =
      broker.Recall("clinic-a", broker.RecallOf("clinic-a", sent.envelope))
          .status();
  EXPECT_THAT(status, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(ErrorCodeOf(status), "invalid_state");
}

TEST(Relay, RefusesAReceiptForWhatWasRecalled) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_OK(
      broker.Recall("clinic-a", broker.RecallOf("clinic-a", sent.envelope)));
  EXPECT_THAT(
      broker.Acknowledge("clinic-b", broker.ReceiptFor("clinic-b", sent)),
      StatusIs(StatusCode::kFailedPrecondition));
}

TEST(Relay, RefusesARecallByAnybodyButTheSender) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_THAT(
      broker.Recall("clinic-b", broker.RecallOf("clinic-b", sent.envelope)),
      StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(
      broker.Recall("clinic-c", broker.RecallOf("clinic-a", sent.envelope)),
      StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(
      broker.Recall("clinic-a",
                    broker.RecallOf("clinic-a", broker.EnvelopeFrom(
                                                    "clinic-a", "clinic-b"))),
      StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 1u);
}

// --- What members see of one another.

TEST(Relay, ShowsAMailboxToItsMemberAlone) {
  // Names that begin alike must not share rows.
  BrokerFixture broker({"ab", "ab-c", "abc", "other"});
  broker.Send("other", "ab");
  broker.Send("other", "ab-c");
  broker.Send("other", "abc");
  broker.Send("other", "ab");
  EXPECT_EQ(broker.Fetch("ab").size(), 2u);
  EXPECT_EQ(broker.Fetch("ab-c").size(), 1u);
  EXPECT_EQ(broker.Fetch("abc").size(), 1u);
}

TEST(Relay, SaysUpToWhereAMailboxIsEmpty) {
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"});
  const MemberId& b = broker.Id("clinic-b");
  EXPECT_EQ(VALUE_OF(broker.relay().DrainedTo(b, std::nullopt)),
            broker.store().Head().range.size());
  const auto sent = broker.Send("clinic-a", "clinic-b");
  EXPECT_THAT(broker.relay().DrainedTo(b, std::nullopt),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(VALUE_OF(broker.relay().DrainedTo(b, sent.receipt.leaf)),
            broker.store().Head().range.size());
  EXPECT_OK(broker.relay().DrainedTo(broker.Id("clinic-c"), std::nullopt));
}

TEST(Relay, FetchesPageByPageInTheOrderOfTheLog) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  std::vector<LeafIndex> sent;
  for (int i = 0; i < 5; ++i)
    sent.push_back(broker.Send("clinic-a", "clinic-b").receipt.leaf);
  std::vector<LeafIndex> seen;
  std::optional<LeafIndex> after;
  while (true) {
    const auto page = VALUE_OF(
        broker.relay().Fetch(broker.Id("clinic-b"), after, 2, 1 << 20));
    if (page.empty()) break;
    EXPECT_LE(page.size(), 2u);
    for (const Delivery& delivery : page) seen.push_back(delivery.receipt.leaf);
    after = seen.back();
  }
  EXPECT_EQ(seen, sent);
  // A page never exceeds its bytes by more than the item that fills it.
  EXPECT_EQ(
      VALUE_OF(broker.relay().Fetch(broker.Id("clinic-b"), {}, 100, 1)).size(),
      1u);
}

TEST(Relay, NeverLetsTimeFallFromLeafToLeaf) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const auto first = broker.Send("clinic-a", "clinic-b");
  broker.clock().Advance(-absl::Minutes(4));
  const auto second = broker.Send("clinic-a", "clinic-b");
  EXPECT_EQ(second.receipt.time, first.receipt.time);
}

}  // namespace
}  // namespace amparo::broker

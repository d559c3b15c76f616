#include <memory>
#include <vector>

#include "absl/time/clock.h"
#include "base/error.h"
#include "crypto/random.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/log_entry.h"
#include "tests/support/broker_server.h"
#include "tests/support/relay_client.h"
#include "tests/support/status_matchers.h"

// RelayService over real ports: mail from one member to another, and what the
// broker refuses whoever asks.

namespace amparo::broker {
namespace {

using absl::StatusCode;

LeafReceipt Plain(const v1::LeafReceipt& message) {
  LeafReceipt receipt{LeafIndex(message.leaf()),
                      TimeFromUnix(static_cast<int64_t>(message.time_s())),
                      ToBytes(message.salt()),
                      {}};
  std::copy(message.signature().begin(), message.signature().end(),
            receipt.signature.begin());
  return receipt;
}

Bytes EventOf(const Envelope& envelope) {
  return EncodeAuditEvent(EnvelopeEvent{
      envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
      envelope.signature});
}

class RelayTest : public testing::Test {
 protected:
  explicit RelayTest(const BrokerServer::Settings& settings = {})
      : broker(settings) {
    broker.SetUp({"ong", "uls", "gnr"});
  }
  RelayClient As(absl::string_view name) {
    return RelayClient(broker.ChannelOf(name));
  }
  std::string ReceiptBy(absl::string_view name, const Envelope& envelope,
                        uint64_t leaf,
                        ReceiptKind kind = ReceiptKind::kDelivered) {
    return broker.member(name).ReceiptFor(envelope, LeafIndex(leaf), kind,
                                          broker.charter(), absl::Now());
  }

  BrokerServer broker;
};

TEST_F(RelayTest, CarriesAnEnvelopeAndItsReceiptBack) {
  RelayClient ong = As("ong"), uls = As("uls");
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  const v1::LeafReceipt receipt = VALUE_OF(ong.Submit(envelope));

  const auto inbox = uls.Subscribe();
  const v1::MailboxItem item = inbox->Next().value();
  EXPECT_EQ(item.envelope().SerializeAsString(),
            RelayClient::ToProto(envelope).SerializeAsString());
  EXPECT_EQ(item.receipt().SerializeAsString(), receipt.SerializeAsString());

  // The broker's word fits the event and bears the log's signature.
  const NetworkFile file = broker.network_file();
  EXPECT_OK(VerifyLeafReceipt(Plain(receipt), broker.charter().network_id,
                              EventOf(envelope), file.log_key.key()));

  const auto outbox = ong.Subscribe();
  const std::string token = ReceiptBy("uls", envelope, receipt.leaf());
  const v1::LeafReceipt delivered = VALUE_OF(uls.Acknowledge(token));
  const v1::MailboxItem notice = outbox->Next().value();
  EXPECT_EQ(notice.receipt_token(), token);
  EXPECT_EQ(notice.receipt().leaf(), delivered.leaf());
}

TEST_F(RelayTest, AnswersTheSameEnvelopeWithTheFirstReceipt) {
  RelayClient ong = As("ong");
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  const v1::LeafReceipt first = VALUE_OF(ong.Submit(envelope));
  const v1::LeafReceipt again = VALUE_OF(ong.Submit(envelope));
  EXPECT_EQ(first.SerializeAsString(), again.SerializeAsString());
}

TEST_F(RelayTest, WakesASubscriptionThatWaits) {
  RelayClient ong = As("ong"), uls = As("uls");
  const auto inbox = uls.Subscribe();
  for (int i = 0; i < 5; ++i) {
    const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
    const v1::LeafReceipt receipt = VALUE_OF(ong.Submit(envelope));
    EXPECT_EQ(inbox->Next().value().receipt().leaf(), receipt.leaf());
  }
}

TEST_F(RelayTest, GoesOnWhereASubscriptionEnded) {
  RelayClient ong = As("ong"), uls = As("uls");
  std::vector<uint64_t> leaves;
  // More than a page.
  for (int i = 0; i < 150; ++i)
    leaves.push_back(
        VALUE_OF(ong.Submit(broker.member("ong").EnvelopeTo(
                     broker.member("uls"), broker.charter(), absl::Now())))
            .leaf());
  const auto all = uls.Subscribe();
  for (const uint64_t leaf : leaves)
    EXPECT_EQ(all->Next().value().receipt().leaf(), leaf);
  const auto rest = uls.Subscribe(leaves[99]);
  EXPECT_EQ(rest->Next().value().receipt().leaf(), leaves[100]);
}

TEST_F(RelayTest, TakesBackWhatIsNotDelivered) {
  RelayClient ong = As("ong"), uls = As("uls");
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  VALUE_OF(ong.Submit(envelope));
  const std::string token =
      broker.member("ong").RecallOf(envelope, broker.charter(), absl::Now());
  VALUE_OF(ong.Recall(token));
  const v1::MailboxItem item = uls.Subscribe()->Next().value();
  EXPECT_EQ(item.recalled().token(), token);
  EXPECT_EQ(item.recalled().header(), ToText(envelope.header_bytes));
}

TEST_F(RelayTest, DoesNotTakeBackWhatIsDelivered) {
  RelayClient ong = As("ong"), uls = As("uls");
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  const uint64_t leaf = VALUE_OF(ong.Submit(envelope)).leaf();
  VALUE_OF(uls.Acknowledge(ReceiptBy("uls", envelope, leaf)));
  const auto recalled = ong.Recall(
      broker.member("ong").RecallOf(envelope, broker.charter(), absl::Now()));
  EXPECT_THAT(recalled, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(ErrorCodeOf(recalled.status()), "invalid_state");
}

TEST_F(RelayTest, DatesAnAnchorOfTheCaller) {
  v1::LogAnchorRequest request;
  const SignedAnchor anchor =
      broker.member("ong").NewAnchor(broker.charter(), absl::Now());
  request.mutable_anchor()->set_anchor(ToText(anchor.anchor_bytes));
  request.mutable_anchor()->set_signature(ToText(anchor.signature));
  EXPECT_OK(
      As("ong").Call<v1::LeafReceipt>(&RelayClient::Stub::LogAnchor, request));
  EXPECT_THAT(
      As("uls").Call<v1::LeafReceipt>(&RelayClient::Stub::LogAnchor, request),
      StatusIs(StatusCode::kPermissionDenied));
}

// --- Attackers.

TEST_F(RelayTest, RefusesASenderThatTheCertificateDoesNotName) {
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  EXPECT_THAT(As("gnr").Submit(envelope),
              StatusIs(StatusCode::kPermissionDenied));
  EXPECT_OK(As("ong").Submit(envelope));
}

TEST_F(RelayTest, RefusesAReceiptAndARecallOfSomebodyElse) {
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  const uint64_t leaf = VALUE_OF(As("ong").Submit(envelope)).leaf();
  EXPECT_FALSE(As("gnr").Acknowledge(ReceiptBy("gnr", envelope, leaf)).ok());
  EXPECT_FALSE(As("gnr").Acknowledge(ReceiptBy("uls", envelope, leaf)).ok());
  EXPECT_FALSE(As("gnr")
                   .Recall(broker.member("ong").RecallOf(
                       envelope, broker.charter(), absl::Now()))
                   .ok());
  EXPECT_OK(As("uls").Acknowledge(ReceiptBy("uls", envelope, leaf)));
}

TEST_F(RelayTest, RefusesAFlippedBitAnywhere) {
  const Envelope good = broker.EnvelopeFrom("ong", "uls");
  const v1::Envelope message = RelayClient::ToProto(good);
  RelayClient ong = As("ong");
  for (const auto field :
       {&v1::Envelope::mutable_header, &v1::Envelope::mutable_enc,
        &v1::Envelope::mutable_ciphertext, &v1::Envelope::mutable_signature}) {
    v1::SubmitRequest request;
    *request.mutable_envelope() = message;
    (*(request.mutable_envelope()->*field)())[20] ^= 1;
    EXPECT_FALSE(
        ong.Call<v1::LeafReceipt>(&RelayClient::Stub::Submit, request).ok());
  }
  EXPECT_FALSE(
      ong.Call<v1::LeafReceipt>(&RelayClient::Stub::Submit, v1::SubmitRequest())
          .ok());
}

TEST_F(RelayTest, RefusesWhatIsTooLarge) {
  v1::SubmitRequest request;
  *request.mutable_envelope() =
      RelayClient::ToProto(broker.EnvelopeFrom("ong", "uls"));
  request.mutable_envelope()->set_ciphertext(std::string(2 << 20, 'x'));
  EXPECT_THAT(
      As("ong").Call<v1::LeafReceipt>(&RelayClient::Stub::Submit, request),
      StatusIs(StatusCode::kResourceExhausted));
  // And the connection is not lost to it.
  EXPECT_OK(As("ong").Submit(broker.EnvelopeFrom("ong", "uls")));
}

TEST_F(RelayTest, EndsTheSubscriptionsOfWhoIsSuspended) {
  const auto inbox = As("uls").Subscribe();
  VALUE_OF(As("ong").Submit(broker.EnvelopeFrom("ong", "uls")));
  ASSERT_TRUE(inbox->Next().has_value());
  broker.SetStatus("uls", MemberStatus::kSuspended);
  EXPECT_FALSE(inbox->Next().has_value());
  const absl::Status end = inbox->End();
  EXPECT_THAT(end, StatusIs(StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(end), "member_suspended");
  EXPECT_FALSE(As("uls").Subscribe()->Next().has_value());
}

class OneStreamTest : public RelayTest {
 protected:
  OneStreamTest()
      : RelayTest({{"member_streams_max = 8", "member_streams_max = 1"}}) {}
};

TEST_F(OneStreamTest, BoundsTheStreamsOfAMember) {
  VALUE_OF(As("ong").Submit(broker.EnvelopeFrom("ong", "uls")));
  RelayClient uls = As("uls");
  auto first = uls.Subscribe();
  ASSERT_TRUE(first->Next().has_value());
  const auto second = uls.Subscribe();
  EXPECT_FALSE(second->Next().has_value());
  EXPECT_THAT(second->End(), StatusIs(StatusCode::kResourceExhausted));
  // Another member has its own.
  VALUE_OF(As("ong").Submit(broker.EnvelopeFrom("ong", "gnr")));
  EXPECT_TRUE(As("gnr").Subscribe()->Next().has_value());
}

TEST_F(RelayTest, KeepsMailOverARestart) {
  const Envelope envelope = broker.EnvelopeFrom("ong", "uls");
  const v1::LeafReceipt receipt = VALUE_OF(As("ong").Submit(envelope));
  const std::string before = broker.members_address();
  broker.Stop();
  broker.Start();
  EXPECT_EQ(broker.members_address(), before);
  EXPECT_EQ(As("uls").Subscribe()->Next().value().receipt().leaf(),
            receipt.leaf());
  EXPECT_EQ(VALUE_OF(As("ong").Submit(envelope)).SerializeAsString(),
            receipt.SerializeAsString());
}

TEST_F(RelayTest, EndsStreamsWhenItGoes) {
  const auto inbox = As("uls").Subscribe();
  VALUE_OF(As("ong").Submit(broker.EnvelopeFrom("ong", "uls")));
  ASSERT_TRUE(inbox->Next().has_value());
  broker.Stop();
  EXPECT_FALSE(inbox->Next().has_value());
  EXPECT_THAT(inbox->End(), StatusIs(StatusCode::kUnavailable));
}

}  // namespace
}  // namespace amparo::broker

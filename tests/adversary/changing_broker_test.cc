#include <functional>
#include <string>
#include <utility>

#include "proto/envelope/codec.h"
#include "tests/adversary/victims.h"

// A broker that hands over something else than it was given.

namespace amparo::agent {
namespace {

class ChangingBroker : public Victims {
 protected:
  using Change = std::function<void(Envelope&)>;
  // Every envelope to uls is changed on its way.
  void ChangeMailToUls(const Change& change) {
    uls().port().tamper = [change](MailboxItem item) {
      if (auto* envelope = std::get_if<Envelope>(&item.event))
        change(*envelope);
      return std::optional<MailboxItem>(std::move(item));
    };
  }
  void ExpectRefused(const Change& change) {
    const uint32_t before = uls().intake().quarantined();
    const size_t cases = Cases(uls());
    ChangeMailToUls(change);
    const std::string referral = Refer();
    world_.Settle();
    EXPECT_FALSE(Knows(uls(), referral));
    EXPECT_EQ(Cases(uls()), cases);
    EXPECT_EQ(uls().intake().quarantined(), before + 1);
    // No receipt honours it: the sender is not told that it arrived.
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);

    // Honest again: the next envelope shows the gap, and brings back the lost.
    uls().port().tamper = nullptr;
    ExpectHonestTrafficFlows();
    LetResendsHappen();
    EXPECT_TRUE(Knows(uls(), referral));
    EXPECT_EQ(uls().intake().quarantined(), before + 1);
  }
};

TEST_F(ChangingBroker, AFlippedByteOfTheCiphertextIsRefused) {
  for (const double part : {0.0, 0.5, 1.0})
    ExpectRefused([part](Envelope& envelope) {
      const size_t last = envelope.ciphertext.size() - 1;
      envelope.ciphertext[static_cast<size_t>(part * last)] ^= 1;
    });
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
}

TEST_F(ChangingBroker, AFlippedByteOfTheEncapsulatedKeyIsRefused) {
  ExpectRefused([](Envelope& envelope) { envelope.enc[0] ^= 1; });
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
}

TEST_F(ChangingBroker, AFlippedByteOfTheSignatureIsRefused) {
  ExpectRefused([](Envelope& envelope) {
    Bytes bytes = EncodeEnvelope(envelope);
    bytes.back() ^= 1;  // the signature is the last field
    envelope = VALUE_OF(DecodeEnvelope(bytes));
  });
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
}

// Bytes that are no header any more end at the door (codec tests); here those
// that still are one.
TEST_F(ChangingBroker, AFlippedByteOfTheHeaderIsRefused) {
  const auto rewrite = [](auto change) {
    return [change](Envelope& envelope) {
      change(envelope.header);
      envelope.header_bytes = EncodeHeader(envelope.header);
    };
  };
  ExpectRefused(rewrite([](Header& h) { h.envelope_id = EnvelopeId::New(); }));
  ExpectRefused(rewrite([](Header& h) { h.expires += absl::Seconds(1); }));
  ExpectRefused(rewrite([](Header& h) { h.created -= absl::Seconds(1); }));
  ExpectRefused(rewrite([](Header& h) { h.anchor = Digest(); }));
  ExpectRefused(rewrite([](Header& h) { h.link_seq += 1; }));
  ExpectRefused(rewrite([](Header& h) { h.link_prev = Sha256("x"); }));
  ExpectRefused(rewrite([](Header& h) { h.prekey_id = Sha256("x"); }));
  ExpectRefused(rewrite([](Header& h) { h.network_id = Sha256("x"); }));
}

TEST_F(ChangingBroker, AnotherSenderOrRecipientInTheHeaderIsRefused) {
  const MemberId mp = world_.broker().Id("mp"), gnr = world_.broker().Id("gnr");
  ExpectRefused([mp](Envelope& envelope) {
    envelope.header.sender = mp;
    envelope.header_bytes = EncodeHeader(envelope.header);
  });
  ExpectRefused([gnr](Envelope& envelope) {
    envelope.header.recipient = gnr;
    envelope.header_bytes = EncodeHeader(envelope.header);
  });
}

TEST_F(ChangingBroker, AnEnvelopeForAnotherMemberIsRefused) {
  // What gnr is sent lands at uls, with the true leaf and the true signature.
  std::optional<MailboxItem> stolen;
  gnr().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event)) stolen = item;
    return item;
  };
  const std::string referral = Refer({"gnr"});
  world_.Settle();
  ASSERT_TRUE(stolen);
  ASSERT_TRUE(Knows(gnr(), referral));
  EXPECT_OK(uls().intake().Take(*stolen));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_FALSE(Knows(uls(), referral));
  world_.Settle();
  ExpectHonestTrafficFlows();
}

TEST_F(ChangingBroker, AReplayAddsNothing) {
  std::optional<MailboxItem> first;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (!first && std::holds_alternative<Envelope>(item.event)) first = item;
    return item;
  };
  const std::string referral = Refer();
  world_.Settle();
  ASSERT_TRUE(first);
  const auto events = [&] {
    return uls()
        .cases()
        .FindByReferral(VALUE_OF(uls().cases().ResolveReferral(referral)))
        ->events.size();
  };
  const size_t before = events();
  EXPECT_OK(uls().intake().Take(*first));  // at its own leaf
  // And in the place of the next one, whose leaf it does not fit.
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event)) item.event = first->event;
    return item;
  };
  const std::string replaced = Refer();
  world_.Settle();
  EXPECT_EQ(events(), before);
  EXPECT_FALSE(Knows(uls(), replaced));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));

  uls().port().tamper = nullptr;
  ExpectHonestTrafficFlows();
  LetResendsHappen();
  EXPECT_TRUE(Knows(uls(), replaced));
}

TEST_F(ChangingBroker, AnEarlierLeafReceiptDoesNotCoverALaterEnvelope) {
  std::optional<LeafReceipt> old;
  uls().port().tamper = [&](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event)) {
      const LeafIndex leaf = item.receipt.leaf;
      if (!old)
        old = item.receipt;
      else
        item.receipt = *old, item.receipt.leaf = leaf;
    }
    return item;
  };
  const std::string honest = Refer();
  world_.Settle();
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), honest));
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

}  // namespace
}  // namespace amparo::agent

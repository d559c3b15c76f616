#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proto/envelope/codec.h"
#include "tests/adversary/victims.h"

// A member that was suspended or left keeps its keys, and a broker that helps
// it: what it seals from then on is nobody's mail, whatever date it bears.

namespace amparo::agent {
namespace {

class FormerMember : public Victims {
 protected:
  // What ong would send now; the broker has not logged it yet.
  Envelope SealAndKeep() {
    std::optional<Envelope> kept;
    ong().port().divert = [&](const Envelope& envelope) { kept = envelope; };
    world_.Settle();
    ong().port().divert = nullptr;
    ong().port().down = true;  // it is the broker's story from here on
    return kept.value();
  }
  // The broker logs and delivers it without a look at the charter.
  void SubmitAnyway(const Envelope& envelope) {
    LogAnyway(
        broker::Op{broker::Submit{std::make_shared<const Envelope>(envelope),
                                  EnvelopeDigest(envelope), 1000, 1000},
                   EncodeAuditEvent(EnvelopeEvent{
                       envelope.header_bytes,
                       BodyDigest(envelope.enc, envelope.ciphertext),
                       envelope.signature})});
    world_.Settle();
  }
};

TEST_F(FormerMember, TheSameMailIsTakenFromAMember) {
  const std::string referral = Refer();
  SubmitAnyway(SealAndKeep());
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(FormerMember, MailFromItsSuspensionIsRefusedAfterItsReturn) {
  const std::string referral = Refer();
  const Envelope envelope = SealAndKeep();
  // uls learns of all this at once, when ong is a member again.
  uls().port().down = true;
  world_.broker().SetStatus("ong", MemberStatus::kSuspended);
  world_.Settle();
  SubmitAnyway(envelope);
  world_.broker().SetStatus("ong", MemberStatus::kActive);
  world_.Settle();
  uls().port().down = false;
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(Cases(uls()), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

TEST_F(FormerMember, MailFromASuspensionByTwoKeysIsRefusedAfterItsEnd) {
  const std::string referral = Refer();
  const Envelope envelope = SealAndKeep();
  uls().port().down = true;
  ASSERT_OK(world_.broker().Suspend(world_.broker().SuspensionOf("ong")));
  world_.Settle();
  SubmitAnyway(envelope);
  world_.clock().Advance(kSuspensionLifeMax);
  world_.Settle();
  uls().port().down = false;
  world_.Settle();
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

class BackdatedMail : public FormerMember,
                      public testing::WithParamInterface<MemberStatus> {};

TEST_P(BackdatedMail, OfAFormerMemberIsRefused) {
  const std::string referral = Refer();
  const Envelope envelope = SealAndKeep();  // dated while a member
  world_.broker().SetStatus("ong", GetParam());
  world_.Settle();
  SubmitAnyway(envelope);
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(Cases(uls()), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Statuses, BackdatedMail,
                         testing::Values(MemberStatus::kSuspended,
                                         MemberStatus::kLeft));

}  // namespace
}  // namespace amparo::agent

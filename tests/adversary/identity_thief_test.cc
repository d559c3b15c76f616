#include <memory>
#include <string>

#include "agents/institution/core/confirm_key.h"
#include "base/error.h"
#include "crypto/random.h"
#include "proto/content/revocation.h"
#include "tests/adversary/victims.h"

// Somebody stole ong's identity key. That makes new signing keys, which the
// broker must log, since it cannot tell; and it ends the old ones.

namespace amparo::agent {
namespace {

class IdentityThief : public Victims {
 protected:
  // Everybody knows everybody's words; uls has a referral of ong's open.
  IdentityThief() {
    const TestCommittee& committee = world_.broker().committee();
    Charter next = committee.Successor(world_.broker().charter());
    next.trust_delay = absl::Hours(24);
    VALUE_OF(world_.broker().PublishCharter(committee.Sign(next)));
    world_.Settle();
    Confirm(ong(), "uls");
    Confirm(uls(), "ong");
    referral_ = Refer();
    world_.Settle();
    VALUE_OF(uls().referrals().Show(uls().officer(), referral_, {}, false));
  }

  void Confirm(TestAgent& agent, const std::string& member) {
    const MemberId& id = world_.broker().Id(member);
    EXPECT_OK(ConfirmKey(agent.desk(), agent.officer(), id,
                         agent.peers().KeyWordsOf(id)));
  }

  // The thief's own agent: the stolen key and an empty disk. The real one's
  // connection is cut.
  void Steal() {
    ong().port().down = true;
    thief_ = std::make_unique<TestAgent>(world_.broker(), "ong");
    for (int turn = 0; turn < 3; ++turn) thief_->Turn(world_.Shown());
    world_.Settle();
  }
  // Seals `payload` to uls under the thief's new key.
  void SendAsOng(const Payload& payload) {
    const Link first{1, Digest()};
    const MemberId& id = world_.broker().Id("uls");
    EXPECT_OK(ConfirmKey(thief_->desk(), thief_->officer(), id,
                         thief_->peers().KeyWordsOf(id)));
    VALUE_OF(thief_->port().Submit(VALUE_OF(
        thief_->packer().Pack(id, payload, first, world_.clock().Now()))));
    world_.Settle();
  }
  // A signed revocation of what uls holds.
  Payload RevocationOfAll() {
    const auto entry = uls().cases().FindByReferral(
        VALUE_OF(uls().cases().ResolveReferral(referral_)));
    const Grant& grant = entry->state.authority.grants.begin()->second.grant;
    const LogWatch::View seen = thief_->log().view();
    Payload payload{.case_id = entry->state.case_id,
                    .event_id = EventId::New(),
                    .kind = EventKind::kRevoked,
                    .salt = RandomArray<32>(),
                    .salt2 = RandomArray<32>(),
                    .seen_size = seen.size.value(),
                    .seen_root = seen.root};
    payload.document =
        SignRevocation({.net = thief_->peers().Now()->charter.network_id,
                        .issuer = thief_->keys().self(),
                        .at = world_.clock().Now(),
                        .event_id = payload.event_id,
                        .case_id = *payload.case_id,
                        .grant = grant.digest},
                       VALUE_OF(thief_->keys().Signer()));
    return payload;
  }
  SectionView::Status StatusOf(const std::string& slot) {
    const ReferralView view =
        VALUE_OF(uls().referrals().Show(uls().officer(), referral_, {}, false));
    for (const SectionView& section : view.sections)
      if (NameOf(section.slot) == slot) return section.status;
    throw std::runtime_error("no such section");
  }

  std::string referral_;
  std::unique_ptr<TestAgent> thief_;
};

TEST_F(IdentityThief, DestroysNothing) {
  Steal();
  SendAsOng(RevocationOfAll());
  EXPECT_EQ(uls().held().size(), 1u);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  // It could be true, so nothing is shown; it is not proven, so all is kept.
  EXPECT_EQ(StatusOf("identity"), SectionView::Status::kMasked);
  const auto asked =
      uls().referrals().Show(uls().officer(), referral_, {"identity"}, false);
  EXPECT_EQ(ErrorCodeOf(asked.status()), "key_too_new");
  // ong's committee gives it another key; the thief's goes, and its mail too.
  world_.broker().SetStatus("ong", MemberStatus::kSuspended);
  world_.Settle();
  EXPECT_NE(StatusOf("identity"), SectionView::Status::kErased);
}

TEST_F(IdentityThief, GetsNothingSentThatIsNew) {
  Steal();
  EXPECT_EQ(ErrorCodeOf(
                uls()
                    .peers()
                    .PrekeyFor(world_.broker().Id("ong"), world_.clock().Now())
                    .status()),
            "key_too_new");
}

TEST_F(IdentityThief, MailUnderItsKeyGoesWhenTheOwnerReplacesIt) {
  Steal();
  SendAsOng(RevocationOfAll());
  ASSERT_EQ(uls().held().size(), 1u);
  // The owner finds the key in the log and makes another; uls hears of it by
  // phone and compares the words of that one.
  TestAgent owner(world_.broker(), "ong");
  for (int turn = 0; turn < 3; ++turn) owner.Turn(world_.Shown());
  world_.Settle();
  Confirm(uls(), "ong");
  world_.Settle();
  EXPECT_EQ(uls().held().size(), 0u);
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  EXPECT_EQ(StatusOf("identity"), SectionView::Status::kOpen);
}

TEST_F(IdentityThief, ARealRevocationUnderANewKeyIsCarriedOutAfterTheCall) {
  Steal();  // or the owner itself, with a backup
  SendAsOng(RevocationOfAll());
  Confirm(uls(), "ong");
  world_.Settle();
  EXPECT_EQ(uls().held().size(), 0u);
  EXPECT_EQ(StatusOf("identity"), SectionView::Status::kErased);
}

}  // namespace
}  // namespace amparo::agent

#include <optional>
#include <string>

#include "proto/network/key_event.h"
#include "tests/adversary/victims.h"

// Somebody has a key of ong and publishes keys in its name, by way of a broker
// that cannot tell. To everybody else that looks like ong; ong itself knows.

namespace amparo::agent {
namespace {

class KeyThief : public Victims {
 protected:
  const MemberId& Id() { return world_.broker().Id("ong"); }
  const KeyDirectory& Keys() { return ong().peers().Now()->keys; }
  SignerRecord Current() { return Keys().CurrentSigner(Id()).value(); }
  bool Rings() { return HasAlarm(ong(), "own_key"); }

  // An event at the next free place, as the thief writes it.
  KeyEvent NextEvent(KeyEventKind kind, std::variant<VerifyKey, SealingKey> key,
                     absl::Duration life) {
    const auto head = Keys().HeadOf(Id());
    const auto peers = ong().peers().Now();
    const absl::Time now = TimeFromUnix(UnixSeconds(world_.clock().Now()));
    return KeyEvent{.net = peers->charter.network_id,
                    .member = Id(),
                    .seq = head.seq + 1,
                    .prev_hash = head.hash,
                    .charter_hash = peers->charter.hash,
                    .kind = kind,
                    .key = std::move(key),
                    .from = now,
                    .until = now + life,
                    .vouched_by_old = std::nullopt};
  }
  void Publish(const KeyEvent& event, const SigningKey& by) {
    VALUE_OF(world_.broker().PublishKeyEvent("ong", SignKeyEvent(event, by)));
  }
  void PublishPrekey() {
    Publish(NextEvent(KeyEventKind::kPrekey,
                      OpeningKey::Generate().sealing_key(), kPrekeyLife),
            VALUE_OF(ong().keys().Signer()));
  }
  void PublishSigningKey() {
    Publish(NextEvent(KeyEventKind::kSigning,
                      SigningKey::Generate().verify_key(), kSigningKeyLife),
            world_.broker().member("ong").identity());
  }
  void PutAway() {
    ASSERT_OK(ong().alarms().Acknowledge("own_key", std::nullopt));
  }
  void Pass(absl::Duration time) {
    world_.clock().Advance(time);
    world_.Settle();
  }
};

TEST_F(KeyThief, OfTheSigningKeyIsHeardWhenItPublishesAPrekey) {
  EXPECT_FALSE(Rings());
  PublishPrekey();
  world_.Settle();
  EXPECT_TRUE(Rings());
  EXPECT_FALSE(HasAlarm(uls(), "own_key"));
}

TEST_F(KeyThief, OfTheIdentityIsHeardWhenItAddsASigningKey) {
  PublishSigningKey();
  world_.Settle();
  // The agent has another key in force by now; that it rang stays.
  EXPECT_TRUE(ong().keys().IsOwn(Current().key.Thumbprint()));
  EXPECT_TRUE(Rings());
}

TEST_F(KeyThief, IsHeardWhenItRevokesAKey) {
  const VerifyKey key = Current().key;
  Publish(NextEvent(KeyEventKind::kRevoke, key, kSigningKeyLife),
          VALUE_OF(ong().keys().Signer()));
  world_.Settle();
  EXPECT_TRUE(Rings());
}

TEST_F(KeyThief, ThatTakesItsKeyBackBeforeTheOwnerLooksIsHeardToo) {
  ong().port().down = true;
  const SigningKey key = SigningKey::Generate();
  const SigningKey& identity = world_.broker().member("ong").identity();
  const KeyEvent added =
      NextEvent(KeyEventKind::kSigning, key.verify_key(), kSigningKeyLife);
  const std::string document = SignKeyEvent(added, identity);
  VALUE_OF(world_.broker().PublishKeyEvent("ong", document));
  KeyEvent ended =
      NextEvent(KeyEventKind::kRevoke, key.verify_key(), kSigningKeyLife);
  ended.seq = added.seq + 1;
  ended.prev_hash = Sha256(document);
  Publish(ended, identity);
  ong().port().down = false;
  world_.Settle();
  EXPECT_TRUE(Rings());
}

TEST_F(KeyThief, RingsOnceForEachKey) {
  PublishPrekey();
  world_.Settle();
  PutAway();
  world_.Settle();
  EXPECT_FALSE(Rings());
  ong().Restart();
  world_.Settle();
  EXPECT_FALSE(Rings());
  PublishPrekey();
  world_.Settle();
  EXPECT_TRUE(Rings());
}

TEST_F(KeyThief, IsShutOutByARevocationAndTheAlarmEnds) {
  PublishPrekey();
  world_.Settle();
  const Digest stolen = Current().key.Thumbprint();
  VALUE_OF(ong().keys().OrderRevocation("", std::nullopt));
  world_.Settle();
  EXPECT_NE(Current().key.Thumbprint(), stolen);
  for (const PrekeyRecord& prekey : Keys().Prekeys(Id()))
    EXPECT_TRUE(ong().keys().IsOwn(prekey.key.Id()));
  EXPECT_FALSE(Rings());
  ExpectHonestTrafficFlows();
}

TEST_F(KeyThief, OfTheIdentityDoesNotFallSilentByItself) {
  PublishSigningKey();
  world_.Settle();
  Pass(absl::Hours(30));
  EXPECT_TRUE(Rings());
}

TEST_F(KeyThief, IsNotTheAgentItself) {
  // Rotations, revocations, destroyed prekeys, restarts: all its own.
  Pass(absl::Hours(25));
  Pass(absl::Hours(3));
  VALUE_OF(ong().keys().OrderRotation("1"));
  world_.Settle();
  ong().Restart();
  VALUE_OF(ong().keys().OrderRevocation("2", std::nullopt));
  world_.Settle();
  Pass(kPrekeyDestroyLatest + absl::Hours(1));
  ong().Restart();
  Pass(kSigningKeyRotateAfter);
  for (const char* member : {"ong", "uls", "gnr"})
    EXPECT_FALSE(HasAlarm(world_.agent(member), "own_key")) << member;
}

TEST_F(KeyThief, IsNotTheAgentThatLostItsDisk) {
  TestAgent anew(world_.broker(), "ong");  // the identity key is all it has
  for (int turn = 0; turn < 3; ++turn) anew.Turn(world_.Shown());
  ASSERT_OK(anew.keys().Signer());
  EXPECT_FALSE(HasAlarm(anew, "own_key"));
  // The old disk, found again, hears of it.
  world_.Settle();
  EXPECT_TRUE(Rings());
}

TEST_F(KeyThief, IsNotTheCommitteeThatEndsTheKeys) {
  world_.broker().SetStatus("ong", MemberStatus::kLeft);
  ASSERT_OK(ong().log().Follow(world_.Checkpoint()));
  ASSERT_FALSE(Keys().CurrentSigner(Id()).has_value());
  ASSERT_OK(ong().own_name().Look());
  EXPECT_FALSE(Rings());
}

}  // namespace
}  // namespace amparo::agent

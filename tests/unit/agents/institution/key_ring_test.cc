#include "agents/institution/core/key_ring.h"

#include "absl/strings/match.h"
#include "base/error.h"
#include "proto/envelope/limits.h"
#include "tests/support/agent_world.h"
#include "tests/support/status_matchers.h"

// One agent's own keys, in a network that proves them.

namespace amparo::agent {
namespace {

const auto kGone = StatusIs(absl::StatusCode::kNotFound);

class KeyRingTest : public testing::Test {
 protected:
  TestAgent& uls() { return world_.agent("uls"); }
  KeyRing& keys() { return uls().keys(); }
  Digest Kid() { return VALUE_OF(keys().Signer()).verify_key().Thumbprint(); }
  std::vector<PrekeyRecord> Prekeys() {
    return uls().peers().Now()->keys.Prekeys(world_.broker().Id("uls"));
  }
  Digest NewestPrekey() { return Prekeys().front().key.Id(); }
  SignerRecord Signer() {
    return uls().peers().Now()->keys.CurrentSigner(world_.broker().Id("uls")).value();
  }
  size_t SignersInForce() {
    size_t count = 0;
    for (const SignerRecord& signer :
         uls().peers().Now()->keys.SignersOf(world_.broker().Id("uls")))
      count += signer.revoked_at ? 0 : 1;
    return count;
  }
  void Pass(absl::Duration time) {
    world_.clock().Advance(time);
    world_.Settle();
  }

  void Destroy() {
    EXPECT_OK(keys().DestroyOldPrekeys(
        uls().port(), uls().intake().cursor(), needed_));
  }

  AgentWorld world_;
  std::set<Digest> needed_;
};

TEST_F(KeyRingTest, ANewPrekeyComesEveryDayAndTheOldOneStillOpens) {
  const Digest first = NewestPrekey();
  Pass(absl::Hours(23));
  EXPECT_EQ(NewestPrekey(), first);
  Pass(absl::Hours(2));
  EXPECT_NE(NewestPrekey(), first);
  EXPECT_OK(keys().OpeningFor(first));
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

TEST_F(KeyRingTest, AReplacedPrekeyIsDestroyedTwoHoursLater) {
  const Digest first = NewestPrekey();
  Pass(absl::Hours(25));
  Destroy();
  EXPECT_OK(keys().OpeningFor(first));
  Pass(kPrekeyDestroyAfter);
  Destroy();
  EXPECT_THAT(keys().OpeningFor(first), kGone);
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

TEST_F(KeyRingTest, APrekeyThatWaitingMailNeedsStaysForItsLifeAndNotLonger) {
  const Digest first = NewestPrekey();
  Pass(absl::Hours(25));
  const Digest second = NewestPrekey();
  needed_ = {first};
  Destroy();
  world_.clock().Advance(kPrekeyDestroyAfter);
  Destroy();
  EXPECT_OK(keys().OpeningFor(first));
  EXPECT_OK(keys().OpeningFor(second));
  world_.clock().Advance(kPrekeyDestroyLatest - absl::Hours(28));
  Destroy();
  EXPECT_OK(keys().OpeningFor(first));
  world_.clock().Advance(absl::Hours(2));
  Destroy();
  EXPECT_THAT(keys().OpeningFor(first), kGone);
}

TEST_F(KeyRingTest, ABrokerThatNeverDrainsKeepsNoPrekeyForEver) {
  const Digest first = NewestPrekey();
  Pass(absl::Hours(25));
  uls().port().down = true;
  Pass(kPrekeyDestroyLatest - absl::Hours(24));
  EXPECT_TRUE(absl::IsUnavailable(
      keys().DestroyOldPrekeys(
          uls().port(), uls().intake().cursor(), {})));
  EXPECT_THAT(keys().OpeningFor(first), kGone);
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

TEST_F(KeyRingTest, APrekeyThatTheLogForgotIsDestroyedToo) {
  const Digest first = NewestPrekey();
  // Its signing key is lost: a new one, by the identity alone, revokes it and
  // the prekeys it made.
  Batch lost;
  ASSERT_OK(
      uls().kv().Scan("key/signing/", "", [&](absl::string_view key, ByteView) {
        lost.Delete(key);
        return true;
      }));
  ASSERT_OK(uls().kv().Write(lost));
  Pass(absl::Hours(1));
  for (const PrekeyRecord& prekey : Prekeys())
    ASSERT_NE(prekey.key.Id(), first);
  Destroy();
  EXPECT_OK(keys().OpeningFor(first));  // mail to it may still be on its way
  Pass(kPrekeyDestroyLatest);
  Destroy();
  EXPECT_THAT(keys().OpeningFor(first), kGone);
}

TEST_F(KeyRingTest, TheSigningKeyRotatesAndTheOldOneVouches) {
  const Digest first = Kid();
  Pass(kSigningKeyRotateAfter - absl::Hours(1));
  EXPECT_EQ(Kid(), first);
  Pass(absl::Hours(2));
  EXPECT_NE(Kid(), first);
  const auto signer =
      uls().peers().Now()->keys.CurrentSigner(world_.broker().Id("uls"));
  EXPECT_EQ(signer->vouched_by, first);
}

TEST_F(KeyRingTest, AKeyIsNotUsedBeforeTheLogProvesIt) {
  const Digest first = Kid();
  world_.clock().Advance(kSigningKeyRotateAfter + absl::Hours(1));
  ASSERT_OK(keys().Maintain(uls().port()));  // published, and not followed yet
  EXPECT_EQ(Kid(), first);
  world_.Settle();
  EXPECT_NE(Kid(), first);
}

TEST_F(KeyRingTest, WhatWasCutOffIsPublishedAsItWasMade) {
  world_.clock().Advance(absl::Hours(25));
  uls().port().down = true;
  EXPECT_THAT(keys().Maintain(uls().port()),
              StatusIs(absl::StatusCode::kUnavailable));
  const size_t before = Prekeys().size();
  uls().Restart();
  uls().port().down = false;
  world_.Settle();
  EXPECT_EQ(Prekeys().size(), before + 1);
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

TEST_F(KeyRingTest, AnEventThatRanOutBeforeItWasPublishedIsMadeAnew) {
  world_.clock().Advance(absl::Hours(25));
  uls().port().down = true;
  EXPECT_THAT(keys().Maintain(uls().port()),
              StatusIs(absl::StatusCode::kUnavailable));
  world_.clock().Advance(kPrekeyLife + absl::Hours(1));  // the outage lasts
  uls().port().down = false;
  world_.Settle();
  EXPECT_GT(keys().PrekeyUntil(), world_.clock().Now());
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

// ---- orders

TEST_F(KeyRingTest, ARotationReplacesBothKeysAndTheOldOneVouches) {
  const Digest kid = Kid(), prekey = NewestPrekey();
  EXPECT_FALSE(VALUE_OF(keys().OrderRotation("1")).done);
  world_.Settle();
  const KeyOrder order = VALUE_OF(keys().OrderRotation("1"));
  EXPECT_TRUE(order.done);
  EXPECT_EQ(Signer().vouched_by, kid);
  EXPECT_EQ(Signer().key.Thumbprint(), Kid());
  EXPECT_NE(NewestPrekey(), prekey);
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

TEST_F(KeyRingTest, TheSameRequestIsTheSameOrder) {
  VALUE_OF(keys().OrderRotation("1"));
  world_.Settle();
  const Digest kid = Kid();
  EXPECT_TRUE(VALUE_OF(keys().OrderRotation("1")).done);
  world_.Settle();
  EXPECT_EQ(Kid(), kid);
  VALUE_OF(keys().OrderRotation("2"));
  world_.Settle();
  EXPECT_NE(Kid(), kid);
  EXPECT_THAT(keys().OrderRevocation("2", std::nullopt),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(KeyRingTest, ARevocationEndsTheKeyAndANewOneComesByTheIdentityAlone) {
  Pass(kSigningKeyRotateAfter + absl::Hours(1));  // an older one is still valid
  const Digest revoked = Kid();
  ASSERT_EQ(SignersInForce(), 2u);
  VALUE_OF(keys().OrderRevocation("1", std::nullopt));
  world_.Settle();
  EXPECT_TRUE(VALUE_OF(keys().OrderRevocation("1", std::nullopt)).done);
  EXPECT_NE(Kid(), revoked);
  EXPECT_FALSE(Signer().vouched_by.has_value());
  EXPECT_EQ(SignersInForce(), 1u);  // what it might have vouched for ended too
  EXPECT_EQ(Prekeys().size(), 1u);
  EXPECT_OK(keys().OpeningFor(NewestPrekey()));
}

TEST_F(KeyRingTest, AnOlderKeyIsRevokedByItsName) {
  const Digest old = Kid();
  VALUE_OF(keys().OrderRotation("1"));
  world_.Settle();
  const Digest current = Kid();
  VALUE_OF(keys().OrderRevocation("2", old));
  world_.Settle();
  EXPECT_EQ(Kid(), current);
  EXPECT_EQ(SignersInForce(), 1u);
  // It is revoked: once more is no error, and no event.
  const size_t leaves = world_.broker().leaf_count();
  VALUE_OF(keys().OrderRevocation("3", old));
  world_.Settle();
  EXPECT_TRUE(VALUE_OF(keys().OrderRevocation("3", old)).done);
  EXPECT_EQ(world_.broker().leaf_count(), leaves);
  EXPECT_THAT(keys().OrderRevocation("4", Sha256("no key")),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(KeyRingTest, AnOrderOutlivesAnOutageAndARestart) {
  const Digest revoked = Kid();
  uls().port().down = true;
  VALUE_OF(keys().OrderRevocation("1", std::nullopt));
  EXPECT_THAT(keys().Maintain(uls().port()),
              StatusIs(absl::StatusCode::kUnavailable));
  uls().Restart();
  EXPECT_FALSE(VALUE_OF(keys().OrderRevocation("1", std::nullopt)).done);
  // Another one has to wait; the same under another id is this one.
  EXPECT_THAT(keys().OrderRotation("2"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(VALUE_OF(keys().OrderRevocation("3", revoked)).request_id, "1");
  uls().port().down = false;
  world_.Settle();
  EXPECT_TRUE(VALUE_OF(keys().OrderRevocation("1", std::nullopt)).done);
  EXPECT_NE(Kid(), revoked);
}

TEST_F(KeyRingTest, ASuspendedMemberMayStillRevoke) {
  const Digest revoked = Kid();
  world_.broker().SetStatus("uls", MemberStatus::kSuspended);
  world_.Settle();
  VALUE_OF(keys().OrderRevocation("1", std::nullopt));
  world_.Settle();
  EXPECT_EQ(SignersInForce(), 0u);
  EXPECT_FALSE(VALUE_OF(keys().OrderRevocation("1", revoked)).done);
  world_.broker().SetStatus("uls", MemberStatus::kActive);
  world_.Settle();
  EXPECT_TRUE(VALUE_OF(keys().OrderRevocation("1", revoked)).done);
  EXPECT_NE(Kid(), revoked);
}

TEST_F(KeyRingTest, AMemberThatLeftIsToldSo) {
  world_.broker().SetStatus("uls", MemberStatus::kLeft);
  world_.Settle();
  for (const absl::Status& refused :
       {keys().OrderRotation("1").status(),
        keys().OrderRevocation("2", std::nullopt).status()}) {
    EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
    EXPECT_TRUE(absl::StrContains(refused.message(), "has left"));
  }
}

}  // namespace
}  // namespace amparo::agent

#include "proto/network/key_directory.h"

#include "base/error.h"
#include "tests/unit/proto/network/samples.h"

namespace amparo {
namespace {

const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);
const auto kOutOfOrder = StatusIs(absl::StatusCode::kFailedPrecondition);
const auto kForked = StatusIs(absl::StatusCode::kDataLoss);

// The log of a network with "ong" and "gnr" active: charter 1 at leaf 0,
// charter 2 at leaf 1, an hour between leaves.
class KeyDirectoryTest : public testing::Test {
 protected:
  KeyDirectoryTest() {
    directory_.SetCharter(charter_, LeafIndex(0));
    network_.Activate("ong");
    network_.Activate("gnr");
    NextCharter();
  }

  void NextCharter() {
    charter_ = network_.Next(charter_);
    directory_.SetCharter(charter_, NewLeaf());
  }

  LeafIndex NewLeaf() {
    now_ += absl::Hours(1);
    return LeafIndex(++leaf_);
  }

  // The event that `member` may make next.
  KeyEvent Next(const std::string& member, KeyEventKind kind,
                std::variant<VerifyKey, SealingKey> key) {
    const KeyDirectory::Head head = directory_.HeadOf(Id(member));
    const absl::Duration life =
        kind == KeyEventKind::kPrekey ? kPrekeyLifeMax : kSigningKeyLifeMax;
    return KeyEvent{charter_.network_id, Id(member),    head.seq + 1,
                    head.hash,           charter_.hash, kind,
                    std::move(key),      now_,          now_ + life};
  }

  absl::Status Apply(const std::string& document) {
    const LeafIndex leaf = NewLeaf();
    // What the broker asks before it logs must be what everyone finds after.
    const absl::Status checked = directory_.Check(document, now_);
    const absl::Status applied = directory_.Apply(document, leaf, now_);
    EXPECT_EQ(checked.code(), applied.code());
    return applied;
  }

  absl::Status AddSigner(const std::string& member, const SigningKey& key,
                         const SigningKey* old = nullptr) {
    KeyEvent event = Next(member, KeyEventKind::kSigning, key.verify_key());
    if (old != nullptr) event.vouched_by_old = VouchForKey(event, *old);
    return Apply(SignKeyEvent(event, network_.identity(member)));
  }
  absl::Status AddPrekey(const std::string& member, const SigningKey& signer,
                         const SealingKey& key) {
    return Apply(
        SignKeyEvent(Next(member, KeyEventKind::kPrekey, key), signer));
  }
  absl::Status Revoke(const std::string& member, const SigningKey& key,
                      const SigningKey& by) {
    return Apply(SignKeyEvent(
        Next(member, KeyEventKind::kRevoke, key.verify_key()), by));
  }

  // Whether an event that `key` signed for `member` counts at a leaf.
  absl::Status ValidAt(const std::string& member, const SigningKey& key,
                       uint64_t leaf) {
    return directory_
        .SignerAt(Id(member), key.verify_key().Thumbprint(), LeafIndex(leaf),
                  now_)
        .status();
  }

  TestNetwork network_;
  AcceptedCharter charter_ = network_.Found();
  KeyDirectory directory_;
  absl::Time now_ = kNoon;
  uint64_t leaf_ = 0;
  SigningKey agent_ = SigningKey::Generate();
  SealingKey prekey_ = OpeningKey::Generate().sealing_key();
};

TEST_F(KeyDirectoryTest, AMemberAddsASigningKeyAndThenPrekeys) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  const SealingKey newer = OpeningKey::Generate().sealing_key();
  ASSERT_OK(AddPrekey("ong", agent_, newer));

  const auto signer = directory_.CurrentSigner(Id("ong"));
  ASSERT_TRUE(signer.has_value());
  EXPECT_EQ(signer->key, agent_.verify_key());
  EXPECT_FALSE(signer->vouched);
  const std::vector<PrekeyRecord> prekeys = directory_.Prekeys(Id("ong"));
  ASSERT_EQ(prekeys.size(), 2u);
  EXPECT_EQ(prekeys[0].key, newer);
  EXPECT_EQ(prekeys[1].key, prekey_);
  EXPECT_EQ(VALUE_OF(directory_.FindPrekey(Id("ong"), prekey_.Id())).key,
            prekey_);
  EXPECT_THAT(directory_.FindPrekey(Id("gnr"), prekey_.Id()),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(directory_.HeadOf(Id("ong")).seq, 3u);
}

TEST_F(KeyDirectoryTest, AKeyCountsFromTheLeafAfterItsOwnToItsEnd) {
  ASSERT_OK(AddSigner("ong", agent_));
  const Digest kid = agent_.verify_key().Thumbprint();
  EXPECT_THAT(ValidAt("ong", agent_, leaf_), kDenied);
  EXPECT_OK(ValidAt("ong", agent_, leaf_ + 1));
  EXPECT_THAT(ValidAt("gnr", agent_, leaf_ + 1), kDenied);
  const absl::Time until = directory_.CurrentSigner(Id("ong"))->until;
  EXPECT_OK(
      directory_.SignerAt(kid, LeafIndex(leaf_ + 1), until - absl::Seconds(1)));
  EXPECT_THAT(directory_.SignerAt(kid, LeafIndex(leaf_ + 1), until), kDenied);
  EXPECT_THAT(directory_.SignerAt(Fill(1), LeafIndex(leaf_ + 1), now_),
              kDenied);
}

TEST_F(KeyDirectoryTest, WithoutACharterNothingCounts) {
  KeyDirectory empty;
  const std::string document =
      SignKeyEvent(Next("ong", KeyEventKind::kSigning, agent_.verify_key()),
                   network_.identity("ong"));
  EXPECT_THAT(empty.Apply(document, LeafIndex(1), now_), kOutOfOrder);
}

// A ghost: a key in the name of somebody who is no member, or not yet.
TEST_F(KeyDirectoryTest, NobodyButMembersAddsKeys) {
  const SigningKey own = SigningKey::Generate();
  EXPECT_THAT(
      Apply(SignKeyEvent(
          Next("ghost", KeyEventKind::kSigning, agent_.verify_key()), own)),
      kDenied);
  network_.AddMember("invited");
  NextCharter();
  EXPECT_THAT(
      Apply(SignKeyEvent(
          Next("invited", KeyEventKind::kSigning, agent_.verify_key()), own)),
      kDenied);
  EXPECT_FALSE(directory_.CurrentSigner(Id("ghost")).has_value());
}

TEST_F(KeyDirectoryTest, OnlyTheIdentityKeyAddsASigningKey) {
  const SigningKey fresh = SigningKey::Generate();
  const KeyEvent event =
      Next("ong", KeyEventKind::kSigning, fresh.verify_key());
  EXPECT_THAT(Apply(SignKeyEvent(event, fresh)), kDenied);
  EXPECT_THAT(Apply(SignKeyEvent(event, network_.identity("gnr"))), kDenied);
  EXPECT_THAT(Apply(SignKeyEvent(event, network_.governance(1))), kDenied);
  ASSERT_OK(AddSigner("ong", agent_));
  EXPECT_THAT(
      Apply(SignKeyEvent(
          Next("ong", KeyEventKind::kSigning, fresh.verify_key()), agent_)),
      kDenied);
}

TEST_F(KeyDirectoryTest, OnlyAValidSigningKeyOfTheMemberAddsAPrekey) {
  const SigningKey other = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddSigner("gnr", other));
  EXPECT_THAT(AddPrekey("ong", other, prekey_), kDenied);
  EXPECT_THAT(AddPrekey("ong", network_.identity("ong"), prekey_), kDenied);
  EXPECT_THAT(AddPrekey("ong", SigningKey::Generate(), prekey_), kDenied);
  EXPECT_TRUE(directory_.Prekeys(Id("ong")).empty());
  now_ += kSigningKeyLifeMax;
  EXPECT_THAT(AddPrekey("ong", agent_, prekey_), kDenied);
}

TEST_F(KeyDirectoryTest, AnEventOfAnotherNetworkIsRefused) {
  KeyEvent event = Next("ong", KeyEventKind::kSigning, agent_.verify_key());
  event.net = Fill(9);
  EXPECT_THAT(Apply(SignKeyEvent(event, network_.identity("ong"))), kDenied);
}

TEST_F(KeyDirectoryTest, AMemberThatSawAnotherCharterIsNotBelieved) {
  KeyEvent event = Next("ong", KeyEventKind::kSigning, agent_.verify_key());
  event.charter_hash = Fill(9);
  EXPECT_THAT(Apply(SignKeyEvent(event, network_.identity("ong"))),
              kOutOfOrder);
  // An older one is no offence: the event may have been on its way.
  NextCharter();
  event.charter_hash = *charter_.charter.prev_hash;
  EXPECT_OK(Apply(SignKeyEvent(event, network_.identity("ong"))));
}

TEST_F(KeyDirectoryTest, AGapAndAWrongPredecessorChangeNothing) {
  KeyEvent gap = Next("ong", KeyEventKind::kSigning, agent_.verify_key());
  gap.seq = 2;
  EXPECT_THAT(Apply(SignKeyEvent(gap, network_.identity("ong"))), kOutOfOrder);
  KeyEvent wrong = Next("ong", KeyEventKind::kSigning, agent_.verify_key());
  wrong.prev_hash = Fill(9);
  EXPECT_THAT(Apply(SignKeyEvent(wrong, network_.identity("ong"))),
              kOutOfOrder);
  EXPECT_EQ(directory_.HeadOf(Id("ong")).seq, 0u);
  EXPECT_FALSE(directory_.IsFrozen(Id("ong")));
}

TEST_F(KeyDirectoryTest, AKeyForLaterOrOfThePastIsRefused) {
  KeyEvent later = Next("ong", KeyEventKind::kSigning, agent_.verify_key());
  later.from += absl::Hours(2);
  EXPECT_THAT(Apply(SignKeyEvent(later, network_.identity("ong"))),
              kOutOfOrder);
  KeyEvent past = Next("ong", KeyEventKind::kSigning, agent_.verify_key());
  past.from -= kSigningKeyLifeMax;
  past.until -= kSigningKeyLifeMax;
  EXPECT_THAT(Apply(SignKeyEvent(past, network_.identity("ong"))), kOutOfOrder);
}

TEST_F(KeyDirectoryTest, AfterTheChartersEndNobodyGetsANewSigningKey) {
  ASSERT_OK(AddSigner("ong", agent_));
  const SigningKey next = SigningKey::Generate();
  now_ = charter_.charter.expires - absl::Hours(2);
  ASSERT_OK(AddSigner("ong", next));
  now_ = charter_.charter.expires;
  EXPECT_THAT(AddSigner("ong", SigningKey::Generate(), &next), kOutOfOrder);
  EXPECT_OK(AddPrekey("ong", next, prekey_));  // who is in can still receive
  EXPECT_OK(Revoke("ong", next, next));
}

TEST_F(KeyDirectoryTest, TheSameEventAgainChangesNothing) {
  const std::string document =
      SignKeyEvent(Next("ong", KeyEventKind::kSigning, agent_.verify_key()),
                   network_.identity("ong"));
  ASSERT_OK(Apply(document));
  const LeafIndex first = directory_.CurrentSigner(Id("ong"))->leaf;
  EXPECT_OK(Apply(document));
  EXPECT_EQ(directory_.CurrentSigner(Id("ong"))->leaf, first);
  EXPECT_EQ(directory_.HeadOf(Id("ong")).seq, 1u);
}

TEST_F(KeyDirectoryTest, ASecondEventForASeqFreezesTheMembersKeys) {
  ASSERT_OK(AddSigner("ong", agent_));
  KeyEvent first = Next("ong", KeyEventKind::kPrekey, prekey_);
  ASSERT_OK(Apply(SignKeyEvent(first, agent_)));
  first.key = OpeningKey::Generate().sealing_key();
  const absl::Status fork = Apply(SignKeyEvent(first, agent_));
  EXPECT_THAT(fork, kForked);
  EXPECT_EQ(ErrorCodeOf(fork), "forked");

  EXPECT_TRUE(directory_.IsFrozen(Id("ong")));
  EXPECT_TRUE(directory_.Prekeys(Id("ong")).empty());
  EXPECT_FALSE(directory_.CurrentSigner(Id("ong")).has_value());
  // What was signed before stays valid, what comes after does not.
  EXPECT_OK(ValidAt("ong", agent_, leaf_ - 1));
  EXPECT_THAT(ValidAt("ong", agent_, leaf_ + 1), kDenied);
  EXPECT_THAT(AddSigner("ong", SigningKey::Generate()), kDenied);
  EXPECT_FALSE(directory_.IsFrozen(Id("gnr")));
}

TEST_F(KeyDirectoryTest, AnOutsiderCannotFreezeAnyone) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddSigner("gnr", SigningKey::Generate()));
  KeyEvent forged =
      Next("ong", KeyEventKind::kSigning, SigningKey::Generate().verify_key());
  forged.seq = 1;
  EXPECT_THAT(Apply(SignKeyEvent(forged, network_.identity("gnr"))), kDenied);
  EXPECT_THAT(Apply(SignKeyEvent(forged, agent_)), kDenied);
  std::string broken = SignKeyEvent(forged, network_.identity("ong"));
  broken[broken.size() - 10] = broken[broken.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_THAT(Apply(broken), kDenied);
  EXPECT_FALSE(directory_.IsFrozen(Id("ong")));
}

TEST_F(KeyDirectoryTest, AThiefOfARevokedKeyCannotFreezeItsMember) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  ASSERT_OK(Revoke("ong", agent_, network_.identity("ong")));
  for (const auto kind : {KeyEventKind::kPrekey, KeyEventKind::kRevoke}) {
    KeyEvent forged = Next("ong", kind, prekey_);
    if (kind == KeyEventKind::kRevoke) forged.key = agent_.verify_key();
    forged.seq = 2;
    EXPECT_THAT(Apply(SignKeyEvent(forged, agent_)), kDenied);
  }
  EXPECT_FALSE(directory_.IsFrozen(Id("ong")));
}

TEST_F(KeyDirectoryTest, AVouchedRotationLeavesTheOldKeyToItsEnd) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  now_ += absl::Hours(24 * 60);
  const SigningKey next = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", next, &agent_));
  EXPECT_EQ(directory_.CurrentSigner(Id("ong"))->key, next.verify_key());
  EXPECT_OK(ValidAt("ong", agent_, leaf_ + 1));
  EXPECT_OK(ValidAt("ong", next, leaf_ + 1));
  EXPECT_EQ(directory_.Prekeys(Id("ong")).size(), 1u);
}

TEST_F(KeyDirectoryTest, AKeyByTheIdentityAloneRevokesTheOlderOnes) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  const SigningKey next = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", next));
  const uint64_t at = leaf_;
  EXPECT_OK(ValidAt("ong", agent_, at - 1));
  EXPECT_THAT(ValidAt("ong", agent_, at), kDenied);
  EXPECT_THAT(ValidAt("ong", agent_, at + 1), kDenied);
  EXPECT_OK(ValidAt("ong", next, at + 1));
  // Its thief may have made them.
  EXPECT_TRUE(directory_.Prekeys(Id("ong")).empty());
  EXPECT_FALSE(directory_.CurrentSigner(Id("ong"))->vouched);
}

TEST_F(KeyDirectoryTest, ABadVouchRefusesTheEvent) {
  ASSERT_OK(AddSigner("ong", agent_));
  const SigningKey next = SigningKey::Generate();
  const SigningKey thief = SigningKey::Generate();
  EXPECT_THAT(AddSigner("ong", next, &thief), kDenied);
  EXPECT_OK(ValidAt("ong", agent_, leaf_ + 1));
  // Nor does a key vouch that was replaced, or that ran out.
  ASSERT_OK(AddSigner("ong", next, &agent_));
  EXPECT_THAT(AddSigner("ong", thief, &agent_), kDenied);
  now_ += kSigningKeyLifeMax;
  EXPECT_THAT(AddSigner("ong", thief, &next), kDenied);
}

class TrustTest : public KeyDirectoryTest {
 protected:
  void Watch() {
    network_.InDraft("gnr").witness_key = SigningKey::Generate().verify_key();
    network_.draft.witness_quorum = 1;
    NextCharter();
  }
  bool Vouched() { return directory_.CurrentSigner(Id("ong"))->vouched; }
};

TEST_F(TrustTest, AThiefOfTheIdentityCannotVouchItsWayAroundTheDelay) {
  Watch();
  ASSERT_OK(AddSigner("ong", agent_));
  const SigningKey second = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", second, &agent_));  // an hour later
  EXPECT_FALSE(Vouched());
  now_ += absl::Hours(24);
  const SigningKey third = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", third, &second));
  EXPECT_TRUE(Vouched());
  const SigningKey fourth = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", fourth, &third));
  EXPECT_TRUE(Vouched());
}

TEST_F(TrustTest, WithoutAQuorumTimeAloneMakesNoKeyVouchFor) {
  ASSERT_OK(AddSigner("ong", agent_));
  now_ += absl::Hours(48);
  const SigningKey second = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", second, &agent_));
  EXPECT_FALSE(Vouched());
  // Who confirmed the first by phone finds it in the chain.
  const std::vector<SignerRecord> chain =
      directory_.ChainOf(*directory_.CurrentSigner(Id("ong")));
  ASSERT_EQ(chain.size(), 2u);
  EXPECT_EQ(chain[0].key, second.verify_key());
  EXPECT_EQ(chain[1].key, agent_.verify_key());
}

TEST_F(TrustTest, WithoutADelayEveryVouchCounts) {
  network_.draft.trust_delay = absl::ZeroDuration();
  NextCharter();
  ASSERT_OK(AddSigner("ong", agent_));
  const SigningKey second = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", second, &agent_));
  EXPECT_TRUE(Vouched());
}

TEST_F(KeyDirectoryTest, TheIdentityOrTheKeyItselfRevokesIt) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  ASSERT_OK(Revoke("ong", agent_, agent_));
  EXPECT_THAT(ValidAt("ong", agent_, leaf_ + 1), kDenied);
  EXPECT_OK(ValidAt("ong", agent_, leaf_ - 1));
  EXPECT_FALSE(directory_.CurrentSigner(Id("ong")).has_value());
  EXPECT_TRUE(directory_.Prekeys(Id("ong")).empty());
  EXPECT_THAT(AddPrekey("ong", agent_, prekey_), kDenied);

  const SigningKey next = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", next));
  ASSERT_OK(Revoke("ong", next, network_.identity("ong")));
  EXPECT_THAT(ValidAt("ong", next, leaf_ + 1), kDenied);
}

TEST_F(KeyDirectoryTest, NobodyElseRevokesAndNothingIsRevokedTwice) {
  ASSERT_OK(AddSigner("ong", agent_));
  const SigningKey second = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", second, &agent_));
  EXPECT_THAT(Revoke("ong", agent_, second), kDenied);
  EXPECT_THAT(Revoke("ong", agent_, network_.identity("gnr")), kDenied);
  EXPECT_THAT(Revoke("ong", SigningKey::Generate(), network_.identity("ong")),
              kOutOfOrder);
  ASSERT_OK(Revoke("ong", agent_, agent_));
  EXPECT_THAT(Revoke("ong", agent_, network_.identity("ong")), kOutOfOrder);
  EXPECT_EQ(directory_.CurrentSigner(Id("ong"))->key, second.verify_key());
}

TEST_F(KeyDirectoryTest, ARevokedKeyDoesNotComeBackNorDoesAnothersBecomeOwn) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(Revoke("ong", agent_, agent_));
  EXPECT_THAT(AddSigner("ong", agent_), kOutOfOrder);
  EXPECT_THAT(AddSigner("gnr", agent_), kOutOfOrder);
  // A key has one use.
  KeyEvent identity = Next("gnr", KeyEventKind::kSigning,
                           network_.identity("ong").verify_key());
  EXPECT_THAT(Apply(SignKeyEvent(identity, network_.identity("gnr"))), kDenied);
}

TEST_F(KeyDirectoryTest, APrekeyIsAddedOnce) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  EXPECT_THAT(AddPrekey("ong", agent_, prekey_), kOutOfOrder);
}

TEST_F(KeyDirectoryTest, PrekeysLongGoneAreForgotten) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  now_ += kPrekeyLifeMax + absl::Hours(24 * 31);
  ASSERT_OK(AddPrekey("ong", agent_, OpeningKey::Generate().sealing_key()));
  EXPECT_EQ(directory_.Prekeys(Id("ong")).size(), 1u);
}

TEST_F(KeyDirectoryTest, AReplacedIdentityKeyEndsWhatTheOldOneMade) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  const KeyEvent by_old =
      Next("ong", KeyEventKind::kSigning, SigningKey::Generate().verify_key());
  const std::string document = SignKeyEvent(by_old, network_.identity("ong"));
  network_.Activate("ong");
  NextCharter();
  const uint64_t at = leaf_;
  EXPECT_OK(ValidAt("ong", agent_, at - 1));
  EXPECT_THAT(ValidAt("ong", agent_, at + 1), kDenied);
  EXPECT_TRUE(directory_.Prekeys(Id("ong")).empty());
  EXPECT_THAT(Apply(document), kDenied);
  const SigningKey next = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", next));
  EXPECT_OK(ValidAt("ong", next, leaf_ + 1));
}

TEST_F(KeyDirectoryTest, ANewCharterLeavesOtherKeysAlone) {
  ASSERT_OK(AddSigner("ong", agent_));
  ASSERT_OK(AddPrekey("ong", agent_, prekey_));
  network_.AddMember("uls");
  NextCharter();
  EXPECT_OK(ValidAt("ong", agent_, leaf_ + 1));
  EXPECT_EQ(directory_.Prekeys(Id("ong")).size(), 1u);
}

TEST_F(KeyDirectoryTest, AMemberThatLeftSignsNoMore) {
  ASSERT_OK(AddSigner("ong", agent_));
  network_.InDraft("ong").status = MemberStatus::kLeft;
  NextCharter();
  EXPECT_THAT(ValidAt("ong", agent_, leaf_ + 1), kDenied);
  EXPECT_THAT(AddSigner("ong", SigningKey::Generate()), kDenied);
}

TEST_F(KeyDirectoryTest, ASuspendedMemberAddsNoKeysButMayRevoke) {
  ASSERT_OK(AddSigner("ong", agent_));
  network_.InDraft("ong").status = MemberStatus::kSuspended;
  NextCharter();
  EXPECT_THAT(AddPrekey("ong", agent_, prekey_), kDenied);
  EXPECT_OK(Revoke("ong", agent_, agent_));
}

TEST_F(KeyDirectoryTest, ANewIdentityKeyEndsAFreeze) {
  ASSERT_OK(AddSigner("ong", agent_));
  KeyEvent event = Next("ong", KeyEventKind::kPrekey, prekey_);
  ASSERT_OK(Apply(SignKeyEvent(event, agent_)));
  event.key = OpeningKey::Generate().sealing_key();
  ASSERT_THAT(Apply(SignKeyEvent(event, agent_)), kForked);
  const uint64_t frozen_at = leaf_;
  NextCharter();
  EXPECT_TRUE(directory_.IsFrozen(Id("ong")));
  network_.Activate("ong");
  NextCharter();
  EXPECT_FALSE(directory_.IsFrozen(Id("ong")));
  EXPECT_THAT(ValidAt("ong", agent_, frozen_at + 1), kDenied);
  EXPECT_OK(AddSigner("ong", SigningKey::Generate()));
}

TEST_F(KeyDirectoryTest, AnotherKindOfDocumentIsNoKeyEvent) {
  Json payload = VALUE_OF(PeekJwsPayload(
      SignKeyEvent(Next("ong", KeyEventKind::kSigning, agent_.verify_key()),
                   network_.identity("ong")),
      kKeyEventBytesMax));
  for (const char* typ : {"amparo-join-request+jwt", "secevent+jwt"})
    EXPECT_THAT(Apply(SignJws(network_.identity("ong"), typ, payload)),
                StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(KeyDirectoryTest, ACopyStaysAsItWas) {
  const SigningKey key = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", key));
  ASSERT_OK(AddPrekey("ong", key, OpeningKey::Generate().sealing_key()));
  const KeyDirectory before = directory_;
  ASSERT_OK(AddPrekey("ong", key, OpeningKey::Generate().sealing_key()));
  ASSERT_OK(Revoke("ong", key, key));
  EXPECT_EQ(before.HeadOf(Id("ong")).seq, 2u);
  EXPECT_EQ(before.Prekeys(Id("ong")).size(), 1u);
  EXPECT_TRUE(before.CurrentSigner(Id("ong")).has_value());
  EXPECT_FALSE(directory_.CurrentSigner(Id("ong")).has_value());
}

TEST_F(KeyDirectoryTest, EventsOfLongAgoAreStillToldFromForks) {
  const SigningKey key = SigningKey::Generate();
  ASSERT_OK(AddSigner("ong", key));
  std::vector<KeyEvent> events;
  for (int i = 0; i < 600; ++i) {
    events.push_back(Next("ong", KeyEventKind::kPrekey,
                          OpeningKey::Generate().sealing_key()));
    now_ -= absl::Hours(1);  // all within the key's life
    ASSERT_OK(Apply(SignKeyEvent(events.back(), key)));
  }
  for (const size_t old : {0, 254, 255, 256, 599}) {
    EXPECT_OK(Apply(SignKeyEvent(events[old], key))) << old;
    EXPECT_FALSE(directory_.IsFrozen(Id("ong"))) << old;
  }
  events[255].key = OpeningKey::Generate().sealing_key();
  EXPECT_THAT(Apply(SignKeyEvent(events[255], key)), kForked);
  EXPECT_TRUE(directory_.IsFrozen(Id("ong")));
}

}  // namespace
}  // namespace amparo

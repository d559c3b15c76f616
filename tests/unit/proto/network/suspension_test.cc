#include "proto/network/suspension.h"

#include "base/error.h"
#include "proto/network/key_directory.h"
#include "tests/unit/proto/network/samples.h"

// Who was active where: by charter, and by two governance keys.

namespace amparo {
namespace {

const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);
const auto kWrongState = StatusIs(absl::StatusCode::kFailedPrecondition);
const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
constexpr absl::Duration kDay = absl::Hours(24);

// Six members, all active from leaf 1 on; a minute between leaves. Governance
// keys 1 and 2 are gnr's, 3 mp's, 4 uls's, 5 cpcj's.
class SuspensionTest : public testing::Test {
 protected:
  SuspensionTest() {
    directory_.SetCharter(charter_, LeafIndex(0));
    for (const char* name : {"mp", "uls", "cpcj", "aa"})
      network_.AddMember(name);
    for (const char* name : {"gnr", "ong", "mp", "uls", "cpcj", "aa"})
      network_.Activate(name);
    NextCharter();
  }

  LeafIndex NewLeaf() {
    now_ += absl::Minutes(1);
    return LeafIndex(++leaf_);
  }
  void NextCharter() {
    charter_ = network_.Next(charter_);
    directory_.SetCharter(charter_, NewLeaf());
  }
  Suspension Of(const std::string& member) const {
    return {charter_.network_id, charter_.hash, Id(member), now_,
            now_ + kSuspensionLifeMax};
  }
  std::string Sign(const Suspension& suspension, const std::vector<int>& by,
                   const char* typ = kSuspensionTyp) const {
    MultiJws jws{DumpJson(EncodeSuspension(suspension)), {}};
    for (const int number : by)
      AddSignature(jws, network_.governance(number), typ);
    return FormatMultiJws(jws);
  }
  // As the log does it: what the check refuses changes nothing.
  absl::Status Log(const std::string& document) {
    const LeafIndex leaf = NewLeaf();
    const absl::Status checked = directory_.CheckSuspension(document, now_);
    const absl::Status applied = directory_.Suspend(document, leaf, now_);
    EXPECT_EQ(checked.code(), applied.code());
    return applied;
  }
  absl::Status Suspend(const std::string& member,
                       const std::vector<int>& by = {3, 4}) {
    return Log(Sign(Of(member), by));
  }
  bool Active(const std::string& member) const {
    return ActiveAt(member, leaf_ + 1, now_);
  }
  bool ActiveAt(const std::string& member, uint64_t leaf, absl::Time at) const {
    return directory_.standings().WasActive(Id(member), LeafIndex(leaf), at);
  }

  TestNetwork network_;
  AcceptedCharter charter_ = network_.Found();
  KeyDirectory directory_;
  absl::Time now_ = kNoon;
  uint64_t leaf_ = 0;
};

TEST_F(SuspensionTest, TwoKeysStopAMemberForAWeek) {
  const uint64_t before = leaf_;
  ASSERT_OK(Suspend("ong"));
  const uint64_t at = leaf_;
  const absl::Time logged = now_;
  EXPECT_TRUE(ActiveAt("ong", before + 1, logged));
  EXPECT_FALSE(ActiveAt("ong", at + 1, logged));
  EXPECT_TRUE(ActiveAt("uls", at + 1, logged));
  // It ends by itself, and what came meanwhile stays refused.
  const absl::Time end =
      *directory_.standings().SuspendedUntil(Id("ong"), now_);
  EXPECT_LE(end, logged + kSuspensionLifeMax);
  EXPECT_FALSE(ActiveAt("ong", at + 1, end - absl::Seconds(1)));
  EXPECT_TRUE(ActiveAt("ong", at + 2, end));
  EXPECT_FALSE(directory_.standings().SuspendedUntil(Id("ong"), end));
}

TEST_F(SuspensionTest, AShorterOneEndsWhenItSays) {
  Suspension suspension = Of("ong");
  suspension.until = suspension.from + kDay;
  ASSERT_OK(Log(Sign(suspension, {1, 5})));
  EXPECT_FALSE(ActiveAt("ong", leaf_ + 1, suspension.until - absl::Seconds(1)));
  EXPECT_TRUE(ActiveAt("ong", leaf_ + 1, suspension.until));
}

TEST_F(SuspensionTest, AttackOneKey) {
  for (const int key : {1, 3, 5}) EXPECT_THAT(Suspend("ong", {key}), kDenied);
  EXPECT_TRUE(Active("ong"));
}

TEST_F(SuspensionTest, AttackTwoKeysOfOneInstitution) {
  EXPECT_THAT(Suspend("ong", {1, 2}), kDenied);
  EXPECT_TRUE(Active("ong"));
  EXPECT_OK(Suspend("ong", {1, 2, 3}));
}

TEST_F(SuspensionTest, AttackKeysThatAreNotGovernance) {
  MultiJws jws{DumpJson(EncodeSuspension(Of("ong"))), {}};
  AddSignature(jws, network_.governance(3), kSuspensionTyp);
  AddSignature(jws, network_.identity("uls"), kSuspensionTyp);
  AddSignature(jws, SigningKey::Generate(), kSuspensionTyp);
  EXPECT_THAT(Log(FormatMultiJws(jws)), kDenied);
}

TEST_F(SuspensionTest, AttackABadSignatureUnderAGovernanceKeysName) {
  MultiJws jws =
      VALUE_OF(ParseMultiJws(Sign(Of("ong"), {3, 4, 5}), kSuspensionBytesMax));
  jws.signatures[2].signature[7] ^= 1;
  EXPECT_THAT(Log(FormatMultiJws(jws)), kDenied);
}

TEST_F(SuspensionTest, AttackASecondWithinThirtyDays) {
  ASSERT_OK(Suspend("ong"));
  const absl::Time first = now_;
  EXPECT_THAT(Suspend("ong", {1, 5}), kWrongState);
  now_ = first + 8 * kDay;
  EXPECT_TRUE(Active("ong"));
  EXPECT_THAT(Suspend("ong"), kWrongState);
  EXPECT_TRUE(Active("ong"));
  now_ = first + 30 * kDay - absl::Minutes(2);
  EXPECT_THAT(Suspend("ong"), kWrongState);
  now_ = first + 30 * kDay;
  EXPECT_OK(Suspend("ong"));
  EXPECT_FALSE(Active("ong"));
}

TEST_F(SuspensionTest, AttackMoreThanAThirdOfTheMembers) {
  ASSERT_OK(Suspend("ong"));
  ASSERT_OK(Suspend("aa"));
  EXPECT_THAT(Suspend("cpcj"), kWrongState);  // a third of six is two
  EXPECT_TRUE(Active("cpcj"));
  now_ += 8 * kDay;
  EXPECT_OK(Suspend("cpcj"));
}

TEST_F(SuspensionTest, AttackLongerThanSevenDays) {
  Suspension suspension = Of("ong");
  suspension.until += absl::Seconds(1);
  EXPECT_THAT(Log(Sign(suspension, {3, 4})), kMalformed);
  // Nor by a date of its own in the future, to be logged today.
  suspension = Of("ong");
  suspension.from += absl::Minutes(3);
  suspension.until += absl::Minutes(3);
  ASSERT_OK(Log(Sign(suspension, {3, 4})));
  EXPECT_TRUE(ActiveAt("ong", leaf_ + 1, now_ + kSuspensionLifeMax));
  suspension = Of("aa");
  suspension.from += kDay;
  suspension.until += kDay;
  EXPECT_THAT(Log(Sign(suspension, {3, 4})), kWrongState);
}

TEST_F(SuspensionTest, AttackFromAnotherNetwork) {
  Suspension suspension = Of("ong");
  suspension.net = Fill(7);
  EXPECT_THAT(Log(Sign(suspension, {3, 4})), kDenied);
  EXPECT_TRUE(Active("ong"));
}

TEST_F(SuspensionTest, AttackAnOldOneUnderTheNextCharter) {
  const std::string kept = Sign(Of("ong"), {3, 4});
  NextCharter();
  EXPECT_THAT(Log(kept), kWrongState);
  EXPECT_TRUE(Active("ong"));
}

TEST_F(SuspensionTest, AttackTheSameOneAgain) {
  const std::string document = Sign(Of("ong"), {3, 4});
  ASSERT_OK(Log(document));
  now_ += 31 * kDay;
  EXPECT_THAT(Log(document), kWrongState);
  EXPECT_TRUE(Active("ong"));
}

TEST_F(SuspensionTest, AttackAddingAMemberByTwoKeys) {
  // Whatever two keys sign: a charter needs three, and a suspension gives
  // nothing to anybody.
  network_.AddMember("ghost");
  network_.Activate("ghost");
  network_.Follow(charter_);
  EXPECT_THAT(AcceptNextCharter(network_.Sign({3, 4}), charter_, now_),
              kDenied);
  EXPECT_THAT(Suspend("ghost"), kWrongState);
  EXPECT_FALSE(Active("ghost"));
  // The charter's bytes, called a suspension, are none.
  MultiJws jws{DumpJson(EncodeCharter(network_.draft)), {}};
  for (const int key : {3, 4})
    AddSignature(jws, network_.governance(key), kSuspensionTyp);
  EXPECT_THAT(Log(FormatMultiJws(jws)), kMalformed);
}

TEST_F(SuspensionTest, AttackSignaturesMadeForACharter) {
  EXPECT_THAT(Log(Sign(Of("ong"), {3, 4}, kCharterTyp)), kDenied);
}

TEST_F(SuspensionTest, AKeyThatRanOutDoesNotCount) {
  network_.draft.governance[3].until = now_ + kDay;
  NextCharter();
  now_ += kDay;
  EXPECT_THAT(Suspend("ong", {3, 4}), kDenied);
  EXPECT_OK(Suspend("ong", {3, 5}));
}

TEST_F(SuspensionTest, WhoIsSuspendedOrHasLeftSuspendsNobody) {
  ASSERT_OK(Suspend("uls", {3, 5}));
  EXPECT_THAT(Suspend("ong", {3, 4}), kDenied);
  network_.InDraft("cpcj").status = MemberStatus::kLeft;
  NextCharter();
  EXPECT_THAT(Suspend("ong", {3, 5}), kDenied);
  now_ += 8 * kDay;
  EXPECT_THAT(Suspend("ong", {3, 5}), kDenied);
  EXPECT_OK(Suspend("ong", {1, 3}));
}

TEST_F(SuspensionTest, OnlyAnActiveMemberIsSuspended) {
  EXPECT_THAT(Suspend("nobody"), kWrongState);
  network_.InDraft("aa").status = MemberStatus::kSuspended;
  NextCharter();
  EXPECT_THAT(Suspend("aa"), kWrongState);
}

TEST_F(SuspensionTest, ACharterLiftsItByMovingSince) {
  ASSERT_OK(Suspend("ong"));
  const uint64_t during = leaf_ + 1;
  network_.draft.title = "about something else";
  NextCharter();
  EXPECT_FALSE(Active("ong"));
  network_.InDraft("ong").since = now_;
  NextCharter();
  EXPECT_TRUE(Active("ong"));
  EXPECT_FALSE(ActiveAt("ong", during, now_));
  // The thirty days go on.
  EXPECT_THAT(Suspend("ong"), kWrongState);
}

TEST_F(SuspensionTest, ASuspendedMembersSignatureCountsNowhereInBetween) {
  const SigningKey agent = SigningKey::Generate();
  const auto valid_at = [&](uint64_t leaf, absl::Time at) {
    return directory_
        .SignerAt(Id("ong"), agent.verify_key().Thumbprint(), LeafIndex(leaf),
                  at)
        .status();
  };
  const KeyEvent event{charter_.network_id,
                       Id("ong"),
                       1,
                       Digest(),
                       charter_.hash,
                       KeyEventKind::kSigning,
                       agent.verify_key(),
                       now_,
                       now_ + kSigningKeyLifeMax,
                       std::nullopt};
  ASSERT_OK(directory_.Apply(SignKeyEvent(event, network_.identity("ong")),
                             NewLeaf(), now_));
  const uint64_t good = leaf_ + 1;
  NewLeaf();
  network_.InDraft("ong").status = MemberStatus::kSuspended;
  NextCharter();
  const uint64_t bad = leaf_ + 1;
  const absl::Time then = now_ + absl::Minutes(1);
  NewLeaf();
  network_.InDraft("ong").status = MemberStatus::kActive;
  NextCharter();
  // Judged by the present charter all would be good.
  EXPECT_OK(valid_at(good, then));
  EXPECT_EQ(ErrorCodeOf(valid_at(bad, then)), "member_suspended");
  EXPECT_OK(valid_at(leaf_ + 1, now_));
  ASSERT_OK(Suspend("ong"));
  EXPECT_EQ(ErrorCodeOf(valid_at(leaf_ + 1, now_)), "member_suspended");
  now_ += 8 * kDay;
  EXPECT_OK(valid_at(leaf_ + 1, now_));
}

TEST_F(SuspensionTest, ACharterDisownsFromSinceOn) {
  const uint64_t early = leaf_ + 1;
  const absl::Time since = now_ + kDay;
  leaf_ += 2;
  now_ += 2 * kDay;
  network_.InDraft("ong").status = MemberStatus::kSuspended;
  network_.InDraft("ong").since = since;
  NextCharter();
  const Standings& standings = directory_.standings();
  EXPECT_FALSE(standings.IsDisowned(Id("ong"), LeafIndex(early),
                                    since - absl::Seconds(1)));
  EXPECT_TRUE(standings.IsDisowned(Id("ong"), LeafIndex(early + 1), since));
  // Still so when it is back; what it sends from then on is its own again.
  network_.InDraft("ong").status = MemberStatus::kActive;
  network_.InDraft("ong").since = now_;
  NextCharter();
  EXPECT_TRUE(directory_.standings().IsDisowned(Id("ong"), LeafIndex(early + 1),
                                                since));
  EXPECT_FALSE(
      directory_.standings().IsDisowned(Id("ong"), LeafIndex(leaf_ + 1), now_));
}

TEST_F(SuspensionTest, TheCharterAsItStandsShowsIt) {
  EXPECT_EQ(directory_.standings().Adjust(charter_.charter, now_), nullptr);
  ASSERT_OK(Suspend("ong"));
  const auto adjusted = directory_.standings().Adjust(charter_.charter, now_);
  ASSERT_NE(adjusted, nullptr);
  EXPECT_EQ(adjusted->Find(Id("ong"))->status, MemberStatus::kSuspended);
  EXPECT_EQ(adjusted->Find(Id("uls"))->status, MemberStatus::kActive);
  EXPECT_EQ(directory_.standings().Adjust(charter_.charter, now_ + 8 * kDay),
            nullptr);
}

TEST_F(SuspensionTest, ACopyStaysAsItWas) {
  const KeyDirectory before = directory_;
  ASSERT_OK(Suspend("ong"));
  EXPECT_FALSE(Active("ong"));
  EXPECT_TRUE(
      before.standings().WasActive(Id("ong"), LeafIndex(leaf_ + 1), now_));
}

TEST_F(SuspensionTest, TheDocumentComesBackAsItWas) {
  const Suspension made = Of("ong");
  const Suspension read = VALUE_OF(PeekSuspension(Sign(made, {3})));
  EXPECT_EQ(read.net, made.net);
  EXPECT_EQ(read.charter_hash, made.charter_hash);
  EXPECT_EQ(read.member, made.member);
  EXPECT_EQ(read.from, made.from);
  EXPECT_EQ(read.until, made.until);
  Json payload = EncodeSuspension(made);
  payload["until"] = payload["from"];
  EXPECT_THAT(DecodeSuspension(payload), kMalformed);
  payload = EncodeSuspension(made);
  payload["reason"] = "because";
  EXPECT_THAT(DecodeSuspension(payload), kMalformed);
}

}  // namespace
}  // namespace amparo

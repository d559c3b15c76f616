#include "broker/core/outside_witness.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "broker/core/checkpointer.h"
#include "crypto/add_checkpoint.h"
#include "crypto/checkpoint.h"
#include "crypto/tlog_witness.h"
#include "proto/network/witnesses.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using Answer = OutsideWitness::Answer;
constexpr char kName[] = "audit.example/w1";

// Two members; charter 2 names a witness from outside whose word is needed.
class OutsideWitnessTest : public testing::Test {
 protected:
  OutsideWitnessTest() {
    Name(key_.verify_key());
    memory_.emplace(broker_.network(),
                    VALUE_OF(RememberLog({broker_.log()}, "")));
    Show();
  }
  void Name(const VerifyKey& key) {
    Charter next = broker_.committee().Successor(broker_.charter());
    next.outside_witnesses = {VALUE_OF(
        NoteVerifier::Create(kName, NoteKeyType::kCosignatureV1, key))};
    next.witness_quorum = 1;
    VALUE_OF(broker_.PublishCharter(broker_.committee().Sign(next)));
  }
  void Grow(int entries = 1) {
    for (int i = 0; i < entries; ++i) broker_.Send("a", "b");
    Show();
  }
  void Show() { ASSERT_OK(checkpointer_.PublishNext()); }
  std::string Note() { return VALUE_OF(checkpointer_.NewestNow()).note; }
  std::string Text() { return VALUE_OF(ParseNote(Note())).text; }
  TreeSize Size() { return VALUE_OF(ParseCheckpoint(Text())).size; }
  TreeSize Witnessed() { return broker_.witnesses().newest().size; }

  // An honest witness's answer.
  absl::StatusOr<Answer> Honest(const std::string& body) {
    const WitnessVerdict verdict = JudgeAddCheckpoint(memory_, body);
    if (verdict.status != 200) return Answer{verdict.status, verdict.says};
    memory_.at(verdict.origin).note = verdict.note;
    memory_.at(verdict.origin).checkpoint = verdict.checkpoint;
    return Answer{200, Cosign(key_, broker_.clock().Now())};
  }
  std::string Cosign(const SigningKey& key, absl::Time at,
                     const char* name = kName) {
    return FormatNoteSignature(
        VALUE_OF(CosignCheckpoint(Text(), name, key, at)));
  }
  void Step() {
    const std::string note = Note();
    witness_.Step(note);
  }
  // Long enough for whatever it waits for.
  void StepLater() {
    broker_.clock().Advance(absl::Minutes(1));
    Step();
  }
  // `answer` helps nothing, and an honest one does afterwards.
  void ExpectHarmless(std::function<absl::StatusOr<Answer>()> answer) {
    Grow();
    const TreeSize before = Witnessed();
    post_ = [&](const std::string&) { return answer(); };
    StepLater();
    EXPECT_EQ(Witnessed(), before);
    EXPECT_TRUE(witness_.IsSilent());
    post_ = nullptr;
    StepLater();
    EXPECT_EQ(Witnessed(), Size());
    EXPECT_FALSE(witness_.IsSilent());
  }

  BrokerFixture broker_{{"a", "b"}};
  Checkpointer checkpointer_{broker_.store(),   broker_.network(),
                             broker_.log_key(), broker_.witnesses(),
                             broker_.feed(),    broker_.clock()};
  const SigningKey key_ = SigningKey::Generate();
  WitnessMemory memory_;
  std::function<absl::StatusOr<Answer>(const std::string&)> post_;
  std::vector<AddCheckpoint> asked_;
  OutsideWitness witness_{
      1,
      kName,
      [this](const std::string& body) -> absl::StatusOr<Answer> {
        asked_.push_back(VALUE_OF(ParseAddCheckpoint(body)));
        return post_ ? post_(body) : Honest(body);
      },
      broker_.store(),
      broker_.witnesses(),
      broker_.clock()};
};

TEST_F(OutsideWitnessTest, BringsEachCheckpointAndWhatIsSaidOfIt) {
  EXPECT_TRUE(witness_.IsSilent());  // nothing was asked yet
  for (const int entries : {0, 1, 1, 2, 5, 30}) {
    if (entries > 0) Grow(entries);
    Step();
    EXPECT_EQ(Witnessed(), Size());
  }
  EXPECT_FALSE(witness_.IsSilent());
  EXPECT_EQ(asked_.size(), 6u);
  // Agents count it, too.
  const auto note = VALUE_OF(ParseNote(broker_.witnesses().newest().note));
  EXPECT_TRUE(QuorumTime(note, broker_.charter().charter));
}

TEST_F(OutsideWitnessTest, AsksOnceAndAgainAfterHalfAnHour) {
  Step();
  StepLater();
  EXPECT_EQ(asked_.size(), 1u);
  broker_.clock().Advance(absl::Minutes(30));
  Show();
  Step();
  EXPECT_EQ(asked_.size(), 2u);
  EXPECT_FALSE(witness_.IsSilent());
}

// It knows what the witness has only by asking.
TEST_F(OutsideWitnessTest, GoesOnWhereTheWitnessIs) {
  Honest(absl::StrCat("old 0\n\n", Note())).IgnoreError();
  Grow(9);
  Step();
  ASSERT_EQ(asked_.size(), 2u);
  EXPECT_EQ(asked_[0].old_size, TreeSize(0));
  EXPECT_FALSE(asked_[1].proof.empty());
  EXPECT_EQ(Witnessed(), Size());
}

TEST_F(OutsideWitnessTest, AskNobodyWhomNoCharterNames) {
  OutsideWitness other(
      2, "other.example",
      [](const std::string&) -> absl::StatusOr<Answer> {
        ADD_FAILURE() << "asked";
        return Answer{};
      },
      broker_.store(), broker_.witnesses(), broker_.clock());
  other.Step(Note());
  EXPECT_FALSE(other.IsWanted());
  EXPECT_FALSE(other.IsSilent());
}

TEST_F(OutsideWitnessTest, WaitsLongerAfterEachFailureAndHalfAMinuteAtMost) {
  post_ = [](const std::string&) { return absl::UnavailableError("away"); };
  size_t expected = 0;
  for (const int wait_s : {2, 4, 8, 16, 30, 30}) {
    Step();
    EXPECT_EQ(asked_.size(), ++expected);
    broker_.clock().Advance(absl::Seconds(wait_s) - absl::Milliseconds(1));
    Step();
    EXPECT_EQ(asked_.size(), expected) << wait_s;
    broker_.clock().Advance(absl::Milliseconds(1));
  }
  post_ = nullptr;
  Step();
  EXPECT_EQ(Witnessed(), Size());
}

TEST_F(OutsideWitnessTest, AttackByForeignKeysAndNames) {
  const SigningKey thief = SigningKey::Generate();
  const absl::Time now = broker_.clock().Now();
  ExpectHarmless([&] { return Answer{200, Cosign(thief, now)}; });
  ExpectHarmless([&] {
    return Answer{200, Cosign(key_, now, "other.example")};
  });
  // A member's word does not come from there, though it be true.
  ExpectHarmless([&] {
    return Answer{200, Cosign(key_, now, "test-network/witness/a")};
  });
  ExpectHarmless([&] {
    std::string line = Cosign(key_, now);
    line[line.size() - 8] ^= 1;
    return Answer{200, line};
  });
  // An avalanche of them, with the good one at its end.
  ExpectHarmless([&] {
    std::string lines;
    for (int i = 0; i < 20; ++i) lines += Cosign(thief, now);
    return Answer{200, lines + Cosign(key_, now)};
  });
}

TEST_F(OutsideWitnessTest, AttackByACosignatureOfAnotherCheckpoint) {
  std::string other = FormatNoteSignature(VALUE_OF(CosignCheckpoint(
      FormatCheckpoint(
          {broker_.network(), Size(), Sha256("another history"), {}}),
      kName, key_, broker_.clock().Now())));
  ExpectHarmless([&] { return Answer{200, other}; });
  const std::string earlier = Cosign(key_, broker_.clock().Now());
  ExpectHarmless([&] { return Answer{200, earlier}; });
}

// Whoever stands in between keeps an answer, and gives it again.
TEST_F(OutsideWitnessTest, AttackByAnAnswerOfBefore) {
  Step();
  const std::string first = Cosign(key_, broker_.clock().Now());
  broker_.clock().Advance(absl::Hours(1));
  Show();
  const std::string before = broker_.witnesses().newest().note;
  post_ = [&](const std::string&) { return Answer{200, first}; };
  Step();
  EXPECT_EQ(broker_.witnesses().newest().note, before);
  EXPECT_TRUE(witness_.IsSilent());
  post_ = nullptr;
  StepLater();
  EXPECT_NE(broker_.witnesses().newest().note, before);
}

TEST_F(OutsideWitnessTest, AClockThatIsOffIsNoAnswer) {
  for (const absl::Duration off : {absl::Hours(2), -absl::Hours(2)})
    ExpectHarmless(
        [&] { return Answer{200, Cosign(key_, broker_.clock().Now() + off)}; });
}

TEST_F(OutsideWitnessTest, AttackByFalseSizes) {
  for (const char* size : {"18446744073709551615\n", "1000000\n", "1\n", "2\n",
                           "x\n", "", "-1\n", "1"})
    ExpectHarmless([&] { return Answer{409, size}; });
  // It has more than this log: nothing can be proven to it.
  Grow();
  asked_.clear();
  post_ = [](const std::string&) { return Answer{409, "1000000\n"}; };
  StepLater();
  EXPECT_EQ(asked_.size(), 1u);
  // Two questions each time and no more, whatever it says.
  Grow();
  asked_.clear();
  int size = 0;
  post_ = [&](const std::string&) {
    return Answer{409, absl::StrCat(++size, "\n")};
  };
  StepLater();
  EXPECT_EQ(asked_.size(), 2u);
}

TEST_F(OutsideWitnessTest, AttackByOtherAnswers) {
  const absl::Time now = broker_.clock().Now();
  for (const unsigned status : {0u, 100u, 201u, 204u, 301u, 307u, 400u, 403u,
                                404u, 422u, 429u, 500u, 503u, 999u})
    ExpectHarmless([&] { return Answer{status, Cosign(key_, now)}; });
  for (const std::string& body :
       {std::string(), std::string("\n"), std::string("hello\n"),
        std::string("\u2014 \n"), std::string(100'000, '\n'),
        absl::StrCat("another\ntext\n\n", Cosign(key_, now)),
        absl::StrCat("\n", Cosign(key_, now))})
    ExpectHarmless([&] { return Answer{200, body}; });
  ExpectHarmless([] { return absl::DeadlineExceededError("slow"); });
}

// A witness whose key changed is asked on, and the new one counts alone.
TEST_F(OutsideWitnessTest, FollowsTheCharter) {
  Step();
  const SigningKey next = SigningKey::Generate();
  Name(next.verify_key());
  Show();
  Step();  // brings charter 3 into force, by the old key
  EXPECT_EQ(Witnessed(), Size());
  Grow();
  const TreeSize before = Witnessed();
  Step();
  EXPECT_EQ(Witnessed(), before);
  post_ = [&](const std::string&) {
    return Answer{200, Cosign(next, broker_.clock().Now())};
  };
  StepLater();
  EXPECT_EQ(Witnessed(), Size());
}

}  // namespace
}  // namespace amparo::broker

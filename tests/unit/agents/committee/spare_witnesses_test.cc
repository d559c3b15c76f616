#include "agents/committee/spare_witnesses.h"

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "agents/committee/draft_verbs.h"
#include "base/error.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

std::string Outsider(const char* name) {
  return VALUE_OF(NoteVerifier::Create(name, NoteKeyType::kCosignatureV1,
                                       SigningKey::Generate().verify_key()))
      .ToString();
}

// gnr, ong and uls are active witnesses of version 2; three are never spared.
class SpareWitnessesTest : public CommitteeFixture {
 protected:
  void Found(uint32_t quorum) {
    InitAndPublish();
    for (const char* member : {"gnr", "ong", "uls"}) {
      LeaveJoinRequest(member);
      ASSERT_OK(Add(member));
    }
    EditDraft([&](Charter& draft) {
      draft.witness_quorum = quorum;
      draft.witness_faulty = 0;
    });
    SignAndPublish();
  }
  Outcome Change(std::vector<std::string> words,
                 ListChange change = ListChange::kReplace) {
    return VALUE_OF(Set(folder_, {std::move(words), change}));
  }
  static std::string WarningsOf(const Outcome& outcome) {
    const auto lines = outcome.json["warnings"].get<std::vector<std::string>>();
    for (const std::string& line : lines)
      EXPECT_TRUE(absl::StrContains(outcome.text, line)) << outcome.text;
    return absl::StrJoin(lines, "|");
  }
};

TEST_F(SpareWitnessesTest, AQuorumThatCanSpareOneIsNoMatter) {
  Found(2);
  EXPECT_EQ(WarningsOf(Change({"title", "New"})), "");
  EXPECT_EQ(VALUE_OF(Show(folder_, {}, false, clock_)).json["warnings"],
            Json::array());
}

TEST_F(SpareWitnessesTest, AQuorumThatNeedsEveryoneIsToldEverywhere) {
  Found(2);
  const std::string told = WarningsOf(Change({"witness.quorum", "3"}));
  EXPECT_TRUE(absl::StrContains(told, "every witness is needed, 3 of 3"));
  EXPECT_TRUE(absl::StrContains(told, "set witness.quorum 2")) << told;
  EXPECT_TRUE(
      absl::StrContains(VALUE_OF(Show(folder_, {}, true, clock_)).text, told));
  dialog_.told.clear();
  EXPECT_EQ(VALUE_OF(SignOnce()).json["warnings"][0], told);
  EXPECT_TRUE(absl::StrContains(dialog_.told, told)) << dialog_.told;
}

TEST_F(SpareWitnessesTest, TooFewAgainstFalseOnesIsTold) {
  Found(2);
  Change({"witness.faulty", "1"});
  const std::string told = WarningsOf(Change({"witness.quorum", "1"}));
  EXPECT_TRUE(absl::StrContains(told, "could show two logs")) << told;
  EXPECT_TRUE(absl::StrContains(told, "From 3 on")) << told;
  EXPECT_TRUE(absl::StrContains(WarningsOf(Change({"witness.faulty", "4"})),
                                "Add witnesses."));
}

// A version needs the witnesses of the one before it.
TEST_F(SpareWitnessesTest, PartingWithAWitnessThatTheStepNeedsIsTold) {
  Found(3);
  Change({"witness.quorum", "2"});
  const Outcome outcome = VALUE_OF(
      ChangeStatus(folder_, {StatusVerb::kWithdraw, "uls", {}}, clock_));
  const std::string told = WarningsOf(outcome);
  EXPECT_TRUE(absl::StrContains(
      told, "version 3 comes into force only when 3 witnesses of version 2"))
      << told;
  EXPECT_TRUE(absl::StrContains(told, "Let uls run until")) << told;
  // The same line for whoever signs, and again when nothing changes.
  dialog_.told.clear();
  ASSERT_OK(SignOnce());
  EXPECT_TRUE(absl::StrContains(dialog_.told, "Let uls run until"));
}

TEST_F(SpareWitnessesTest, PartingWithTheOneThatCouldBeSparedIsTold) {
  Found(2);
  const Outcome outcome = VALUE_OF(
      ChangeStatus(folder_, {StatusVerb::kSuspend, "uls", {}}, clock_));
  const std::string told = WarningsOf(outcome);
  EXPECT_TRUE(absl::StrContains(told, "without uls all the others have to run"))
      << told;
  EXPECT_TRUE(absl::StrContains(told, "every witness is needed, 2 of 2"));
  EXPECT_TRUE(absl::StrContains(told, "Add witnesses")) << told;
}

TEST_F(SpareWitnessesTest, AnOutsiderIsAWitnessLikeAnyOther) {
  Found(2);
  const std::string one = Outsider("audit.example/w1");
  const std::string told = WarningsOf(Change({"witness.keys", one}));
  EXPECT_TRUE(absl::StrContains(told,
                                "audit.example/w1 is a witness from "
                                "outside"))
      << told;
  EXPECT_TRUE(absl::StrContains(told, "broker.toml")) << told;
  Change({"witness.quorum", "4"});
  EXPECT_TRUE(absl::StrContains(WarningsOf(Change({"title", "x"})),
                                "every witness is needed, 4 of 4"));
  SignAndPublish();
  // Known now, and missed when it goes.
  EXPECT_FALSE(
      absl::StrContains(WarningsOf(Change({"title", "y"})), "from outside"));
  Change({"witness.quorum", "2"});
  EXPECT_TRUE(absl::StrContains(
      WarningsOf(Change({"witness.keys", one}, ListChange::kRemove)),
      "Let audit.example/w1 run until"));
}

}  // namespace
}  // namespace amparo::committee

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "agents/committee/draft_verbs.h"
#include "base/error.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

class SetTest : public CommitteeFixture {
 protected:
  absl::StatusOr<Outcome> Change(absl::string_view words,
                                 ListChange change = ListChange::kReplace) {
    return Set(folder_, {absl::StrSplit(words, ' '), change});
  }
  Charter Drafted() { return VALUE_OF(folder_.Draft(std::nullopt)); }
};

TEST_F(SetTest, SetsEachKeyThatHasAName) {
  Init();
  const std::string witness =
      VALUE_OF(NoteVerifier::Create("watch.example",
                                    NoteKeyType::kCosignatureV1,
                                    SigningKey::Generate().verify_key()))
          .ToString();
  const struct {
    std::string words;
    std::string says;  // in the changes
  } cases[] = {
      {"title Protocolo", "title changes from \"Protocol\" to \"Protocolo\""},
      {"timezone Europe/Madrid", "timezone changes"},
      {"jurisdiction ES", "jurisdiction changes"},
      {"expires 2027-06-30", "to \"2027-06-30T00:00:00Z\""},
      {"expires 2027-06-30T12:00:00Z", "to \"2027-06-30T12:00:00Z\""},
      {"trust_delay_h 24", "That is: A new key that no earlier one"},
      {"purposes support safety",
       "purposes changes: no longer \"risk_assessment\""},
      {"deadlines.urgent.decide 48h", "decide_h changes from 72 to 48"},
      {"deadlines urgent acknowledge 90min", "acknowledge_min changes"},
      {"deadlines urgent acknowledge none", "acknowledge_min changes"},
      {"matrix.police.safe_contact C", "from nothing to safe_contact C."},
      {"matrix police health -", "health changes from nothing to \"-\""},
      {"matrix police safe_contact default", "from \"C\" to nothing"},
      {"witness.keys " + witness, "witness.keys changes"},
      {"witness.quorum 1", "witness.quorum changes from 0 to 1"},
      {"witness.faulty 0", "witness.faulty changes"},
      {"suites.allowed 1 3", "suites.allowed changes: new 3."},
      {"governance.threshold 3", "changes from 2 to 3"},
      {"member.ong.contact Duty", "contact \"Duty\""},
      {"member.ong.territory PT-13 PT-03", "territory PT-13 PT-03"},
      {"member.ong.parent uls", "parent \"uls\""},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<Outcome> outcome = Change(c.words);
    ASSERT_OK(outcome) << c.words;
    EXPECT_TRUE(absl::StrContains(outcome->text, c.says))
        << c.words << ": " << outcome->text;
  }
  EXPECT_EQ(Drafted().deadlines.at("urgent").decide, absl::Hours(48));
  EXPECT_FALSE(Drafted().deadlines.at("urgent").acknowledge.has_value());
}

TEST_F(SetTest, ListsGrowAndShrink) {
  Init();
  ASSERT_OK(Change("purposes statistics", ListChange::kAdd));
  EXPECT_EQ(Drafted().purposes.back(), "statistics");
  const size_t size = Drafted().purposes.size();
  ASSERT_OK(Change("purposes statistics", ListChange::kAdd));  // there already
  EXPECT_EQ(Drafted().purposes.size(), size);
  ASSERT_OK(Change("purposes statistics housing", ListChange::kRemove));
  EXPECT_EQ(Drafted().purposes.size(), size - 2);
  EXPECT_EQ(ErrorCodeOf(Change("purposes x", ListChange::kRemove).status()),
            "usage");
}

TEST_F(SetTest, RefusesWhatMakesNoCharterAndLeavesTheDraft) {
  Init();
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  for (const char* words : {"expires soon",
                            "expires 2027-02-30",
                            "trust_delay_h 24h",
                            "timezone Europe/Nowhere",
                            "timezone localtime",
                            "timezone /etc/localtime",
                            "timezone Europe/../Europe/Lisbon",
                            "trust_delay_h 9999",
                            "deadlines.urgent.decide 48",
                            "deadlines.urgent.decide h",
                            "deadlines.urgent.decide 0h",
                            "deadlines.soon.decide 1h",
                            "matrix.police.identity Q",
                            "matrix.priest.identity F",
                            "suites.allowed 9 x",
                            "suites.min 7",
                            "witness.quorum 4",
                            "governance.threshold 9",
                            "governance.threshold 0",
                            "log.keys",
                            "log.keys x",
                            "member.ong.parent ong",
                            "member.mp.contact x",
                            "title",
                            "title a b",
                            "purposes support support ",
                            "version 9",
                            "net x",
                            "prev_hash x",
                            "governance.keys x",
                            "member x",
                            "deadlines",
                            "",
                            "."}) {
    EXPECT_FALSE(Change(words).ok()) << words;
    EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft) << words;
  }
}

// A charter takes any name for a section, and nobody is barred by it.
TEST_F(SetTest, ASectionThatIsNoneCannotBeSetAndCanBeTakenOut) {
  Init();
  EXPECT_EQ(ErrorCodeOf(Change("matrix.police.adress F").status()), "usage");
  EXPECT_EQ(ErrorCodeOf(Change("matrix.police.adress default").status()),
            "usage");
  Charter draft = Drafted();
  draft.matrix[MemberKind::kPolice].emplace("adress", 'F');
  ASSERT_OK(folder_.WriteDraft(draft, std::nullopt));
  EXPECT_EQ(ErrorCodeOf(Change("matrix.police.adress C").status()), "usage");
  ASSERT_OK(Change("matrix.police.adress default"));
  EXPECT_FALSE(Drafted().matrix[MemberKind::kPolice].contains("adress"));
}

// Agents would reckon in UTC and tell nobody.
TEST_F(SetTest, ATimeZoneThatIsNoneIsNotSignedEither) {
  Init();
  EditDraft([](Charter& draft) { draft.timezone = "Europe/Nowhere"; });
  EXPECT_EQ(ErrorCodeOf(SignOnce().status()), "usage");
  EditDraft([](Charter& draft) { draft.timezone = "Atlantic/Azores"; });
  EXPECT_OK(SignOnce());
}

TEST_F(SetTest, TheDraftStaysWhatALawyerReads) {
  Init();
  ASSERT_OK(Change("title Outro"));
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  for (const char* text : {"title = \"Outro\"", "# What data may be used for.",
                           "[[member]]", "# The members."})
    EXPECT_TRUE(absl::StrContains(draft, text)) << text;
}

TEST_F(SetTest, TheSameAgainChangesNothing) {
  Init();
  const Outcome outcome = VALUE_OF(Change("title Protocol"));
  EXPECT_TRUE(outcome.json["changes"].empty());
  EXPECT_TRUE(absl::StrContains(outcome.text, "Nothing changes"));
}

TEST_F(SetTest, NothingIsSetWhileAVersionIsBeingSigned) {
  Init();
  ASSERT_OK(SignOnce());
  EXPECT_EQ(ErrorCodeOf(Change("title x").status()), "conflict");
}

TEST_F(SetTest, TakesNoLegalBasisThatNobodyKnows) {
  Init();
  for (const ListChange change : {ListChange::kReplace, ListChange::kAdd}) {
    const absl::Status refused = Change("bases A6-1-z", change).status();
    EXPECT_EQ(ErrorCodeOf(refused), "usage");
    EXPECT_TRUE(absl::StrContains(refused.message(), "A6-1-z"));
    EXPECT_TRUE(absl::StrContains(DetailOf(refused)->expected, "A6-1-e"));
  }
  EXPECT_EQ(Drafted().bases.size(), 7u);
  EXPECT_OK(Change("bases A9-2-j MX-LGV-46", ListChange::kAdd));
  EXPECT_EQ(Drafted().bases.size(), 9u);
  EXPECT_OK(Change("bases MX-LGV-46", ListChange::kRemove));
}

}  // namespace
}  // namespace amparo::committee

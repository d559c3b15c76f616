#include "agents/committee/changes.h"

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "proto/network/words.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

std::string Told(const std::optional<Charter>& before, const Charter& after) {
  return absl::StrJoin(DescribeChanges(before, after), "\n");
}

MATCHER_P(Says, text, "") { return absl::StrContains(arg, text); }

TEST(Changes, TellOfTheFirstVersionEverythingThatItSays) {
  const std::string told = Told(std::nullopt, SampleCharter());
  for (const char* text :
       {"founds the network test-example", "G1 is held by gnr", "member ong",
        "Data may be used for: support", "without consent: A6-1-c",
        "urgent is acknowledged within 24 hours and decided within 3 days",
        "waits 24 hours", "Its law is that of PT", "suites: 1",
        "The log is signed by test-example, words: ",
        "nobody else watches the log"})
    EXPECT_THAT(told, Says(text));
}

// Nobody decides by reading JSON or base64.
TEST(Changes, TellKeysAsWordsAndNothingAsJson) {
  Charter before = SampleCharter();
  Charter after = before;
  const VerifyKey identity = SigningKey::Generate().verify_key();
  const VerifyKey witness = SigningKey::Generate().verify_key();
  after.members[0].status = MemberStatus::kActive;
  after.members[0].identity_key = identity;
  after.members[0].witness_key = witness;
  after.governance[0].key = SigningKey::Generate().verify_key();
  after.log_keys.push_back(VALUE_OF(
      NoteVerifier::Create("test-example", NoteKeyType::kEd25519, witness)));
  const std::string told = Told(before, after);
  EXPECT_THAT(told, Says(RequestWords(identity, witness)));
  EXPECT_THAT(told, Says(GovernanceKeyWords(after.governance[0].key)));
  EXPECT_THAT(told, Says("log.keys changes: new test-example, words: "));
  for (const std::string& text : {told, Told(std::nullopt, after)}) {
    for (const VerifyKey& key :
         {identity, witness, after.governance[0].key, before.governance[1].key})
      EXPECT_FALSE(absl::StrContains(text, key.ToString()));
    for (const char* json : {"{", "}", "[", "]", "\":"})
      EXPECT_FALSE(absl::StrContains(text, json)) << json << " in " << text;
  }
}

TEST(Changes, TellWhatAChangeMeansBesideIt) {
  const Charter before = SampleCharter();
  Charter after = before;
  after.jurisdiction = "ES";
  after.timezone = "Europe/Madrid";
  const std::vector<std::string> lines = DescribeDifferences(before, after);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[0], Says("jurisdiction changes"));
  EXPECT_EQ(lines[1], "That is: Its law is that of ES.");
  EXPECT_EQ(lines[2], "No longer: Its law is that of PT.");
  EXPECT_THAT(lines[3], Says("timezone changes"));
  EXPECT_EQ(lines[4], "That is: Its clock is that of Europe/Madrid.");
  EXPECT_EQ(lines[5], "No longer: Its clock is that of Europe/Lisbon.");
}

TEST(Changes, WarnWhenNobodyCanBeSpared) {
  Charter charter = SampleCharter();
  EXPECT_FALSE(absl::StrContains(Told(std::nullopt, charter), "be spared"));
  charter.governance_threshold = 3;
  EXPECT_THAT(Told(std::nullopt, charter),
              Says("every holder of a governance key has to sign (3 of 3)"));
  // Members count, not keys.
  charter.governance_threshold = 2;
  charter.governance[2].member = charter.governance[1].member;
  EXPECT_THAT(Told(std::nullopt, charter), Says("(2 of 2)"));
}

TEST(Changes, SayWhenNothingChangesButTheVersion) {
  const Charter charter = SampleCharter();
  const std::vector<std::string> lines = DescribeChanges(charter, charter);
  ASSERT_EQ(lines.size(), 3u);  // the version, nothing, the quorum
  EXPECT_EQ(lines[1], "Nothing else changes.");
}

TEST(Changes, TellEachKeyThatDiffers) {
  const Charter before = SampleCharter();
  const SigningKey key = SigningKey::Generate();
  const struct {
    std::function<void(Charter&)> edit;
    const char* says;
  } cases[] = {
      {[](Charter& c) { c.title = "B"; }, "title changes from"},
      {[](Charter& c) { c.expires += absl::Hours(1); }, "expires changes"},
      {[](Charter& c) { c.bases.push_back("A6-1-a"); },
       "bases changes: new \"A6-1-a\"."},
      {[](Charter& c) { c.bases[0] = "A6-1-a"; },
       "bases changes: new \"A6-1-a\"; no longer \"A6-1-c\"."},
      {[](Charter& c) { std::swap(c.bases[0], c.bases[1]); },
       "bases changes its order"},
      {[](Charter& c) { c.trust_delay = absl::ZeroDuration(); },
       "trusted at once"},
      {[](Charter& c) { c.deadlines["urgent"].decide = absl::Hours(9); },
       "deadlines.urgent.decide_h changes from 72 to 9"},
      {[](Charter& c) { c.matrix[MemberKind::kPolice]["health"] = 'F'; },
       "matrix.police changes from nothing to health F"},
      {[](Charter& c) { c.witness_faulty = 2; }, "witness.faulty changes"},
      {[](Charter& c) { c.governance_threshold = 3; }, "changes from 2 to 3"},
      {[](Charter& c) { c.governance_threshold = 1; }, "one member alone"},
      {[](Charter& c) { c.governance.pop_back(); }, "key G3 is removed"},
      {[](Charter& c) { c.governance[0].member = Id("uls"); },
       "G1 changes: held by uls"},
      {[](Charter& c) { c.members.pop_back(); }, "Removed: member uls"},
      {[](Charter& c) { c.members[0].kind = MemberKind::kHealth; },
       "changes from police"},
      {[](Charter& c) { c.members[0].status = MemberStatus::kSuspended; },
       "from invited to suspended"},
      {[&](Charter& c) { c.members[0].identity_key = key.verify_key(); },
       "Identity key of member gnr"},
      {[&](Charter& c) { c.members[0].witness_key = key.verify_key(); },
       "Witness key of member gnr"},
      {[](Charter& c) { c.members[0].contact = "x"; }, "contact \"x\""},
      {[](Charter& c) { c.members[0].name = "x"; }, "Name of member gnr"},
  };
  for (const auto& c : cases) {
    Charter after = before;
    c.edit(after);
    EXPECT_THAT(Told(before, after), Says(c.says));
  }
}

}  // namespace
}  // namespace amparo::committee

#include "agents/auditor/evidence.h"
#include "agents/auditor/evidence_check.h"
#include "agents/auditor/evidence_make.h"
#include "base/error.h"
#include "crypto/checkpoint.h"
#include "tests/unit/agents/auditor/charter_quorum_fixture.h"

// What a pack of evidence shows of its charters: by whose witnesses each came
// into force, and by which the pack's checkpoint is counted.

namespace amparo::auditor {
namespace {

class EvidenceQuorumTest : public CharterQuorumFixture {
 protected:
  EvidenceQuorumTest() : sent_(log_.AddEnvelope("ong", "uls")) {}

  Evidence Made() {
    Export();
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    return VALUE_OF(MakeEvidence(source, sent_, log_.root(), std::nullopt));
  }
  // "", or why there is no pack about `subject`.
  std::string MadeOf(LeafIndex subject) {
    Export();
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    const auto made = MakeEvidence(source, subject, log_.root(), std::nullopt);
    return made.ok() ? "" : std::string(ErrorCodeOf(made.status()));
  }
  EvidenceVerdict Court(const Evidence& evidence) const {
    return JudgeEvidence(VALUE_OF(ParseEvidence(FormatEvidence(evidence))),
                         log_.root());
  }
  static EvidenceEntry& At(Evidence& evidence, LeafIndex leaf) {
    return *std::find_if(
        evidence.entries.begin(), evidence.entries.end(),
        [&](const EvidenceEntry& entry) { return entry.index == leaf; });
  }

  const LeafIndex sent_;
};

TEST_F(EvidenceQuorumTest, ACharterThatJustAskedForMoreIsNotCountedYet) {
  log_.witnesses = {"gnr", "ong"};
  fourth_ = AddCharterWith(4);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  const EvidenceVerdict verdict = Court(Made());
  EXPECT_TRUE(verdict.ok()) << ToText(verdict);
  EXPECT_EQ(verdict.report.quorum, 2u);
}

TEST_F(EvidenceQuorumTest, WitnessesThatWereReplacedStillVouchForTheirTime) {
  AddFourth();
  AddFifth();
  Evidence evidence = Made();
  const EvidenceVerdict verdict = Court(evidence);
  EXPECT_TRUE(verdict.ok()) << ToText(verdict);
  EXPECT_EQ(verdict.report.quorum_charter, 5u);
  EXPECT_FALSE(At(evidence, fourth_).charter_checkpoint.empty());
  EXPECT_FALSE(At(evidence, fifth_).charter_checkpoint.empty());
  EXPECT_TRUE(At(evidence, third_).charter_checkpoint.empty())
      << "the one before asks for none";
}

TEST_F(EvidenceQuorumTest, AttackByACharterThatBringsItsOwnWitnesses) {
  AddFourth();
  AddFifth();
  const Evidence good = Made();
  Evidence evidence = good;
  At(evidence, fifth_).charter_checkpoint.clear();
  At(evidence, fifth_).consistency.clear();
  EXPECT_FALSE(Court(evidence).ok());

  log_.KeepCharterCheckpoint(5, log_.witnesses);
  Export();
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  EXPECT_FALSE(MakeEvidence(source, sent_, log_.root(), std::nullopt).ok());
  evidence = good;
  At(evidence, fifth_).charter_checkpoint = log_.charter_checkpoints.at(5);
  EXPECT_FALSE(Court(evidence).ok());
}

TEST_F(EvidenceQuorumTest, AttackByACheckpointOfAnotherHistory) {
  AddFourth();
  AddFifth();
  const Evidence good = Made();
  EXPECT_TRUE(Court(good).ok());
  // The same log key and witnesses, over a log that is not this one.
  log_.entries[log_.entries.size() - 1].back() ^= 1;
  Evidence evidence = good;
  At(evidence, fifth_).charter_checkpoint =
      log_.SignedCheckpoint({"cpcj", "gnr", "mp", "ong"});
  EXPECT_FALSE(Court(evidence).ok());

  evidence = good;
  At(evidence, fifth_).consistency.pop_back();
  EXPECT_FALSE(Court(evidence).ok());
  evidence = good;
  std::swap(At(evidence, fourth_).charter_checkpoint,
            At(evidence, fifth_).charter_checkpoint);
  std::swap(At(evidence, fourth_).consistency,
            At(evidence, fifth_).consistency);
  EXPECT_FALSE(Court(evidence).ok());
}

// What witnesses cosigned bounds the time of every entry, also in a pack.
TEST_F(EvidenceQuorumTest,
       AttackAnEntryIsDatedBeforeWhatWitnessesSawWithoutIt) {
  fourth_ = AddCharterWith(4);
  log_.now += absl::Hours(10);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.now -= absl::Hours(10);
  const LeafIndex back = log_.AddEnvelope("ong", "uls");
  log_.now += absl::Hours(10);
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  const LeafIndex since = log_.AddEnvelope("ong", "uls");
  EXPECT_EQ(MadeOf(back), "verification_failed");
  EXPECT_EQ(MadeOf(since), "");
}

TEST_F(EvidenceQuorumTest, AttackAnEntryIsDatedAfterWhatWitnessesSawWithIt) {
  fourth_ = AddCharterWith(4);
  log_.now += absl::Hours(10);
  const LeafIndex ahead = log_.AddEnvelope("ong", "uls");
  log_.now -= absl::Hours(10);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.now += absl::Hours(10);
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  const LeafIndex since = log_.AddEnvelope("ong", "uls");
  EXPECT_EQ(MadeOf(ahead), "verification_failed");
  EXPECT_EQ(MadeOf(since), "");
}

TEST_F(EvidenceQuorumTest, AttackByWhatAPackDoesNotNeed) {
  AddFourth();
  AddFifth();
  const Evidence good = Made();
  const EvidenceEntry with = *good.Find(fifth_);
  for (const EvidenceEntry& entry : good.entries) {
    if (!entry.charter_checkpoint.empty()) continue;
    Evidence evidence = good;
    At(evidence, entry.index).charter_checkpoint = with.charter_checkpoint;
    At(evidence, entry.index).consistency = with.consistency;
    EXPECT_FALSE(Court(evidence).ok()) << entry.index.value();
  }
  Evidence evidence = good;
  Note note = VALUE_OF(ParseNote(with.charter_checkpoint));
  ASSERT_OK(SignNote(note, "stranger.example", SigningKey::Generate()));
  At(evidence, fifth_).charter_checkpoint = FormatNote(note);
  EXPECT_FALSE(Court(evidence).ok());
}

TEST_F(EvidenceQuorumTest, AttackAnyByteOfThePackIsChanged) {
  AddFourth();
  AddFifth();
  const std::string pack = FormatEvidence(Made());
  for (size_t at = 0; at < pack.size(); at += 31) {
    std::string changed = pack;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    const absl::StatusOr<Evidence> evidence = ParseEvidence(changed);
    EXPECT_FALSE(evidence.ok() && JudgeEvidence(*evidence, log_.root()).ok())
        << at << ": " << pack.substr(at, 20);
  }
}

}  // namespace
}  // namespace amparo::auditor

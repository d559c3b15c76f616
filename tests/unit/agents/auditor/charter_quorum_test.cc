#include "absl/strings/str_split.h"
#include "proto/network/witnesses.h"
#include "tests/unit/agents/auditor/charter_quorum_fixture.h"

// Charter by charter: who brought each into force, and by whom the newest
// checkpoint is counted.

namespace amparo::auditor {
namespace {

using CharterQuorumTest = CharterQuorumFixture;

MATCHER_P(StepIsOpen, step, "") {
  *result_listener << arg.step(step).skipped;
  return arg.step(step).Ok() == std::nullopt && !arg.step(step).skipped.empty();
}

TEST_F(CharterQuorumTest, EachCharterComesUnderTheWitnessesOfTheOneBefore) {
  AddFourth();
  const Report report = ExportAndReplay();
  ASSERT_THAT(report, Passes());
  EXPECT_EQ(report.quorum, 4u);
  EXPECT_EQ(report.quorum_charter, 4u);
  EXPECT_EQ(report.cosignatures, 4u);
  EXPECT_EQ(report.step(Step::kCharterChain).Ok(), true);
  EXPECT_EQ(report.step(Step::kCheckpoint).Ok(), true);
}

TEST_F(CharterQuorumTest, WitnessesThatWereReplacedStillBroughtTheirCharter) {
  AddFourth();
  AddFifth();
  const Report report = ExportAndReplay();
  ASSERT_THAT(report, Passes());
  EXPECT_EQ(report.quorum_charter, 5u);
}

TEST_F(CharterQuorumTest, AttackByNewWitnessesThatBringThemselvesIsFound) {
  AddFourth();
  AddFifth();
  log_.KeepCharterCheckpoint(5, log_.witnesses);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kQuorumMissing, fifth_.value()));
  log_.charter_checkpoints.erase(5);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kQuorumMissing, fifth_.value()));
}

TEST_F(CharterQuorumTest, WhatAsksForMoreMayComeWithTheNewestCheckpoint) {
  AddCharterWith(4);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.witnesses = {"gnr", "ong"};
  const Report report = ExportAndReplay();
  ASSERT_THAT(report, Passes());
  EXPECT_EQ(report.quorum, 2u);
  EXPECT_EQ(report.quorum_charter, 3u);
  EXPECT_EQ(report.charter_version, 4u);
  EXPECT_THAT(report, StepIsOpen(Step::kCheckpoint));
}

TEST_F(CharterQuorumTest, AttackByTheOldQuorumUnderALaterCheckpointIsFound) {
  AddFourth();
  log_.witnesses = {"gnr", "ong"};
  EXPECT_THAT(ExportAndReplay(), FailsAsAWhole(FindingCode::kQuorumMissing));
}

TEST_F(CharterQuorumTest, TheFirstThatAsksForWitnessesNeedsNone) {
  // It is all that the newest checkpoint brings.
  log_ = LogBuilder({"cpcj", "gnr", "mp", "ong", "uls"});
  AddCharterWith(2);
  const Report first = ExportAndReplay();
  ASSERT_THAT(first, Passes());
  EXPECT_EQ(first.quorum_charter, 2u);
  EXPECT_THAT(first, StepIsOpen(Step::kCheckpoint));
  log_.AddAnchor("ong");
  EXPECT_THAT(ExportAndReplay(), FailsAsAWhole(FindingCode::kQuorumMissing));
}

TEST_F(CharterQuorumTest, AttackByACharterThatNoWitnessSawIsFound) {
  const LeafIndex fourth = AddCharterWith(0);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kQuorumMissing, fourth.value()));
  log_.witnesses = {"gnr", "ong"};
  EXPECT_THAT(ExportAndReplay(), Passes()) << "the newest may be the one";
}

TEST_F(CharterQuorumTest, AttackByAnExportWithoutItsNotesIsFound) {
  AddFourth();
  Export();
  Remove("charter-checkpoints");
  ASSERT_THAT(Replayed(), Passes()) << "the newest has the old quorum, too";

  AddFifth();
  Export();
  Remove("charter-checkpoints");
  EXPECT_THAT(Replayed(),
              FirstFails(FindingCode::kQuorumMissing, fourth_.value()));
}

TEST_F(CharterQuorumTest, AResumedReplayTrustsWhatWasJudgedBefore) {
  AddFourth();
  Export();
  std::optional<ReplayState> state;
  ReplayOptions options{.root = log_.root()};
  options.state = [&](const ReplayState& ended) { state = ended; };
  ASSERT_THAT(Replayed(options), Passes());
  ASSERT_TRUE(state.has_value());
  kept() = "not fetched again for what it proves";
  AddFifth();
  Export();
  EXPECT_THAT(Replayed({.resume = &*state}), Passes());
  log_.KeepCharterCheckpoint(5, log_.witnesses);
  Export();
  EXPECT_THAT(Replayed({.resume = &*state}),
              FirstFails(FindingCode::kQuorumMissing, fifth_.value()));
}

// What a broker may put in the place of the checkpoint that it has to keep.
TEST_F(CharterQuorumTest, AttackByAKeptCheckpointIsFoundAtItsCharter) {
  const std::string before = log_.SignedCheckpoint({"gnr", "ong"});
  AddFourth();
  AddFifth();  // so that the newest cannot stand in
  const std::string good = kept();

  LogBuilder outsiders({"cpcj", "gnr", "mp", "ong", "uls"});
  const Note note = VALUE_OF(ParseNote(good));
  const auto with = [&](auto edit) {
    Note edited = note;
    edit(edited);
    return FormatNote(edited);
  };
  const auto cosign = [&](Note& edited, const LogMember& who, const char* as) {
    edited.signatures.push_back(VALUE_OF(CosignCheckpoint(
        edited.text, WitnessName("test-example", VALUE_OF(MemberId::Parse(as))),
        who.witness, log_.now)));
  };
  const auto sign = [&](TreeSize size, const Digest& root,
                        const SigningKey& key) {
    Note forged = VALUE_OF(ParseNote(VALUE_OF(
        amparo::SignCheckpoint({"test-example", size, root, {}}, key))));
    cosign(forged, log_.member("gnr"), "gnr");
    cosign(forged, log_.member("ong"), "ong");
    return FormatNote(forged);
  };
  const TreeSize size(fourth_.value() + 1);
  const Digest root = VALUE_OF(ParseCheckpoint(note.text)).root;

  const std::vector<std::pair<std::string, FindingCode>> attacks = {
      {"", FindingCode::kBadCheckpoint},
      {"no note at all\n", FindingCode::kBadCheckpoint},
      {std::string(100'000, '\n'), FindingCode::kBadCheckpoint},
      {sign(size, Sha256("another history"), log_.log_key()),
       FindingCode::kInconsistent},
      {sign(size, root, outsiders.log_key()), FindingCode::kBadCheckpoint},
      {sign(TreeSize(0), Sha256(""), log_.log_key()),
       FindingCode::kQuorumMissing},
      {before, FindingCode::kQuorumMissing},
      {with([](Note& n) { n.signatures.pop_back(); }),
       FindingCode::kQuorumMissing},
      {with([](Note& n) { n.signatures[2] = n.signatures[1]; }),
       FindingCode::kQuorumMissing},
      {with([&](Note& n) {
         n.signatures.pop_back();
         cosign(n, outsiders.member("uls"), "uls");
         cosign(n, outsiders.member("ong"), "ong");
         cosign(n, log_.member("gnr"), "mp");
       }),
       FindingCode::kQuorumMissing},
      {with([](Note& n) { n.signatures[1].signature[20] ^= 1; }),
       FindingCode::kBadCheckpoint},
  };
  for (size_t i = 0; i < attacks.size(); ++i) {
    kept() = attacks[i].first;
    EXPECT_THAT(ExportAndReplay(),
                FirstFails(attacks[i].second, fourth_.value()))
        << "attack " << i;
  }
  // By what came later nothing of now is in force: the newest checkpoint has to
  // do with the charter of before.
  for (const uint64_t later : {uint64_t{1'000'000}, ~uint64_t{0}}) {
    kept() = sign(TreeSize(later), root, log_.log_key());
    EXPECT_THAT(ExportAndReplay(), FailsAsAWhole(FindingCode::kQuorumMissing));
  }
  kept() = good;
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(CharterQuorumTest, AttackByAnyFlippedByteOfAKeptCheckpointNeverCrashes) {
  AddFourth();
  Export();
  const std::string name = "charter-checkpoints/4";
  for (size_t at = 0; at < kept().size(); ++at) {
    Flip(name, at);
    // Of a line that is nobody's any more there may be enough others.
    const Report report = Replayed();
    for (const Finding& finding : report.findings())
      EXPECT_EQ(finding.index, fourth_) << "byte " << at;
    Write(name, kept());
  }
  EXPECT_THAT(Replayed(), Passes());
}

TEST_F(CharterQuorumTest, AttackByACharterThatWasRefusedNeedsNoWitnesses) {
  log_.witnesses = {"gnr", "ong"};
  const LeafIndex refused = log_.AddCharter(
      [](Charter& next) { next.witness_quorum = 0; }, /*signers=*/1);
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, FirstFails(FindingCode::kBadCharter, refused.value()));
  EXPECT_EQ(report.findings().size(), 1u);
  EXPECT_EQ(report.quorum, 2u);
  EXPECT_EQ(report.charter_version, 3u);
}

TEST_F(CharterQuorumTest, AttackEntriesThatAreDatedBackAfterTheWitnesses) {
  // Kept ten hours after the entries' times: the log stood still, they say.
  fourth_ = AddCharterWith(4);
  log_.now += absl::Hours(10);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.now -= absl::Hours(10);
  const LeafIndex next = log_.AddAnchor("ong");
  log_.now += absl::Hours(10);
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, next.value()));
}

TEST_F(CharterQuorumTest, AttackEntriesThatAreDatedAheadOfTheWitnesses) {
  fourth_ = AddCharterWith(4);
  log_.now -= absl::Hours(10);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.now += absl::Hours(10);
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLate, fourth_.value()));
}

// Between an earlier replay and the one that goes on from it.
TEST_F(CharterQuorumTest, AttackDatesThatAResumedReplayMustCompare) {
  const auto resumed = [&](const std::function<void()>& meanwhile) {
    std::optional<ReplayState> state;
    ReplayOptions options{.root = log_.root()};
    options.state = [&](const ReplayState& ended) { state = ended; };
    Export();
    Replayed(options);
    EXPECT_TRUE(state.has_value());
    meanwhile();
    Export();
    return Replayed({.resume = &*state});
  };
  fourth_ = AddCharterWith(4);
  log_.now += absl::Hours(10);
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.now -= absl::Hours(10);
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  const LeafIndex next = log_.next();
  EXPECT_THAT(resumed([&] { log_.AddAnchor("ong"); }),
              FirstFails(FindingCode::kLate, next.value()));
  // And told again, where the one before has compared them.
  EXPECT_THAT(resumed([&] { log_.AddAnchor("ong"); }),
              FirstFails(FindingCode::kLate, next.value()));
}

TEST_F(CharterQuorumTest, AttackEntriesThatAreDatedAheadOfTheNewest) {
  AddFourth();
  log_.now += absl::Hours(10);
  log_.AddAnchor("ong");
  log_.now -= absl::Hours(10);
  EXPECT_THAT(ExportAndReplay(), FailsAsAWhole(FindingCode::kLate));
}

TEST_F(CharterQuorumTest, WitnessesWhoseClocksAreAnHourOffAreNoFinding) {
  for (const absl::Duration off : {absl::Minutes(-60), absl::Minutes(60)}) {
    fourth_ = log_.AddCharter([](Charter&) {});
    log_.now += off;
    log_.KeepCharterCheckpoint(log_.charter().charter.version, {"gnr", "ong"});
    log_.now -= off;
    log_.AddAnchor("ong");
  }
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  log_.now -= absl::Minutes(59);
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(CharterQuorumTest, AttackALogKeyThatWasRetiredSignsNothingAnyMore) {
  log_ = LogBuilder();
  log_.AddEnvelope("ong", "uls");
  const std::string older = log_.SignedCheckpoint();
  const SigningKey other = SigningKey::Generate();
  log_.AddCharter([&](Charter& next) {
    next.log_keys = {VALUE_OF(NoteVerifier::Create(
        "test-example", NoteKeyType::kEd25519, other.verify_key()))};
  });
  log_.AddAnchor("ong");
  Export();
  EXPECT_THAT(Replayed(), FailsAsAWhole(FindingCode::kBadCheckpoint));
  // By the key that the charter names, with the old one's older word.
  const Checkpoint head = VALUE_OF(PeekCheckpoint(Read("checkpoint")));
  Write("checkpoint", VALUE_OF(SignCheckpoint(head, other)));
  EXPECT_THAT(Replayed({.root = log_.root(), .since = {older}}), Passes());
}

TEST_F(CharterQuorumTest, AnOpenQuestionIsNotKeptAsAnAnswer) {
  // Version 4 comes with this checkpoint, version 5 after it, if it does.
  fourth_ = AddCharterWith(4);
  log_.AddCharter([](Charter&) {});
  const std::string early = log_.SignedCheckpoint({"gnr", "ong"});
  log_.KeepCharterCheckpoint(4, {"gnr", "ong"});
  log_.AddAnchor("ong");
  log_.witnesses = {"cpcj", "gnr", "mp", "ong"};
  log_.KeepCharterCheckpoint(5, log_.witnesses);
  Export();
  bool kept = false;
  ReplayOptions options{.root = log_.root()};
  options.state = [&](const ReplayState&) { kept = true; };
  EXPECT_THAT(Replayed(options), Passes());
  EXPECT_TRUE(kept);
  kept = false;
  Write("checkpoint", early);
  const Report report = Replayed(options);
  EXPECT_THAT(report, Passes());
  EXPECT_EQ(report.step(Step::kCharterChain).Ok(), std::nullopt);
  EXPECT_FALSE(kept);
}

}  // namespace
}  // namespace amparo::auditor

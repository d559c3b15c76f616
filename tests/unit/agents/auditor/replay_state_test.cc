#include "agents/auditor/replay_state.h"

#include <optional>

#include "base/error.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

namespace amparo::auditor {
namespace {

using absl::StatusCode;

class ReplayStateTest : public ReplayFixture {
 protected:
  struct Outcome {
    Report report;
    std::optional<ReplayState> state;
    uint64_t rows = 0;
  };
  // Exports what the log holds now and replays it, from `resume` on if given.
  Outcome Replayed(const ReplayState* resume = nullptr) {
    Export();
    return ReplayedAsIs(resume);
  }
  Outcome ReplayedAsIs(const ReplayState* resume, bool live = false) {
    Outcome outcome;
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    outcome.report = VALUE_OF(Replay(
        source,
        {.root = log_.root(),
         .timeline = [&](const TimelineEntry&) { ++outcome.rows; },
         .resume = resume,
         .live = live,
         .state = [&](const ReplayState& state) { outcome.state = state; }}));
    return outcome;
  }
  // As a resumed replay must judge: what a whole one says, word for word.
  static void ExpectSame(const Report& resumed, const Report& whole, int day) {
    EXPECT_EQ(resumed.ok(), whole.ok()) << day;
    EXPECT_EQ(resumed.first_bad_index(), whole.first_bad_index()) << day;
    EXPECT_EQ(Told(resumed), Told(whole)) << day;
    for (size_t i = 0; i < kStepCount; ++i) {
      const Step step = static_cast<Step>(i);
      EXPECT_EQ(resumed.step(step).failed, whole.step(step).failed)
          << day << " " << NameOf(step);
    }
  }
  static std::vector<std::string> Told(const Report& report) {
    std::vector<std::string> told;
    for (const Finding& one : report.findings())
      told.push_back(absl::StrCat(one.index ? one.index->value() : 9999, " ",
                                  NameOf(one.code), " ", one.text, " ",
                                  one.check));
    return told;
  }
  LeafIndex AddWithoutOpening(const char* from, const char* to) {
    const LeafIndex leaf = log_.AddEnvelope(from, to);
    log_.openings.erase(leaf.value());
    return leaf;
  }
  // What goes wrong on a day, and what becomes of it days later.
  void AddFault(int day) {
    switch (day % 12) {
      case 1:  // lost by the broker
        log_.AddEnvelope("ong", "gnr");
        log_.entries.pop_back();
        log_.openings.erase(log_.entries.size());
        log_.AddEnvelope("ong", "gnr");
        return;
      case 2:  // a link twice
        log_.AddEnvelope("uls", "gnr",
                         [](Header& header) { header.link_seq = 1; });
        return;
      case 3:  // without openings, and the chain goes on without them
        gone_ = AddWithoutOpening("gnr", "uls");
        log_.AddReceipt(*gone_);
        log_.AddEnvelope("gnr", "uls");
        AddWithoutOpening("gnr", "uls");
        return;
      case 4:  // one end asks for the first of them, a day later the other
        log_.AddErasure("gnr", {*gone_});
        return;
      case 5:
        log_.AddErasure("uls", {*gone_});
        return;
      case 6:  // an end of it once more, which erasures excuse once
        log_.AddReceipt(*gone_);
        return;
      case 7: {  // another one may be what a second end is about
        const LeafIndex other = AddWithoutOpening("gnr", "uls");
        log_.AddErasure("gnr", {other});
        log_.AddErasure("uls", {other});
        log_.AddReceipt(*gone_);
        log_.AddReceipt(other);
        return;
      }
      case 8:  // signed by a key that was revoked
        log_.AddRevocation("ong");
        log_.AddEnvelope("ong", "uls");
        return;
      case 9:
        log_.AddSigningKey("ong", false);
        return;
      case 10: {  // an opening that is another's
        const LeafIndex leaf = log_.AddAnchor("uls");
        log_.openings[leaf.value()].event.back() ^= 1;
        return;
      }
      case 11:
        log_.now -= absl::Hours(1);
        log_.AddAnchor("gnr");
        log_.now += absl::Hours(1);
        return;
    }
  }

  // A day of a network: mail under way, answered, recalled; new keys.
  void AddDay(int day) {
    const LeafIndex first = log_.AddEnvelope("ong", "uls");
    const LeafIndex second = log_.AddEnvelope("uls", "gnr");
    if (day % 2 == 0) log_.AddReceipt(first);
    if (day % 3 == 0) log_.AddRecall(second);
    if (waiting_.has_value()) log_.AddReceipt(*waiting_);
    waiting_ = log_.AddEnvelope("gnr", "ong");
    log_.AddAnchor("ong");
    if (day % 4 == 0) log_.AddSigningKey("ong");
    if (day % 5 == 0) log_.AddPrekey("uls");
    if (day % 7 == 0) log_.AddCharter([](Charter&) {});
    if (day % 6 == 0) {
      const LeafIndex gone = log_.AddEnvelope("uls", "ong");
      log_.openings.erase(gone.value());
      log_.AddErasure("uls", {gone});
      log_.AddErasure("ong", {gone});
    }
  }

  std::optional<LeafIndex> waiting_, gone_;
};

// Whoever resumes knows at every end what a whole replay knows.
TEST_F(ReplayStateTest, ResumingEndsWhereAWholeReplayEnds) {
  for (int i = 0; i < 150; ++i) log_.AddAnchor("gnr");
  std::optional<ReplayState> kept;
  for (int day = 0; day < 60; ++day) {
    AddDay(day);
    const uint64_t before =
        kept.has_value()
            ? VALUE_OF(
                  ParseCheckpoint(VALUE_OF(ParseNote(kept->checkpoint)).text))
                  .size.value()
            : 0;
    Outcome resumed = Replayed(kept.has_value() ? &*kept : nullptr);
    ASSERT_THAT(resumed.report, Passes()) << day;
    EXPECT_EQ(resumed.rows, log_.entries.size() - before);
    ASSERT_TRUE(resumed.state.has_value());
    const Outcome whole = ReplayedAsIs(nullptr);
    ASSERT_EQ(FormatReplayState(*resumed.state),
              FormatReplayState(*whole.state))
        << day;
    // Through its text, as a file keeps it.
    kept = VALUE_OF(ParseReplayState(FormatReplayState(*resumed.state)));
    EXPECT_EQ(FormatReplayState(*kept), FormatReplayState(*resumed.state));
  }
  EXPECT_GT(log_.entries.size(), 2 * kTileWidth);
}

// A log with findings is gone on from, and never becomes right by that.
TEST_F(ReplayStateTest, ResumingTellsEveryFindingThatAWholeReplayTells) {
  std::optional<ReplayState> kept;
  for (int day = 1; day < 48; ++day) {
    if (day % 2 == 0) AddDay(day);
    AddFault(day);
    const Outcome resumed = Replayed(kept.has_value() ? &*kept : nullptr);
    const Outcome whole = ReplayedAsIs(nullptr);
    ASSERT_FALSE(whole.report.ok());
    ExpectSame(resumed.report, whole.report, day);
    ASSERT_TRUE(resumed.state.has_value()) << day;
    ASSERT_EQ(FormatReplayState(*resumed.state),
              FormatReplayState(*whole.state))
        << day;
    kept = VALUE_OF(ParseReplayState(FormatReplayState(*resumed.state)));
    EXPECT_EQ(FormatReplayState(*kept), FormatReplayState(*resumed.state));
    // And with nothing new.
    const Outcome again = ReplayedAsIs(&*kept);
    ExpectSame(again.report, whole.report, day);
    for (const Finding& finding : again.report.findings())
      EXPECT_TRUE(finding.known) << finding.text;
  }
}

TEST_F(ReplayStateTest, SaysWhatIsNewBesideWhatIsKnown) {
  AddFault(1);
  const Outcome first = Replayed();
  ASSERT_EQ(first.report.findings().size(), 1u);
  EXPECT_FALSE(first.report.findings()[0].known);
  EXPECT_THAT(first.report.findings()[0].text, testing::HasSubstr("rebuilt"));
  AddFault(11);
  const Outcome resumed = Replayed(&*first.state);
  ASSERT_EQ(resumed.report.findings().size(), 2u);
  EXPECT_TRUE(resumed.report.findings()[0].known);
  EXPECT_FALSE(resumed.report.findings()[1].known);
}

// Which an older program's state forgot: it counted the ends, and no more.
TEST_F(ReplayStateTest, AttackASecondEndOfWhatWasErasedComesAfterTheState) {
  const LeafIndex gone = AddWithoutOpening("ong", "uls");
  const LeafIndex other = AddWithoutOpening("ong", "uls");
  log_.AddErasure("ong", {gone, other});
  log_.AddErasure("uls", {gone, other});
  log_.AddReceipt(gone);
  const Outcome first = Replayed();
  ASSERT_THAT(first.report, Passes());
  const LeafIndex second = log_.AddReceipt(gone);
  const Outcome resumed = Replayed(&*first.state);
  ExpectSame(resumed.report, ReplayedAsIs(nullptr).report, 0);
  EXPECT_THAT(resumed.report, FirstFails(FindingCode::kLate, second.value()));
}

// A copy of an earlier day accuses nobody; a host that shows it does.
TEST_F(ReplayStateTest, AnOlderExportIsRefusedAndAHostThatShrinksIsFound) {
  for (int day = 1; day < 5; ++day) AddDay(day);
  const size_t before = log_.entries.size();
  AddDay(5);
  const Outcome first = Replayed();
  log_.entries.resize(before);
  std::erase_if(log_.openings,
                [&](const auto& one) { return one.first >= before; });
  Export();
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  const absl::Status refused =
      Replay(source, {.root = log_.root(), .resume = &*first.state}).status();
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("older export"));
  const Outcome live = ReplayedAsIs(&*first.state, true);
  EXPECT_THAT(live.report, FailsAsAWhole(FindingCode::kInconsistent));
  EXPECT_FALSE(live.state.has_value());
}

TEST_F(ReplayStateTest, SaysWhatWasNotSeenAgain) {
  AddDay(1);
  const Outcome first = Replayed();
  const uint64_t size = log_.entries.size();
  const Outcome same = Replayed(&*first.state);
  EXPECT_THAT(same.report, Passes());
  EXPECT_EQ(same.report.resumed_from, TreeSize(size));
  EXPECT_EQ(ToJson(same.report)["resumed_from"], size);
  EXPECT_EQ(same.rows, 0u);
  EXPECT_EQ(same.report.counts.envelopes, 0u);
  EXPECT_EQ(first.report.resumed_from, std::nullopt);
}

TEST_F(ReplayStateTest, JudgesWhatCameSinceByWhatWasBefore) {
  AddDay(1);
  const Outcome first = Replayed();
  // A link that was there before.
  const LeafIndex again = log_.AddEnvelope(
      "ong", "uls", [](Header& header) { header.link_seq = 1; });
  const Outcome resumed = Replayed(&*first.state);
  EXPECT_THAT(resumed.report,
              FirstFails(FindingCode::kLinkFork, again.value()));
}

// A history that is another before the state's end, or shorter, is refused.
TEST_F(ReplayStateTest, AttackByAnotherHistoryIsFound) {
  for (int day = 1; day < 50; ++day) AddDay(day);
  const Outcome first = Replayed();
  const uint64_t end = log_.entries.size();
  ASSERT_GT(end, kTileWidth);
  AddDay(50);
  for (const uint64_t changed : {uint64_t{12}, end - 2}) {
    log_.entries[changed][20] ^= 1;
    const Outcome resumed = Replayed(&*first.state);
    EXPECT_FALSE(resumed.report.ok()) << changed;
    EXPECT_EQ(resumed.report.step(Step::kConsistency).Ok(), false) << changed;
    EXPECT_FALSE(resumed.state.has_value());
    log_.entries[changed][20] ^= 1;
  }
  log_.entries.resize(end - 1);
  Export();
  const Outcome shorter = ReplayedAsIs(&*first.state, true);
  EXPECT_FALSE(shorter.report.ok());
  EXPECT_EQ(shorter.report.step(Step::kConsistency).Ok(), false);
}

TEST_F(ReplayStateTest, AttackByAnotherLogOfTheSameSizeIsFound) {
  AddDay(1);
  const Outcome first = Replayed();
  log_.entries.back()[20] ^= 1;
  const Outcome resumed = Replayed(&*first.state);
  EXPECT_FALSE(resumed.report.ok());
  EXPECT_EQ(resumed.report.step(Step::kConsistency).Ok(), false);
}

TEST_F(ReplayStateTest, IsGivenOnlyForALogThatIsWhatWasSigned) {
  AddDay(1);
  Export();
  Flip(Tile(), 40);
  EXPECT_FALSE(ReplayedAsIs(nullptr).state.has_value());
  Export();
  Flip("checkpoint", 12);
  EXPECT_FALSE(ReplayedAsIs(nullptr).state.has_value());
  log_.AddCharter([](Charter&) {}, 1);
  EXPECT_FALSE(Replayed().state.has_value());
}

// What is not kept could not be told again.
TEST_F(ReplayStateTest, IsNotGivenWhereFindingsAreTooMany) {
  for (size_t i = 0; i < Report::kFindingsMax + 2; ++i)
    log_.AddEnvelope("ong", "uls", [](Header& header) { header.link_seq = 1; });
  const Outcome outcome = Replayed();
  ASSERT_GT(outcome.report.findings_omitted(), 0u);
  EXPECT_FALSE(outcome.state.has_value());
}

TEST_F(ReplayStateTest, EveryByteOfItCounts) {
  AddDay(1);
  const std::string text = FormatReplayState(*Replayed().state);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto state = ParseReplayState(changed);
    ASSERT_THAT(state, StatusIs(StatusCode::kDataLoss)) << i;
    EXPECT_EQ(ErrorCodeOf(state.status()), "tampered");
    ASSERT_FALSE(ParseReplayState(text.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(ParseReplayState(text + "\n").ok());
}

TEST_F(ReplayStateTest, IsOfOneNetworkAndOneKindOfSource) {
  AddDay(1);
  const Outcome first = Replayed();
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  EXPECT_THAT(
      Replay(source, {.root = Sha256("another"), .resume = &*first.state}),
      StatusIs(StatusCode::kInvalidArgument));
  EXPECT_TRUE(VALUE_OF(Replay(source, {.resume = &*first.state})).root_pinned);
  Remove("openings");
  EXPECT_THAT(Replay(source, {.resume = &*first.state}),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(ReplayStateTest, DoesNotGoOnFromAnEdgeThatIsNotItsCheckpoints) {
  AddDay(1);
  ReplayState state = *Replayed().state;
  state.edge[0].pop_back();
  FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
  EXPECT_THAT(Replay(source, {.resume = &state}),
              StatusIs(StatusCode::kDataLoss));
  state = *Replayed().state;
  state.edge[0][0] = Sha256("another");
  EXPECT_THAT(Replay(source, {.resume = &state}),
              StatusIs(StatusCode::kDataLoss));
}

}  // namespace
}  // namespace amparo::auditor

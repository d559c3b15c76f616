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
  Outcome ReplayedAsIs(const ReplayState* resume) {
    Outcome outcome;
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    outcome.report = VALUE_OF(Replay(
        source,
        {.root = log_.root(),
         .timeline = [&](const TimelineEntry&) { ++outcome.rows; },
         .resume = resume,
         .state = [&](const ReplayState& state) { outcome.state = state; }}));
    return outcome;
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

  std::optional<LeafIndex> waiting_;
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
  EXPECT_FALSE(resumed.state.has_value());
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
  const Outcome shorter = Replayed(&*first.state);
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

TEST_F(ReplayStateTest, IsGivenOnlyWithoutAFinding) {
  AddDay(1);
  Export();
  Flip(Tile(), 40);
  EXPECT_FALSE(ReplayedAsIs(nullptr).state.has_value());
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

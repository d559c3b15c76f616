#include "agents/auditor/replay.h"

#include "tests/unit/agents/auditor/replay_fixture.h"

namespace amparo::auditor {
namespace {

using ReplayTest = ReplayFixture;

TEST_F(ReplayTest, AnHonestLogPassesEveryStepThatHasSomethingToLookAt) {
  const LeafIndex first = log_.AddEnvelope("ong", "uls");
  log_.AddReceipt(first);
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"), ReceiptKind::kUndecryptable);
  log_.AddRecall(log_.AddEnvelope("uls", "ong"));
  log_.AddAnchor("gnr");
  const Report report = ExportAndReplay();
  ASSERT_THAT(report, Passes());
  for (const Step step :
       {Step::kCharterChain, Step::kKeyEvents, Step::kTiles, Step::kCheckpoint,
        Step::kOpenings, Step::kSignatures, Step::kLinks, Step::kReport}) {
    EXPECT_EQ(report.step(step).Ok(), true) << NameOf(step);
    EXPECT_GT(report.step(step).checked, 0u) << NameOf(step);
  }
  EXPECT_EQ(report.step(Step::kConsistency).Ok(), std::nullopt);
  EXPECT_EQ(report.step(Step::kDisclosures).Ok(), std::nullopt);
}

TEST_F(ReplayTest, SaysWhatTheLogHolds) {
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  log_.AddAnchor("ong");
  log_.AddExpiry(log_.AddEnvelope("ong", "gnr", [](Header& header) {
    header.expires = header.created + absl::Seconds(2);
  }));
  const Report report = ExportAndReplay();
  ASSERT_THAT(report, Passes());
  EXPECT_EQ(report.network, "test-example");
  EXPECT_TRUE(report.root_pinned);
  EXPECT_EQ(report.charter_version, 2u);
  EXPECT_EQ(report.size, TreeSize(log_.entries.size()));
  EXPECT_EQ(report.checkpoint_at, log_.now);
  EXPECT_EQ(report.quorum, 0u);
  EXPECT_EQ(report.counts.charters, 2u);
  EXPECT_EQ(report.counts.key_events, 6u);
  EXPECT_EQ(report.counts.envelopes, 2u);
  EXPECT_EQ(report.counts.receipts, 1u);
  EXPECT_EQ(report.counts.anchors, 1u);
  EXPECT_EQ(report.counts.expiries, 1u);
}

TEST_F(ReplayTest, TellsTheTimelineInLeafOrder) {
  const LeafIndex sent = log_.AddEnvelope("ong", "uls");
  log_.AddReceipt(sent);
  Export();
  std::vector<TimelineEntry> rows;
  ASSERT_THAT(
      Replayed(
          {.root = log_.root(),
           .timeline = [&](const TimelineEntry& row) { rows.push_back(row); }}),
      Passes());
  ASSERT_EQ(rows.size(), log_.entries.size());
  EXPECT_EQ(rows[0].event, "charter");
  EXPECT_EQ(rows[2].event, "key_event");
  EXPECT_EQ(rows[2].from, "gnr");
  const TimelineEntry& envelope = rows[sent.value()];
  EXPECT_EQ(envelope.event, "envelope");
  EXPECT_EQ(envelope.from, "ong");
  EXPECT_EQ(envelope.to, "uls");
  EXPECT_EQ(envelope.digest, log_.DigestAt(sent).ToString());
  EXPECT_EQ(rows.back().event, "receipt");
  EXPECT_EQ(rows.back().detail, "delivered");
  EXPECT_EQ(rows.back().envelope_id, envelope.envelope_id);
}

TEST_F(ReplayTest, WithoutAPinTakesTheLogsOwnRootAndSaysSo) {
  log_.AddEnvelope("ong", "uls");
  Export();
  const Report report = Replayed(ReplayOptions{});
  EXPECT_THAT(report, Passes());
  EXPECT_FALSE(report.root_pinned);
}

TEST_F(ReplayTest, WithoutOpeningsChecksTreeAndCharterOnly) {
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  Export();
  Remove("openings");
  const Report report = Replayed();
  EXPECT_THAT(report, Passes());
  EXPECT_EQ(report.counts.unopened, 2u);
  EXPECT_EQ(report.step(Step::kTiles).Ok(), true);
  for (const Step step : {Step::kOpenings, Step::kSignatures, Step::kLinks})
    EXPECT_EQ(report.step(step).Ok(), std::nullopt) << NameOf(step);
}

TEST_F(ReplayTest, FollowsATreeOfSeveralTiles) {
  for (int i = 0; i < 530; ++i) log_.AddAnchor("ong");
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, Passes());
  EXPECT_EQ(report.step(Step::kTiles).checked, 4u);
}

TEST_F(ReplayTest, FollowsKeysThroughRotationAndNewLinks) {
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  const LeafIndex last = log_.AddEnvelope("ong", "uls");
  log_.AddSigningKey("ong");
  log_.AddPrekey("ong");
  log_.AddEnvelope("ong", "uls", [&](Header& header) {
    header.link_prev = log_.DigestAt(last);
  });
  log_.AddEnvelope("ong", "uls");
  log_.AddEnvelope("uls", "ong");
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(ReplayTest, AnErasureExplainsAMissingOpeningAndItsLink) {
  const LeafIndex first = log_.AddEnvelope("ong", "uls");
  const LeafIndex receipt = log_.AddReceipt(first);
  log_.AddEnvelope("ong", "uls");
  log_.AddErasure("ong", {first});
  log_.AddErasure("uls", {first});
  log_.openings.erase(first.value());
  log_.AddEnvelope("ong", "uls");
  const Report report = ExportAndReplay();
  EXPECT_THAT(report, Passes());
  EXPECT_EQ(report.counts.unopened, 1u);
  EXPECT_EQ(report.counts.erasures, 2u);
  EXPECT_LT(first, receipt);
}

TEST_F(ReplayTest, FindsAnOlderCheckpointConsistent) {
  log_.AddEnvelope("ong", "uls");
  const std::string older = log_.SignedCheckpoint();
  log_.AddEnvelope("ong", "uls");
  Export();
  const Report report =
      Replayed({.root = log_.root(), .since = {older, older}});
  EXPECT_THAT(report, Passes());
  EXPECT_EQ(report.step(Step::kConsistency).Ok(), true);
  EXPECT_EQ(report.step(Step::kConsistency).checked, 2u);
}

TEST_F(ReplayTest, ServesAPartOfAFullTileWhereOnlyThatIsThere) {
  Export();
  const size_t width = log_.entries.size();
  std::filesystem::rename(Path(Tile()), Path("tile-0"));
  std::filesystem::rename(Path(Bundle()), Path("bundle-0"));
  std::filesystem::rename(Path("tile-0"),
                          Path(absl::StrCat("tile/0/000.p/", width + 9)));
  std::filesystem::rename(Path("bundle-0"),
                          Path(absl::StrCat("tile/entries/000.p/", width + 9)));
  EXPECT_THAT(Replayed(), Passes());
}

// A source that cannot be reached gives no verdict.
class DeadSource : public LeafSource {
 public:
  absl::StatusOr<std::string> Checkpoint() override { return Down(); }
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t, uint32_t) override {
    return Down();
  }
  absl::StatusOr<Bytes> HashTile(const TileId&) override { return Down(); }
  absl::StatusOr<std::string> Document(const Digest&) override {
    return Down();
  }
  bool HasOpenings() override { return true; }
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t, uint32_t) override {
    return Down();
  }

 private:
  static absl::Status Down() { return absl::UnavailableError("no answer"); }
};

TEST(ReplayOfADeadSource, IsAnErrorAndNoVerdict) {
  DeadSource source;
  EXPECT_THAT(Replay(source, {}).status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(FolderSourceTest, RefusesAFolderWithoutCheckpoint) {
  EXPECT_THAT(FolderSource::Open(testing::TempDir()).status(),
              StatusIs(absl::StatusCode::kNotFound));
}

// A mirror opens what its member sent and received, and nothing else.
class MirrorReplay : public ReplayFixture {
 protected:
  Report ReplayMirror() {
    Export();
    return Replayed({.root = log_.root(), .mirror = true});
  }
};

TEST_F(MirrorReplay, WhatItDoesNotOpenIsNoFinding) {
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  const LeafIndex others = log_.AddEnvelope("gnr", "uls");
  log_.AddEnvelope("ong", "uls");
  log_.openings.erase(others.value());
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kOpeningMissing, others.value()));
  const Report report = ReplayMirror();
  EXPECT_THAT(report, Passes());
  EXPECT_EQ(report.counts.unopened, 1u);
  EXPECT_THAT(report.step(Step::kOpenings).skipped,
              testing::HasSubstr("1 sealed entries are not opened"));
  EXPECT_EQ(report.step(Step::kLinks).skipped, "");
}

TEST_F(MirrorReplay, AGapThatTheUnopenedMayFillIsLeftOpen) {
  log_.AddEnvelope("ong", "uls");
  log_.openings.erase(log_.AddEnvelope("ong", "uls").value());
  log_.AddEnvelope("ong", "uls");
  const Report report = ReplayMirror();
  EXPECT_THAT(report, Passes());
  EXPECT_THAT(report.step(Step::kLinks).skipped,
              testing::HasSubstr("1 entries that lack others are not judged"));
}

TEST_F(MirrorReplay, AttackWhatItOpensIsStillHeldToTheLog) {
  log_.AddEnvelope("ong", "uls");
  const LeafIndex leaf = log_.AddEnvelope("ong", "uls");
  log_.openings.at(leaf.value()).salt[0] ^= 1;
  EXPECT_THAT(ReplayMirror(),
              FirstFails(FindingCode::kOpeningMismatch, leaf.value()));
}

TEST_F(MirrorReplay, AttackALinkThatNoUnopenedEntryCanBeIsAGap) {
  log_.AddEnvelope("ong", "uls");
  const LeafIndex leaf =
      log_.AddEnvelope("ong", "uls", [](Header& header) { ++header.link_seq; });
  EXPECT_THAT(ReplayMirror(), FirstFails(FindingCode::kLinkGap, leaf.value()));
}

}  // namespace
}  // namespace amparo::auditor

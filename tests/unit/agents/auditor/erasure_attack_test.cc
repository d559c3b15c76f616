#include <optional>

#include "agents/auditor/erasures.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

// A member and a broker take away what both ends of an envelope would have to
// ask for: the opening of anybody's entry.

namespace amparo::auditor {
namespace {

class ErasureAttack : public ReplayFixture {
 protected:
  // The opening of `leaf` goes, and these ask for it.
  void Erase(LeafIndex leaf, const std::vector<std::string>& members) {
    log_.openings.erase(leaf.value());
    for (const std::string& member : members) log_.AddErasure(member, {leaf});
  }
  void AskAsOpener(const std::string& member, LeafIndex leaf) {
    log_.AddErasure(member, {leaf}, ErasureAuthority::kCaseOpener);
  }
};

TEST_F(ErasureAttack, BothEndsMayLetTheirEnvelopeBeErased) {
  const LeafIndex gone = log_.AddEnvelope("ong", "uls");
  const LeafIndex receipt = log_.AddReceipt(gone);
  log_.AddEnvelope("ong", "uls");
  Erase(gone, {"ong", "uls"});
  EXPECT_THAT(ExportAndReplay(), Passes());
  Erase(receipt, {"ong", "uls"});
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(ErasureAttack, OneMemberAloneLetsWhatIsItsOwnBeErased) {
  log_.AddEnvelope("ong", "uls");
  Erase(log_.AddAnchor("ong"), {"ong"});
  log_.AddEnvelope("ong", "uls");
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(ErasureAttack, ByOneEndAloneLeavesAGap) {
  log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
  const LeafIndex gone = log_.AddEnvelope("ong", "uls");
  const LeafIndex next = log_.AddEnvelope("ong", "uls");
  Erase(gone, {"ong"});
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkGap, next.value()));
  // Asking twice is not asking by two.
  log_.AddErasure("ong", {gone});
  EXPECT_FALSE(ExportAndReplay().ok());
  log_.AddErasure("uls", {gone});
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(ErasureAttack, ByAStrangerToItLeavesAGap) {
  for (const std::vector<std::string>& askers :
       {std::vector<std::string>{"gnr"}, {"gnr", "ong"}, {"gnr", "uls"}}) {
    log_ = LogBuilder();
    log_.AddReceipt(log_.AddEnvelope("ong", "uls"));
    const LeafIndex gone = log_.AddEnvelope("ong", "uls");
    const LeafIndex next = log_.AddEnvelope("ong", "uls");
    Erase(gone, askers);
    EXPECT_THAT(ExportAndReplay(),
                FirstFails(FindingCode::kLinkGap, next.value()));
  }
}

TEST_F(ErasureAttack, TheFirstEnvelopeAndThoseBeforeANewKeyToo) {
  const LeafIndex gone = log_.AddEnvelope("ong", "uls");
  const LeafIndex next = log_.AddEnvelope("ong", "uls");
  Erase(gone, {"gnr"});
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkGap, next.value()));
  log_ = LogBuilder();
  log_.AddEnvelope("ong", "uls");
  const LeafIndex last = log_.AddEnvelope("ong", "uls");
  const Digest digest = log_.DigestAt(last);
  log_.AddSigningKey("ong");
  const LeafIndex anew = log_.AddEnvelope(
      "ong", "uls", [&](Header& header) { header.link_prev = digest; });
  Erase(last, {"gnr"});
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkFork, anew.value()));
  log_.AddErasure("ong", {last});
  log_.AddErasure("uls", {last});
  EXPECT_THAT(ExportAndReplay(), Passes());
}

TEST_F(ErasureAttack, ACaseOpenerNeedsThirtyDays) {
  const LeafIndex gone = log_.AddEnvelope("ong", "uls");
  log_.AddReceipt(gone);
  const LeafIndex next = log_.AddEnvelope("ong", "uls");
  log_.openings.erase(gone.value());
  AskAsOpener("ong", gone);
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLate, gone.value() + 1));
  log_.now += absl::Hours(29 * 24);
  AskAsOpener("ong", gone);
  EXPECT_FALSE(ExportAndReplay().ok());
  log_.now += absl::Hours(25);
  // As a party it asks for ever.
  log_.AddErasure("ong", {gone});
  EXPECT_FALSE(ExportAndReplay().ok());
  // Another's thirty days are not its own.
  AskAsOpener("gnr", gone);
  EXPECT_FALSE(ExportAndReplay().ok());
  AskAsOpener("ong", gone);
  EXPECT_THAT(ExportAndReplay(), Passes());
  EXPECT_LT(gone, next);
}

TEST_F(ErasureAttack, AReceiptForWhatOneMemberErasedIsFound) {
  const LeafIndex envelope = log_.AddEnvelope("ong", "uls");
  const LeafIndex receipt = log_.AddReceipt(envelope);
  Erase(envelope, {"uls"});
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLate, receipt.value()));
}

TEST_F(ErasureAttack, ARecallOrAnExpiryOfWhatOneMemberErasedIsFound) {
  for (const bool recall : {true, false}) {
    log_ = LogBuilder();
    // An honest erasure of something else, by one member.
    Erase(log_.AddAnchor("gnr"), {"gnr"});
    const LeafIndex envelope = log_.AddEnvelope("ong", "uls");
    const LeafIndex end =
        recall ? log_.AddRecall(envelope)
               : (log_.now += absl::Hours(25), log_.AddExpiry(envelope));
    Erase(envelope, {"ong"});
    EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, end.value()));
    log_.AddErasure("uls", {envelope});
    EXPECT_THAT(ExportAndReplay(), Passes());
  }
}

TEST_F(ErasureAttack, OneAnchorThatWasErasedHidesNoGapOfOthers) {
  log_.AddEnvelope("ong", "uls");
  Erase(log_.AddAnchor("gnr"), {"gnr"});
  const LeafIndex next = log_.AddEnvelope(
      "ong", "uls", [](Header& header) { header.link_seq = 3; });
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLinkGap, next.value()));
}

// The log shows it, and how it ended: nobody's erasure of another is an excuse.
TEST_F(ErasureAttack, AnEnvelopeThatWasSeenEndsOnceWhateverElseWasErased) {
  for (const bool recall : {true, false}) {
    log_ = LogBuilder();
    const LeafIndex seen = log_.AddEnvelope("ong", "uls");
    log_.AddReceipt(seen);
    const LeafIndex gone = log_.AddEnvelope("ong", "uls");
    log_.now += absl::Hours(25);
    Erase(gone, {"ong", "uls"});
    EXPECT_THAT(ExportAndReplay(), Passes());
    std::optional<std::string> kept;
    ReplayOptions options{.root = log_.root()};
    options.state = [&](const ReplayState& state) {
      kept = FormatReplayState(state);
    };
    Replayed(options);
    ASSERT_TRUE(kept.has_value());
    const LeafIndex end = recall ? log_.AddRecall(seen) : log_.AddExpiry(seen);
    EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, end.value()));
    const ReplayState state = VALUE_OF(ParseReplayState(*kept));
    EXPECT_EQ(FormatReplayState(state), *kept);
    EXPECT_THAT(Replayed({.root = log_.root(), .resume = &state}),
                FirstFails(FindingCode::kLate, end.value()));
    // Of what was erased it may be so.
    log_.entries.pop_back();
    log_.openings.erase(end.value());
    log_.AddExpiry(gone);
    EXPECT_THAT(ExportAndReplay(), Passes());
  }
}

TEST_F(ErasureAttack, OneErasedEnvelopeExcusesOneEnd) {
  const LeafIndex gone = log_.AddEnvelope("ong", "uls");
  Erase(gone, {"ong", "uls"});
  log_.AddEvent(ExpiryEvent{Sha256("never logged")});
  EXPECT_THAT(ExportAndReplay(), Passes()) << "it may be the one";
  const LeafIndex second = log_.AddEvent(ExpiryEvent{Sha256("nor this one")});
  EXPECT_THAT(ExportAndReplay(),
              FirstFails(FindingCode::kLate, second.value()));
  const LeafIndex other = log_.AddEnvelope("gnr", "uls");
  Erase(other, {"gnr", "uls"});
  EXPECT_THAT(ExportAndReplay(), FirstFails(FindingCode::kLate, second.value()))
      << "it came later";
}

// Whoever makes more of them than anybody remembers is told of, and not let go.
TEST_F(ErasureAttack, MoreThanCanBeJudgedIsFound) {
  Erasures erasures;
  LeafSet unopened;
  unopened.Add(LeafIndex(0));
  for (const char* member : {"ong", "uls"})
    erasures.OnErasure(LeafIndex(1), log_.now, log_.member(member).id, false,
                       {LeafIndex(0)});
  const auto excuse = [](uint64_t leaf) {
    return Erasures::Excuse{
        Step::kLinks,
        {FindingCode::kLinkGap, LeafIndex(leaf), "a gap", "the chain"},
        0,
        1};
  };
  Report report;
  for (uint64_t i = 0; i < Erasures::kExcusesMax; ++i)
    erasures.Add(excuse(2 + i), report);
  erasures.Finish(unopened, report);
  EXPECT_TRUE(report.ok());
  for (uint64_t i = 0; i <= Erasures::kExcusesMax; ++i)
    erasures.Add(excuse(2 + i), report);
  erasures.Finish(unopened, report);
  EXPECT_THAT(report,
              FirstFails(FindingCode::kLinkGap, 2 + Erasures::kExcusesMax));
}

// Who goes on from a state knows who asked before it.
TEST_F(ErasureAttack, AStateRemembersWhoAsked) {
  const LeafIndex gone = log_.AddEnvelope("ong", "uls");
  const LeafIndex own = log_.AddAnchor("ong");
  Erase(gone, {"ong", "uls"});
  Erase(own, {"ong"});
  Export();
  std::optional<std::string> kept;
  ReplayOptions options{.root = log_.root()};
  options.state = [&](const ReplayState& state) {
    kept = FormatReplayState(state);
  };
  EXPECT_THAT(Replayed(options), Passes());
  ASSERT_TRUE(kept.has_value());
  const ReplayState state = VALUE_OF(ParseReplayState(*kept));
  EXPECT_EQ(FormatReplayState(state), *kept);
  // It goes on with link 2, or skips one: its anchor was no envelope.
  log_.AddEnvelope("ong", "uls", [](Header& header) { header.link_seq = 3; });
  const uint64_t leaf = log_.entries.size() - 1;
  Export();
  EXPECT_THAT(Replayed({.root = log_.root(), .resume = &state}),
              FirstFails(FindingCode::kLinkGap, leaf));
  log_.entries.pop_back();
  log_.openings.erase(leaf);
  log_.AddEnvelope("ong", "uls", [](Header& header) { header.link_seq = 2; });
  Export();
  EXPECT_THAT(Replayed({.root = log_.root(), .resume = &state}), Passes());
}

}  // namespace
}  // namespace amparo::auditor

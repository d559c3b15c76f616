#include "agents/auditor/checkpoint_pair.h"

#include "base/error.h"
#include "crypto/compact_range.h"
#include "tests/unit/agents/auditor/replay_fixture.h"

namespace amparo::auditor {
namespace {

using absl::StatusCode;

class CheckpointPairTest : public ReplayFixture {
 protected:
  CheckpointPairTest() {
    for (int i = 0; i < 300; ++i) log_.AddEnvelope("gnr", "ong");
    Export();
  }
  // The log's word on its first `size` entries, or on `root`.
  std::string Signed(uint64_t size) { return Signed(size, RootOf(size)); }
  std::string Signed(uint64_t size, const Digest& root) {
    return VALUE_OF(SignCheckpoint(
        {log_.charter().charter.network, TreeSize(size), root, {}},
        log_.log_key()));
  }
  std::string At(const std::string& note, int64_t second) {
    return VALUE_OF(
        TimeCheckpoint(note, log_.log_key(), absl::FromUnixSeconds(second)));
  }
  Digest RootOf(uint64_t size) {
    CompactRange range;
    for (uint64_t i = 0; i < size; ++i) range.Append(LeafHash(log_.entries[i]));
    return range.Root();
  }
  absl::StatusOr<CheckpointPair> Compare(const std::string& a,
                                         const std::string& b,
                                         bool with_tiles = true) {
    FolderSource source = VALUE_OF(FolderSource::Open(Path("")));
    const auto pair =
        CompareCheckpoints(a, b, key(), with_tiles ? &source : nullptr);
    const auto swapped =
        CompareCheckpoints(b, a, key(), with_tiles ? &source : nullptr);
    EXPECT_EQ(pair.status(), swapped.status());
    if (pair.ok()) {
      EXPECT_EQ(pair->verdict, swapped->verdict);
    }
    return pair;
  }
  NoteVerifier key() { return log_.charter().charter.log_keys.front(); }
  uint64_t size() const { return log_.entries.size(); }
};

TEST_F(CheckpointPairTest, AgreesOnOneHistory) {
  EXPECT_EQ(VALUE_OF(Compare(Signed(100), Signed(100), false)).verdict,
            PairVerdict::kSame);
  for (const uint64_t small : {uint64_t{0}, uint64_t{1}, uint64_t{255},
                               uint64_t{256}, uint64_t{257}, size() - 1}) {
    const CheckpointPair pair =
        VALUE_OF(Compare(Signed(small), Signed(size())));
    EXPECT_EQ(pair.verdict, PairVerdict::kConsistent) << small;
    EXPECT_TRUE(pair.ok());
  }
  // Between two heads that are both older than the tiles at hand.
  EXPECT_EQ(VALUE_OF(Compare(Signed(10), Signed(259))).verdict,
            PairVerdict::kConsistent);
}

TEST_F(CheckpointPairTest, ProvesTwoHistoriesOfOneSize) {
  const CheckpointPair pair =
      VALUE_OF(Compare(Signed(100), Signed(100, Sha256("another")), false));
  EXPECT_EQ(pair.verdict, PairVerdict::kFork);
  EXPECT_FALSE(pair.ok());
}

// Whoever gets the two notes and the proof can check them alone.
TEST_F(CheckpointPairTest, ProvesThatALargerLogIsAnotherOne) {
  const Digest other = Sha256("another");
  const CheckpointPair pair =
      VALUE_OF(Compare(Signed(100, other), Signed(size())));
  EXPECT_EQ(pair.verdict, PairVerdict::kInconsistent);
  EXPECT_NE(pair.proven_root, other);
  EXPECT_OK(VerifyConsistency(TreeSize(100), pair.proven_root, TreeSize(size()),
                              RootOf(size()), pair.proof));
}

TEST_F(CheckpointPairTest, SaysThatTheLogShrankByItsOwnTimes) {
  const std::string small = Signed(100), large = Signed(size());
  EXPECT_EQ(VALUE_OF(Compare(At(small, 5000), At(large, 1000))).verdict,
            PairVerdict::kRollback);
  // Two histories say more than their times.
  EXPECT_EQ(
      VALUE_OF(Compare(At(Signed(100, Sha256("x")), 5000), At(large, 1000)))
          .verdict,
      PairVerdict::kInconsistent);
  EXPECT_EQ(VALUE_OF(Compare(At(small, 5000), At(large, 1000), false)).verdict,
            PairVerdict::kRollback);
  // In order, overtaken on the way, or without a time: nothing shrank.
  EXPECT_TRUE(VALUE_OF(Compare(At(small, 1000), At(large, 5000))).ok());
  EXPECT_TRUE(VALUE_OF(Compare(At(small, 1001), At(large, 1000))).ok());
  EXPECT_TRUE(VALUE_OF(Compare(small, At(large, 1000))).ok());
}

// Nobody but the holder of the log's key can be accused.
TEST_F(CheckpointPairTest, AttackWithAForgedNoteAccusesNobody) {
  const SigningKey other = SigningKey::Generate();
  const std::string network = log_.charter().charter.network;
  const std::string forged = VALUE_OF(
      SignCheckpoint({network, TreeSize(100), Sha256("another"), {}}, other));
  std::string changed = Signed(100);
  changed.replace(changed.find("\n100\n"), 5, "\n101\n");
  const std::string foreign = VALUE_OF(SignCheckpoint(
      {"elsewhere", TreeSize(100), Sha256("another"), {}}, log_.log_key()));
  for (const std::string& note :
       {forged, changed, foreign, std::string(), std::string("no note")}) {
    const auto pair = Compare(Signed(100), note);
    EXPECT_THAT(pair, StatusIs(StatusCode::kPermissionDenied));
    EXPECT_EQ(ErrorCodeOf(pair.status()), "verification_failed");
  }
}

// Tiles that lie prove nothing, neither agreement nor a second history.
TEST_F(CheckpointPairTest, AttackWithForeignTilesDecidesNothing) {
  Flip("tile/0/000", 40);
  for (const Digest& root : {RootOf(100), Sha256("another")})
    EXPECT_THAT(Compare(Signed(100, root), Signed(size())),
                StatusIs(StatusCode::kNotFound));
  Remove("tile");
  EXPECT_THAT(Compare(Signed(100), Signed(size())),
              StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(Compare(Signed(100), Signed(size()), false),
              StatusIs(StatusCode::kNotFound));
}

TEST_F(CheckpointPairTest, SplitsNotesThatStandOneAfterAnother) {
  const std::string a = At(Signed(3), 10), b = Signed(7);
  const std::vector<std::string> both = {a, b};
  EXPECT_EQ(SplitNotes(a + b), both);
  EXPECT_EQ(SplitNotes(a + "\n" + b + "\n"), both);
  EXPECT_EQ(SplitNotes("\n\n" + a + "\n\n" + b), both);
  EXPECT_EQ(SplitNotes(a), std::vector<std::string>{a});
  EXPECT_TRUE(SplitNotes("").empty());
  EXPECT_TRUE(SplitNotes("\n\n\n").empty());
  // What is cut off is no note, and stays apart from the next.
  EXPECT_EQ(SplitNotes(b.substr(0, b.size() - 5)).size(), 1u);
}

TEST_F(CheckpointPairTest, SaysHowToCheckByHand) {
  for (const CheckpointPair& pair :
       {VALUE_OF(Compare(Signed(100), Signed(100))),
        VALUE_OF(Compare(Signed(100), Signed(100, Sha256("x")))),
        VALUE_OF(Compare(Signed(100), Signed(size()))),
        VALUE_OF(Compare(Signed(100, Sha256("x")), Signed(size()))),
        VALUE_OF(Compare(At(Signed(9), 5000), At(Signed(99), 1)))}) {
    const Json json = ToJson(pair);
    EXPECT_EQ(json["schema"], "checkpoint_compare/1");
    EXPECT_EQ(json["verdict"], std::string(NameOf(pair.verdict)));
    EXPECT_EQ(json["ok"], pair.ok());
    EXPECT_FALSE(json["check"].get<std::string>().empty());
    EXPECT_NE(ToText(pair).find("to check: "), std::string::npos);
  }
}

}  // namespace
}  // namespace amparo::auditor

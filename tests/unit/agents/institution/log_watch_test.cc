#include "agents/institution/core/log_watch.h"

#include "tests/support/agent_world.h"
#include "tests/support/status_matchers.h"

// One agent's own copy of an honest log. Who forges one stands in
// tests/adversary.

namespace amparo::agent {
namespace {

class LogWatchTest : public testing::Test {
 protected:
  TestAgent& uls() { return world_.agent("uls"); }
  LogWatch& log() { return uls().log(); }
  void Grow() {
    world_.clock().Advance(absl::Hours(25));  // everybody makes a prekey
    world_.Settle();
  }

  AgentWorld world_;
};

TEST_F(LogWatchTest, EveryAgentProvesTheSameLog) {
  Grow();
  for (const char* id : {"gnr", "mp", "cpcj", "ong"}) {
    EXPECT_EQ(world_.agent(id).log().view().size, log().view().size) << id;
    EXPECT_EQ(world_.agent(id).log().view().root, log().view().root) << id;
  }
}

TEST_F(LogWatchTest, ARestartGoesOnFromWhatWasProven) {
  Grow();
  const LogWatch::View before = log().view();
  uls().Restart();
  EXPECT_EQ(log().view().size, before.size);
  EXPECT_EQ(log().view().root, before.root);
  EXPECT_EQ(uls().peers().Now()->size, before.size);
  EXPECT_OK(
      uls().peers().PrekeyFor(world_.broker().Id("ong"), world_.clock().Now()));
  Grow();
  EXPECT_GT(log().size(), before.size);
}

TEST_F(LogWatchTest, FetchesOnlyWhatIsNew) {
  Grow();
  const TreeSize before = log().size();
  uls().port().tamper_entries = [&](LeafIndex start,
                                    std::vector<Bytes> entries) {
    EXPECT_GE(start.value(), before.value());
    return entries;
  };
  Grow();
  EXPECT_GT(log().size(), before);
}

TEST_F(LogWatchTest, KnowsTheRootsOfTheCheckpointsItFollowedAndNoOthers) {
  const LogWatch::View view = log().view();
  EXPECT_EQ(log().RootAt(view.size), view.root);
  Grow();
  EXPECT_EQ(log().RootAt(view.size), view.root);
  EXPECT_EQ(log().RootAt(TreeSize(log().size().value() + 1)), std::nullopt);
}

TEST_F(LogWatchTest, SaysNothingOfLeavesThatAreNotProven) {
  const LeafIndex next(log().size().value());
  EXPECT_OK(log().EntryAt(LeafIndex(next.value() - 1)));
  EXPECT_THAT(log().EntryAt(next), StatusIs(absl::StatusCode::kOutOfRange));
  EXPECT_THAT(log().CheckIncluded({.leaf = next}, {}),
              StatusIs(absl::StatusCode::kOutOfRange));
}

TEST_F(LogWatchTest, AnOutageHalfWayChangesNothing) {
  const LogWatch::View before = log().view();
  world_.clock().Advance(absl::Hours(25));
  ASSERT_OK(world_.agent("ong").keys().Maintain(world_.agent("ong").port()));
  const std::string note = world_.Checkpoint();
  uls().port().down = true;
  EXPECT_THAT(log().Follow(note), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(log().view().size, before.size);
  uls().port().down = false;
  EXPECT_OK(log().Follow(note));
  EXPECT_GT(log().view().size, before.size);
}

}  // namespace
}  // namespace amparo::agent

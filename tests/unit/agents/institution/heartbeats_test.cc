#include "agents/institution/core/heartbeats.h"

#include "proto/envelope/limits.h"
#include "tests/adversary/victims.h"

namespace amparo::agent {
namespace {

class HeartbeatsTest : public Victims {
 protected:
  // What waits in the outbox of `agent` when nothing takes it to the broker.
  static std::vector<std::string> Beats(TestAgent& agent) {
    EXPECT_TRUE(agent.heartbeats().Beat().ok());
    std::vector<std::string> to;
    for (const Draft& draft : VALUE_OF(agent.outbox().Drafts())) {
      EXPECT_EQ(draft.kind, EventKind::kHeartbeat);
      to.push_back(draft.recipient.text());
    }
    return to;
  }
  using Members = std::vector<std::string>;
};

TEST_F(HeartbeatsTest, GoToWhomThereWasMailWithADayAfterTheLast) {
  EXPECT_EQ(Beats(ong()), Members());
  Refer({"uls", "gnr"});
  world_.Settle();
  EXPECT_EQ(Beats(ong()), Members());
  world_.clock().Advance(kHeartbeatEvery - absl::Minutes(1));
  EXPECT_EQ(Beats(ong()), Members());
  world_.clock().Advance(absl::Minutes(2));
  EXPECT_EQ(Beats(ong()), (Members{"gnr", "uls"}));
  EXPECT_EQ(Beats(uls()), (Members{"ong"}));  // which only received
  EXPECT_EQ(Beats(mp()), Members());
  // What waits is enough.
  EXPECT_EQ(Beats(ong()), (Members{"gnr", "uls"}));
  world_.Settle();
  EXPECT_EQ(Beats(ong()), Members());
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(HeartbeatsTest, EndWhenNoMailWentForAMonthAsTheyAreNoMail) {
  Refer();
  world_.Settle();
  for (int day = 1; day <= 29; ++day) {
    world_.clock().Advance(kHeartbeatEvery + absl::Minutes(1));
    world_.Settle();
  }
  world_.clock().Advance(kHeartbeatEvery);
  EXPECT_EQ(Beats(ong()), Members());
  EXPECT_EQ(Beats(uls()), Members());
}

TEST_F(HeartbeatsTest, WaitForAMemberThatIsSuspended) {
  Refer();
  world_.Settle();
  const auto last_link = [&] {
    return VALUE_OF(ong().outbox().HeadOf(world_.broker().Id("uls")))->seq;
  };
  const uint64_t before = last_link();
  world_.broker().SetStatus("uls", MemberStatus::kSuspended);
  world_.clock().Advance(kHeartbeatEvery + absl::Minutes(1));
  world_.Settle();
  EXPECT_EQ(Beats(ong()), Members());
  EXPECT_EQ(last_link(), before);
  world_.broker().SetStatus("uls", MemberStatus::kActive);
  world_.Settle();
  world_.Settle();
  EXPECT_EQ(last_link(), before + 1);
}

// A broker that refuses it is not asked every few seconds.
TEST_F(HeartbeatsTest, GoOnceADayThoughTheyAreRefused) {
  Refer();
  world_.Settle();
  world_.clock().Advance(kHeartbeatEvery + absl::Minutes(1));
  EXPECT_EQ(Beats(ong()), Members{"uls"});
  Batch rows;
  for (const Draft& draft : VALUE_OF(ong().outbox().Drafts()))
    ong().outbox().Remove(draft, rows);  // as after a refusal for good
  ASSERT_OK(ong().kv().Write(rows));
  EXPECT_EQ(Beats(ong()), Members());
}

}  // namespace
}  // namespace amparo::agent

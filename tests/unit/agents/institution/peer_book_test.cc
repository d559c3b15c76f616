#include "agents/institution/core/peer_book.h"

#include "base/error.h"
#include "proto/envelope/limits.h"
#include "tests/support/agent_world.h"
#include "tests/support/status_matchers.h"

// Who the peers are, as one agent's proven copy of the log says.

namespace amparo::agent {
namespace {

class PeerBookTest : public testing::Test {
 protected:
  PeerBook& peers() { return world_.agent("ong").peers(); }
  MemberId Id(const std::string& id) { return VALUE_OF(MemberId::Parse(id)); }
  absl::Time now() { return world_.clock().Now(); }
  std::string Refusal(const std::string& id) {
    return ErrorCodeOf(peers().ActiveMember(Id(id), now()).status());
  }

  AgentWorld world_;
};

TEST_F(PeerBookTest, NamesActiveMembersAndNobodyElse) {
  EXPECT_EQ(VALUE_OF(peers().ActiveMember(Id("uls"), now())).kind,
            MemberKind::kHealth);
  EXPECT_EQ(Refusal("ghost"), "unknown_member");
}

TEST_F(PeerBookTest, SealsToTheNewestPrekeyOfTheProvenLog) {
  const Digest first = VALUE_OF(peers().PrekeyFor(Id("uls"), now())).key.Id();
  world_.clock().Advance(absl::Hours(25));
  ASSERT_OK(world_.agent("uls").keys().Maintain(world_.agent("uls").port()));
  // At the broker, and not proven yet.
  EXPECT_EQ(VALUE_OF(peers().PrekeyFor(Id("uls"), now())).key.Id(), first);
  world_.Settle();
  EXPECT_NE(VALUE_OF(peers().PrekeyFor(Id("uls"), now())).key.Id(), first);
}

TEST_F(PeerBookTest, SealsToNoPrekeyThatRanOut) {
  world_.clock().Advance(kPrekeyLife + absl::Hours(1));
  EXPECT_THAT(peers().PrekeyFor(Id("uls"), now()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace amparo::agent

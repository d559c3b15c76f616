#include "agents/institution/core/grant_chain.h"

#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

class GrantChain : public testing::Test {
 protected:
  const Grant& Add(std::optional<GrantId> supersedes,
                   const char* issuer = "ong") {
    const GrantId id = GrantId::New();
    const HeldGrant held{{.issuer = VALUE_OF(MemberId::Parse(issuer)),
                          .event_id = EventId::New(),
                          .case_id = state_.case_id,
                          .id = id,
                          .supersedes = supersedes}};
    return state_.authority.grants
        .emplace(GrantKey(held.grant.issuer, id), held)
        .first->second.grant;
  }
  std::vector<GrantId> ChainOf(const GrantId& id, const char* issuer = "ong") {
    std::vector<GrantId> ids;
    const GrantKey key(VALUE_OF(MemberId::Parse(issuer)), id);
    for (const HeldGrant* held : amparo::agent::ChainOf(state_, key))
      ids.push_back(held->grant.id);
    return ids;
  }

  CaseState state_{.case_id = CaseId::New()};
};

TEST_F(GrantChain, IsNewestFirstFromWhereverItIsAsked) {
  const GrantId first = Add(std::nullopt).id;
  const GrantId second = Add(first).id;
  const GrantId third = Add(second).id;
  Add(std::nullopt);  // another consent of the case
  const std::vector<GrantId> chain = {third, second, first};
  EXPECT_EQ(ChainOf(first), chain);
  EXPECT_EQ(ChainOf(second), chain);
  EXPECT_EQ(ChainOf(third), chain);
}

TEST_F(GrantChain, IsEmptyForAGrantThatIsNotThere) {
  EXPECT_TRUE(ChainOf(GrantId::New()).empty());
}

TEST_F(GrantChain, EndsWhereTheOlderGrantIsMissing) {
  const GrantId second = Add(GrantId::New()).id;
  EXPECT_EQ(ChainOf(second), std::vector<GrantId>{second});
}

TEST_F(GrantChain, DoesNotTakeAnothersGrantForItsOwn) {
  const GrantId first = Add(std::nullopt).id;
  const GrantId foreign = Add(first, "gnr").id;
  EXPECT_EQ(ChainOf(first), std::vector<GrantId>{first});
  EXPECT_EQ(ChainOf(foreign, "gnr"), std::vector<GrantId>{foreign});
}

TEST_F(GrantChain, EndsOnARing) {
  const GrantId first = Add(std::nullopt).id;
  const GrantId second = Add(first).id;
  state_.authority.grants.at({VALUE_OF(MemberId::Parse("ong")), first})
      .grant.supersedes = second;
  EXPECT_EQ(ChainOf(first).size(), 2u);
}

}  // namespace
}  // namespace amparo::agent

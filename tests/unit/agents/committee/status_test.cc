#include "absl/strings/match.h"
#include "agents/committee/draft_verbs.h"
#include "agents/committee/suspend_verbs.h"
#include "base/error.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

class StatusTest : public CommitteeFixture {
 protected:
  // Version 2: gnr, ong and uls are active.
  void Found() {
    InitAndPublish();
    for (const char* member : {"gnr", "ong", "uls"}) {
      LeaveJoinRequest(member);
      ASSERT_OK(Add(member));
    }
    SignAndPublish();
  }
  absl::StatusOr<Outcome> Change(StatusVerb verb, const std::string& member,
                                 std::optional<absl::Time> since = {}) {
    return ChangeStatus(folder_, {verb, member, since}, clock_);
  }
  Member Drafted(const std::string& member) {
    return *VALUE_OF(folder_.Draft(VALUE_OF(folder_.Newest())))
                .Find(Id(member));
  }
};

TEST_F(StatusTest, SuspendingReinstatingAndWithdrawingAreVersions) {
  Found();
  clock_.Advance(absl::Hours(1));
  const Outcome suspended = VALUE_OF(Change(StatusVerb::kSuspend, "uls"));
  EXPECT_EQ(suspended.json["status"], "suspended");
  EXPECT_EQ(suspended.json["since"], FormatUtc(clock_.Now()));
  EXPECT_TRUE(absl::StrContains(suspended.text, "nothing is sent to uls"));
  SignAndPublish();
  ASSERT_OK(Change(StatusVerb::kReinstate, "uls"));
  SignAndPublish();
  const Outcome left = VALUE_OF(Change(StatusVerb::kWithdraw, "uls"));
  EXPECT_TRUE(absl::StrContains(left.text, "stays proven by the log"));
  SignAndPublish();
  EXPECT_EQ(Newest().charter.version, 5u);
  EXPECT_EQ(Newest().charter.Find(Id("uls"))->status, MemberStatus::kLeft);
}

TEST_F(StatusTest, ReinstatingByAClockThatIsBehindIsRefused) {
  Found();
  clock_.Advance(absl::Hours(48));
  ASSERT_OK(Change(StatusVerb::kSuspend, "uls"));
  SignAndPublish();
  clock_.Advance(absl::Hours(-24));
  const absl::Status refused = Change(StatusVerb::kReinstate, "uls").status();
  EXPECT_EQ(ErrorCodeOf(refused), "invalid_state");
  EXPECT_TRUE(
      absl::StrContains(refused.message(), "this machine's clock says"));
  EXPECT_EQ(Drafted("uls").status, MemberStatus::kSuspended);
  EXPECT_EQ(
      ErrorCodeOf(Change(StatusVerb::kReinstate, "uls", clock_.Now()).status()),
      "invalid_state");
  EXPECT_OK(
      Change(StatusVerb::kReinstate, "uls", clock_.Now() + absl::Hours(25)));
  EXPECT_EQ(Drafted("uls").status, MemberStatus::kActive);
}

TEST_F(StatusTest, ReinstatingBeforeASuspensionByTwoKeysIsRefused) {
  Found();
  const Member before = Drafted("uls");
  clock_.Advance(absl::Hours(48));
  for (int i = 0; i < 2; ++i)
    ASSERT_OK(SuspendNow(folder_, {.member = "uls", .sign = {.yes = true}},
                         dialog_, clock_));
  ASSERT_OK(PublishSuspension(folder_, "uls", broker_, clock_));
  clock_.Advance(absl::Hours(-24));
  EXPECT_EQ(ErrorCodeOf(Change(StatusVerb::kReinstate, "uls").status()),
            "invalid_state");
  EXPECT_EQ(Drafted("uls").since, before.since);
  clock_.Advance(absl::Hours(24));
  EXPECT_OK(Change(StatusVerb::kReinstate, "uls"));
}

TEST_F(StatusTest, ReinstatingAnActiveMemberAssertsNoSuspension) {
  Found();
  clock_.Advance(absl::Hours(1));
  const Outcome none = VALUE_OF(Change(StatusVerb::kReinstate, "uls"));
  EXPECT_TRUE(absl::StrContains(none.text, "if there is one"));
  EXPECT_TRUE(absl::StrContains(none.text, "knows of no suspension of uls"));
  for (int i = 0; i < 2; ++i)
    ASSERT_OK(SuspendNow(folder_, {.member = "ong", .sign = {.yes = true}},
                         dialog_, clock_));
  ASSERT_OK(PublishSuspension(folder_, "ong", broker_, clock_));
  clock_.Advance(absl::Hours(1));
  const Outcome held = VALUE_OF(Change(StatusVerb::kReinstate, "ong"));
  EXPECT_TRUE(absl::StrContains(held.text, "It ends the suspension of ong"));
}

TEST_F(StatusTest, ASuspendedMemberKeepsItsKeysToComeBackWith) {
  Found();
  const Member before = Drafted("uls");
  ASSERT_OK(Change(StatusVerb::kSuspend, "uls"));
  ASSERT_OK(Change(StatusVerb::kReinstate, "uls"));
  EXPECT_EQ(Drafted("uls").identity_key, before.identity_key);
  EXPECT_EQ(Drafted("uls").status, MemberStatus::kActive);
}

TEST_F(StatusTest, WhatMakesNoSenseIsRefusedAndLeavesTheDraft) {
  Found();
  ASSERT_OK(Change(StatusVerb::kWithdraw, "uls"));
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  const struct {
    StatusVerb verb;
    const char* member;
    const char* code;
  } cases[] = {
      {StatusVerb::kSuspend, "auditor", "invalid_state"},    // only invited
      {StatusVerb::kReinstate, "auditor", "invalid_state"},  // never joined
      {StatusVerb::kSuspend, "uls", "invalid_state"},        // has left
      {StatusVerb::kReinstate, "uls", "invalid_state"},      // for good
      {StatusVerb::kSuspend, "mp", "unknown_member"},
  };
  for (const auto& c : cases)
    EXPECT_EQ(ErrorCodeOf(Change(c.verb, c.member).status()), c.code)
        << c.member;
  EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft);
}

TEST_F(StatusTest, TheSameAgainChangesNothing) {
  Found();
  ASSERT_OK(Change(StatusVerb::kSuspend, "uls"));
  const std::string draft = VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20));
  clock_.Advance(absl::Hours(1));
  EXPECT_TRUE(
      VALUE_OF(Change(StatusVerb::kSuspend, "uls")).json["changes"].empty());
  EXPECT_EQ(VALUE_OF(ReadFile(folder_.DraftPath(), 1 << 20)), draft);
}

TEST_F(StatusTest, TheDayCanBeGivenAndMovedWhileItIsADraft) {
  Found();
  const absl::Time day = clock_.Now() + absl::Hours(240);
  ASSERT_OK(Change(StatusVerb::kWithdraw, "uls", day));
  EXPECT_EQ(Drafted("uls").since, day);
  ASSERT_OK(Change(StatusVerb::kWithdraw, "uls", day + absl::Hours(24)));
  EXPECT_EQ(Drafted("uls").since, day + absl::Hours(24));
}

TEST_F(StatusTest, WhoHoldsAGovernanceKeyIsNamed) {
  Found();
  const Outcome outcome = VALUE_OF(Change(StatusVerb::kSuspend, "gnr"));
  EXPECT_EQ(outcome.json["governance_keys"], Json::array({"G1"}));
  EXPECT_TRUE(absl::StrContains(outcome.text, "remove-key"));
  const Outcome diff = VALUE_OF(Diff(folder_, std::nullopt, std::nullopt));
  EXPECT_TRUE(absl::StrContains(diff.text, "its signature counts until"));
}

TEST_F(StatusTest, AWitnessThatTheQuorumNeedsIsNotSuspendedUnsaid) {
  Found();
  EditDraft([](Charter& draft) { draft.witness_quorum = 3; });
  const absl::Status refused = Change(StatusVerb::kSuspend, "uls").status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(absl::StrContains(DetailOf(refused)->hint, "witness.quorum"));
  EXPECT_EQ(Drafted("uls").status, MemberStatus::kActive);
}

TEST_F(StatusTest, NothingChangesWhileAVersionIsBeingSigned) {
  Found();
  EditDraft([](Charter& draft) { draft.title = "Another"; });
  ASSERT_OK(SignOnce());
  EXPECT_EQ(ErrorCodeOf(Change(StatusVerb::kSuspend, "uls").status()),
            "conflict");
}

}  // namespace
}  // namespace amparo::committee

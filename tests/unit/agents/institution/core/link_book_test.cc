#include "agents/institution/core/link_book.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/kv/memory_kv.h"
#include "proto/envelope/limits.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'795'000'000);
constexpr absl::Duration kMinute = absl::Minutes(1);

Digest Named(const std::string& name) { return Sha256(name); }
MemberId Ong() { return VALUE_OF(MemberId::Parse("ong")); }

Header HeaderOf(const std::string& kid, uint64_t seq, const std::string& prev) {
  return Header{.envelope_id = EnvelopeId::New(),
                .sender = Ong(),
                .sender_kid = Named(kid),
                .recipient = VALUE_OF(MemberId::Parse("uls")),
                .link_seq = seq,
                .link_prev = prev.empty() ? Digest() : Named(prev)};
}

// Links of ong, whose signing keys were "a", then "b", then "c". The digest of
// link 3 of key "a" is that of the text "a3".
class LinkBookTest : public testing::Test {
 protected:
  LinkFinding Take(const std::string& kid, uint64_t seq,
                   const std::string& prev, const std::string& story = "") {
    const Header header = HeaderOf(kid, seq, prev);
    Batch rows;
    const LinkFinding finding = VALUE_OF(book_.Place(
        header, Named(kid + std::to_string(seq) + story), kids_, kNow, rows));
    EXPECT_OK(kv_.Write(rows));
    return finding;
  }
  // An honest sender's link within one key.
  LinkFinding TakeHonest(const std::string& kid, uint64_t seq) {
    return Take(kid, seq, seq == 1 ? "" : kid + std::to_string(seq - 1));
  }
  // "a 2-3" for each gap not asked for.
  std::vector<std::string> Gaps() {
    std::vector<std::string> texts;
    for (const Gap& gap : VALUE_OF(book_.Unasked(kNow + kMinute, kMinute))) {
      std::string text = "?";
      for (const char* kid : {"a", "b", "c"})
        if (gap.kid == Named(kid)) text = kid;
      text += " " + std::to_string(gap.first) + "-";
      texts.push_back(text +
                      (gap.last == kLinkMax ? "" : std::to_string(gap.last)));
    }
    return texts;
  }
  void Skip(const std::string& kid, uint64_t first, uint64_t last) {
    Batch rows;
    EXPECT_OK(book_.Settle(Ong(), Named(kid), first, last, rows));
    EXPECT_OK(kv_.Write(rows));
  }
  void AskForAll() {
    Batch rows;
    for (const Gap& gap : VALUE_OF(book_.Unasked(kNow + kMinute, kMinute)))
      EXPECT_OK(book_.MarkAsked(gap, rows));
    EXPECT_OK(kv_.Write(rows));
  }
  bool HasGap() { return VALUE_OF(book_.HasGap(Ong())); }

  using Texts = std::vector<std::string>;
  const std::vector<Digest> kids_ = {Named("a"), Named("b"), Named("c")};
  MemoryKv kv_;
  LinkBook book_{kv_};
};

TEST_F(LinkBookTest, AWholeChainHasNoGap) {
  for (uint64_t seq = 1; seq <= 3; ++seq)
    EXPECT_EQ(TakeHonest("a", seq), LinkFinding::kNext);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, TheSameLinkAgainIsNoNews) {
  TakeHonest("a", 1);
  EXPECT_EQ(TakeHonest("a", 1), LinkFinding::kLate);
}

TEST_F(LinkBookTest, WhatIsMissingIsFilledOneByOne) {
  TakeHonest("a", 1);
  EXPECT_EQ(TakeHonest("a", 5), LinkFinding::kGap);
  EXPECT_EQ(Gaps(), (Texts{"a 2-4"}));
  EXPECT_EQ(TakeHonest("a", 3), LinkFinding::kLate);
  EXPECT_EQ(Gaps(), (Texts{"a 2-2", "a 4-4"}));
  EXPECT_EQ(TakeHonest("a", 4), LinkFinding::kLate);
  EXPECT_EQ(TakeHonest("a", 2), LinkFinding::kLate);
  EXPECT_FALSE(HasGap());
  EXPECT_EQ(TakeHonest("a", 6), LinkFinding::kNext);
}

TEST_F(LinkBookTest, ASkipEndsTheWait) {
  TakeHonest("a", 1);
  TakeHonest("a", 5);
  Skip("a", 2, 4);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, WhatASkipLeavesOpenIsAskedForAgain) {
  TakeHonest("a", 1);
  TakeHonest("a", 9);
  AskForAll();
  EXPECT_EQ(Gaps(), Texts{});
  Skip("a", 2, 4);
  EXPECT_EQ(Gaps(), (Texts{"a 5-8"}));
}

TEST_F(LinkBookTest, ASkipInItsOwnGapLeavesTheOthersOpen) {
  TakeHonest("a", 1);
  TakeHonest("a", 5);
  // Link 3 comes late and says that there is nothing for 2: one step for both.
  const Header header = HeaderOf("a", 3, "a2");
  Batch rows;
  EXPECT_EQ(VALUE_OF(book_.Place(header, Named("a3"), kids_, kNow, rows)),
            LinkFinding::kLate);
  EXPECT_OK(book_.Settle(Ong(), Named("a"), 2, 2, rows));
  EXPECT_OK(kv_.Write(rows));
  EXPECT_EQ(Gaps(), (Texts{"a 4-4"}));
}

TEST_F(LinkBookTest, TwoEnvelopesUnderOneNumberAreAFork) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("a", 1, "", "another story"), LinkFinding::kFork);
}

TEST_F(LinkBookTest, AnotherPastThanTheOneSentIsAFork) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("a", 2, "another past"), LinkFinding::kFork);
}

TEST_F(LinkBookTest, AMissingLinkThatComesWithAnotherPastIsAFork) {
  TakeHonest("a", 1);
  TakeHonest("a", 3);
  EXPECT_EQ(Take("a", 2, "another past"), LinkFinding::kFork);
}

TEST_F(LinkBookTest, AMissingLinkThatIsNotTheOneNamedLaterIsAFork) {
  TakeHonest("a", 1);
  TakeHonest("a", 3);
  EXPECT_EQ(Take("a", 2, "a1", "another story"), LinkFinding::kFork);
}

TEST_F(LinkBookTest, ANewKeyGoesOnWhereTheOldOneEnded) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("b", 1, "a1"), LinkFinding::kNext);
  EXPECT_EQ(TakeHonest("b", 2), LinkFinding::kNext);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, ANewKeyAfterALostStoreNamesNothing) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("b", 1, ""), LinkFinding::kNext);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, TheOldKeysLastLinkDroppedIsAGap) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("b", 1, "a2"), LinkFinding::kGap);
  EXPECT_EQ(Gaps(), (Texts{"a 2-"}));
  EXPECT_EQ(TakeHonest("b", 2), LinkFinding::kNext);
  EXPECT_EQ(Gaps(), (Texts{"a 2-"}));
}

TEST_F(LinkBookTest, TheOldKeysLastLinksComeLate) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("b", 1, "a3"), LinkFinding::kGap);
  EXPECT_EQ(TakeHonest("a", 3), LinkFinding::kLate);
  EXPECT_EQ(Gaps(), (Texts{"a 2-2"}));  // a3 was the last one: b1 says so
  EXPECT_EQ(TakeHonest("a", 2), LinkFinding::kLate);
  EXPECT_FALSE(HasGap());
  EXPECT_EQ(TakeHonest("b", 2), LinkFinding::kNext);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, AWholeKeysChainDroppedIsAGap) {
  TakeHonest("a", 1);
  EXPECT_EQ(Take("c", 1, "b1"), LinkFinding::kGap);
  EXPECT_EQ(Gaps(), (Texts{"a 2-", "b 1-"}));
  EXPECT_EQ(Take("b", 1, "a1"), LinkFinding::kLate);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, AFirstContactThatNamesAPastIsAGap) {
  EXPECT_EQ(Take("b", 1, "a1"), LinkFinding::kGap);
  EXPECT_EQ(Gaps(), (Texts{"a 1-"}));
  EXPECT_EQ(Take("a", 1, ""), LinkFinding::kLate);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, ANewKeyWhoseStartIsMissingTooLosesNoEndUnseen) {
  TakeHonest("a", 1);
  EXPECT_EQ(TakeHonest("b", 2), LinkFinding::kGap);
  EXPECT_EQ(Gaps(), (Texts{"b 1-1", "a 2-"}));
  EXPECT_EQ(Take("b", 1, "a1"), LinkFinding::kLate);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, AnOldKeysLinkThatComesLateChangesNothingForTheNewOne) {
  TakeHonest("a", 1);
  TakeHonest("a", 3);
  EXPECT_EQ(Take("b", 1, "a3"), LinkFinding::kNext);
  EXPECT_EQ(TakeHonest("a", 2), LinkFinding::kLate);
  EXPECT_EQ(TakeHonest("b", 2), LinkFinding::kNext);
  EXPECT_FALSE(HasGap());
}

TEST_F(LinkBookTest, ANewKeyThatLeavesOutTheLastLinkIsAFork) {
  TakeHonest("a", 1);
  TakeHonest("a", 2);
  EXPECT_EQ(Take("b", 1, "a1"), LinkFinding::kFork);
}

TEST_F(LinkBookTest, AnOldKeyThatGoesOnAfterItsNamedEndIsAFork) {
  TakeHonest("a", 1);
  Take("b", 1, "a1");
  EXPECT_EQ(TakeHonest("a", 2), LinkFinding::kFork);
}

TEST_F(LinkBookTest, ANamedEndThatComesAfterWhatFollowedItIsAFork) {
  TakeHonest("a", 1);
  Take("b", 1, "a2");
  TakeHonest("a", 3);
  EXPECT_EQ(TakeHonest("a", 2), LinkFinding::kFork);
}

TEST_F(LinkBookTest, AKeyBetweenTwoThatNameEachOtherIsAFork) {
  TakeHonest("a", 1);
  Take("c", 1, "a1");
  EXPECT_EQ(Take("b", 1, ""), LinkFinding::kFork);
}

TEST_F(LinkBookTest, AnotherSendersLinksAreItsOwn) {
  TakeHonest("a", 1);
  TakeHonest("a", 3);
  EXPECT_FALSE(VALUE_OF(book_.HasGap(VALUE_OF(MemberId::Parse("gnr")))));
}

TEST_F(LinkBookTest, AttackHolesWithoutEndAreAskedForTogether) {
  constexpr uint64_t kHoles = 1000;
  for (uint64_t i = 1; i <= kHoles; ++i) TakeHonest("a", 2 * i);
  const std::vector<Gap> gaps =
      VALUE_OF(book_.Unasked(kNow + kMinute, kMinute));
  EXPECT_LE(gaps.size(), 256u);
  for (uint64_t i = 0; i < kHoles; ++i)
    EXPECT_TRUE(std::any_of(gaps.begin(), gaps.end(), [&](const Gap& gap) {
      return gap.first <= 2 * i + 1 && 2 * i + 1 <= gap.last;
    })) << i;
  Skip("a", 1, 2 * kHoles);
  EXPECT_FALSE(HasGap());
}

}  // namespace
}  // namespace amparo::agent

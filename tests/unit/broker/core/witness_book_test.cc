#include "broker/core/witness_book.h"

#include <map>
#include <string>
#include <vector>

#include "broker/core/checkpointer.h"
#include "crypto/checkpoint.h"
#include "proto/network/witnesses.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

// Five members, all witnesses by charter 2, four of whom are a quorum.
class WitnessBookTest : public testing::Test {
 protected:
  WitnessBookTest() {
    for (const char* id : {"a", "b", "c", "d", "e"})
      keys_.emplace(id, SigningKey::Generate());
    RequireQuorum(4);
  }
  void RequireQuorum(uint32_t quorum) {
    Charter next = broker_.committee().Successor(broker_.charter());
    for (Member& member : next.members)
      member.witness_key = keys_.at(member.id.text()).verify_key();
    next.witness_quorum = quorum;
    VALUE_OF(broker_.PublishCharter(broker_.committee().Sign(next)));
    Show();
  }
  void Grow() {
    broker_.Send("a", "b");
    Show();
  }
  void Show() { ASSERT_OK(checkpointer_.PublishNext()); }
  Checkpoint Shown() {
    return VALUE_OF(
        VerifyCheckpoint(VALUE_OF(checkpointer_.Newest()), broker_.log()));
  }
  Bytes CosignatureOf(const std::string& member, const SigningKey& key) {
    return VALUE_OF(CosignCheckpoint(FormatCheckpoint(Shown()),
                                     WitnessName(broker_.network(),
                                                 broker_.Id(member)),
                                     key, broker_.clock().Now()))
        .signature;
  }
  absl::Status CosignAs(const std::string& member) {
    return book().Add(broker_.Id(member), Shown().size,
                      CosignatureOf(member, keys_.at(member)));
  }
  void Cosign(const std::vector<std::string>& members) {
    for (const std::string& member : members) EXPECT_OK(CosignAs(member));
  }
  WitnessBook& book() { return broker_.witnesses(); }

  std::map<std::string, SigningKey> keys_;
  BrokerFixture broker_{{"a", "b", "c", "d", "e"}};
  Checkpointer checkpointer_{broker_.store(),   broker_.network(),
                             broker_.log_key(), broker_.witnesses(),
                             broker_.feed(),    broker_.clock()};
};

TEST_F(WitnessBookTest, ShowsTheNewestThatAQuorumCosigned) {
  Cosign({"a", "b", "c"});
  EXPECT_EQ(book().newest().note, "");
  Cosign({"c", "c"});  // twice is once
  EXPECT_EQ(book().newest().note, "");
  Cosign({"d"});
  const WitnessBook::Newest newest = book().newest();
  const Note note = VALUE_OF(ParseNote(newest.note));
  EXPECT_EQ(newest.size, Shown().size);
  EXPECT_TRUE(QuorumTime(note, broker_.charter().charter));
  // The next one takes its place when it has as many.
  Grow();
  Cosign({"a", "b", "e"});
  EXPECT_EQ(book().newest().note, newest.note);
  Cosign({"d"});
  EXPECT_EQ(book().newest().size, Shown().size);
  EXPECT_GT(book().newest().showing, newest.showing);
}

TEST_F(WitnessBookTest, TakesOnlyAWitnesssOwnWordForWhatWasShown) {
  const TreeSize size = Shown().size;
  const SigningKey stranger = SigningKey::Generate();
  Bytes changed = CosignatureOf("a", keys_.at("a"));
  changed[0] ^= 1;  // the time
  for (const Bytes& bad :
       {CosignatureOf("a", stranger), CosignatureOf("b", keys_.at("b")),
        changed, Bytes(72), Bytes()})
    EXPECT_THAT(book().Add(broker_.Id("a"), size, bad),
                StatusIs(StatusCode::kPermissionDenied));
  EXPECT_THAT(book().Add(broker_.Id("a"), TreeSize(size.value() + 1),
                         CosignatureOf("a", keys_.at("a"))),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST_F(WitnessBookTest, WhatAgentsWereShownOutlivesARestart) {
  Cosign({"a", "b", "c", "d"});
  const std::string note = book().newest().note;
  broker_.Restart();
  EXPECT_EQ(book().newest().note, note);
}

TEST_F(WitnessBookTest, ACharterComesIntoForceUnderTheQuorumOfTheOneBefore) {
  RequireQuorum(5);
  EXPECT_THAT(book().ForCharter(3), StatusIs(StatusCode::kNotFound));
  Cosign({"a", "b", "c", "d"});
  const std::string kept = VALUE_OF(book().ForCharter(3));
  EXPECT_EQ(book().newest().note, kept);
  // From there on its own counts.
  Grow();
  Cosign({"a", "b", "c", "d"});
  EXPECT_EQ(book().newest().note, kept);
  Cosign({"e"});
  EXPECT_EQ(book().newest().size, Shown().size);
  EXPECT_EQ(VALUE_OF(book().ForCharter(3)), kept);
  // Charter 2 came into force under a quorum of none.
  EXPECT_THAT(book().ForCharter(2), StatusIs(StatusCode::kNotFound));
}

TEST_F(WitnessBookTest, MoreOfTheSameRoundSatisfyTheNewCharter) {
  RequireQuorum(5);
  Cosign({"a", "b", "c", "d", "e"});
  const Note note = VALUE_OF(ParseNote(book().newest().note));
  EXPECT_TRUE(QuorumTime(note, broker_.charter().charter));
}

TEST_F(WitnessBookTest, APublicationCountsFromItsQuorumOn) {
  const absl::Time logged = broker_.clock().Now();
  const LeafIndex leaf(Shown().size.value() - 1);
  Cosign({"a", "b", "c"});
  EXPECT_EQ(book().CountsFrom(leaf, logged), absl::InfiniteFuture());
  broker_.clock().Advance(absl::Hours(3));
  Cosign({"d"});
  EXPECT_EQ(book().CountsFrom(leaf, logged), broker_.clock().Now());
}

TEST_F(WitnessBookTest, AsksAnewForALogThatDoesNotGrow) {
  Cosign({"a", "b", "c", "d"});
  const WitnessBook::Newest before = book().newest();
  broker_.clock().Advance(absl::Hours(2));
  Show();
  Cosign({"a", "b", "c", "d"});
  EXPECT_EQ(book().newest().size, before.size);
  EXPECT_NE(book().newest().note, before.note);
}

// An agent that came back says so at once, and nothing more at the full hour.
TEST_F(WitnessBookTest, WhatWasSaidRightBeforeTheHourCountsInItToo) {
  Cosign({"a", "b", "c", "d"});
  const std::string before = book().newest().note;
  broker_.clock().Advance(absl::Minutes(50));
  Cosign({"d"});
  EXPECT_EQ(book().newest().note, before);
  broker_.clock().Advance(absl::Minutes(10));
  Show();
  Cosign({"a", "b", "c"});
  EXPECT_NE(book().newest().note, before);
}

TEST_F(WitnessBookTest, ATimeThatIsNotNowIsTakenFromNobody) {
  const TreeSize size = Shown().size;
  const auto at = [&](absl::Duration off) {
    const Bytes cosignature =
        VALUE_OF(CosignCheckpoint(
                     FormatCheckpoint(Shown()),
                     WitnessName(broker_.network(), broker_.Id("a")),
                     keys_.at("a"), broker_.clock().Now() + off))
            .signature;
    return book().Add(broker_.Id("a"), size, cosignature);
  };
  for (const absl::Duration off : {absl::Hours(2), -absl::Hours(2)})
    EXPECT_THAT(at(off), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_OK(at(absl::Minutes(30)));
}

class FullDisk : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status PutWitnessed(TreeSize size, const std::string& note,
                            std::span<const uint64_t> versions) override {
    if (full) return absl::ResourceExhaustedError("no space left");
    return ForwardingStore::PutWitnessed(size, note, versions);
  }
  bool full = false;
};

// The note under which charter 3 came into force: no later one is as good, for
// who has only charter 2.
TEST_F(WitnessBookTest, WhatCouldNotBeStoredIsStoredWithTheNextCosignature) {
  FullDisk store(broker_.store());
  InboxFeed feed(8);
  WitnessBook book(store, broker_.directory(), feed, broker_.clock());
  RequireQuorum(5);
  const auto add = [&](const std::string& member) {
    return book.Add(broker_.Id(member), Shown().size,
                    CosignatureOf(member, keys_.at(member)));
  };
  book.Show(VALUE_OF(checkpointer_.Newest()));
  for (const char* member : {"a", "b", "c"}) EXPECT_OK(add(member));
  store.full = true;
  EXPECT_FALSE(add("d").ok());
  EXPECT_EQ(book.newest().note, "");
  EXPECT_THAT(book.ForCharter(3), StatusIs(StatusCode::kNotFound));
  store.full = false;
  EXPECT_OK(add("e"));
  const Note kept = VALUE_OF(ParseNote(VALUE_OF(book.ForCharter(3))));
  EXPECT_EQ(kept.signatures.size(), 5);  // the log's and four cosignatures
  EXPECT_EQ(VALUE_OF(ParseNote(book.newest().note)).signatures.size(), 6);
}

}  // namespace
}  // namespace amparo::broker

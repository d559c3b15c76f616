#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "proto/envelope/limits.h"
#include "proto/network/key_event.h"
#include "tests/adversary/lying_broker.h"

// Lies about the log and who is in it, one a test: what the agents show, and
// what an auditor finds.

namespace amparo::agent {
namespace {

class LyingAboutTheLog : public LyingBroker {
 protected:
  // uls neither takes nor keeps anything of this log.
  void ExpectUlsRefuses(const std::vector<Bytes>& entries,
                        const std::string& note) {
    const LogWatch::View before = uls().log().view();
    Serve(uls(), entries);
    EXPECT_THAT(uls().log().Follow(note),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(uls().log().view().size, before.size);
    EXPECT_EQ(uls().log().view().root, before.root);
  }
  size_t BytesStoredByUls() {
    size_t bytes = 0;
    EXPECT_OK(
        uls().kv().Scan("", "", [&](absl::string_view key, ByteView value) {
          bytes += key.size() + value.size();
          return true;
        }));
    return bytes;
  }
  LeafIndex PublishAnyway(const std::string& slot,
                          decltype(broker::Publish::content) content,
                          const std::string& document) {
    const LeafIndex leaf =
        LogAnyway(
            broker::Op{broker::Publish{slot, std::move(content), document}, {}})
            .leaf;
    world_.Settle();
    return leaf;
  }
};

TEST_F(LyingAboutTheLog, ARollbackIsAnAlarmAndContradictsAnOlderCheckpoint) {
  Sent();
  world_.Settle();
  const std::string older = world_.Checkpoint();
  ShownLog log = Shown();
  std::vector<Bytes> fewer = log.entries;
  fewer.pop_back();
  ExpectUlsRefuses(fewer, Signed(fewer));
  EXPECT_TRUE(HasAlarm(uls(), "log_rollback"));
  log.openings.erase(fewer.size());
  Replace(log, fewer, Signed(fewer));
  EXPECT_TRUE(Finds(Audited(log, {older}), FindingCode::kInconsistent));
  LieIsOver();
}

TEST_F(LyingAboutTheLog, AForkForOneMemberIsAnAlarmAndTwoCheckpointsProveIt) {
  world_.RequireQuorum(4);
  world_.Settle();
  Sent();
  world_.Settle();
  ShownLog log = Shown();
  const std::string honest = world_.Checkpoint();
  std::vector<Bytes> forked = log.entries;
  forked.back() =
      EncodeLogEntry({world_.clock().Now(), CommitmentEntry{Sha256("other")}});
  ExpectUlsRefuses(forked, Signed(forked));
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
  EXPECT_FALSE(HasAlarm(ong(), "log_fork"));
  // The auditor that is shown the same: nobody cosigned it, and the two
  // checkpoints are evidence by themselves.
  log.openings.erase(forked.size() - 1);
  Replace(log, forked, Signed(forked));
  EXPECT_TRUE(Finds(Audited(log), FindingCode::kQuorumMissing));
  EXPECT_TRUE(Finds(Audited(log, {honest}), FindingCode::kInconsistent));
  EXPECT_EQ(VALUE_OF(auditor::CompareCheckpoints(
                         honest, log.note, world_.broker().log(), nullptr))
                .verdict,
            auditor::PairVerdict::kFork);
  LieIsOver();
}

TEST_F(LyingAboutTheLog, ABackdatedEntryIsAnAlarmAndAFinding) {
  ShownLog log = Shown();
  std::vector<Bytes> entries = log.entries;
  entries.push_back(EncodeLogEntry({world_.clock().Now() - absl::Hours(2),
                                    CommitmentEntry{Sha256("yesterday")}}));
  ExpectUlsRefuses(entries, Signed(entries));
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
  Replace(log, entries, Signed(entries));
  EXPECT_TRUE(
      Finds(Audited(log), FindingCode::kLate, LeafIndex(entries.size() - 1)));
  LieIsOver();
}

TEST_F(LyingAboutTheLog, EntriesInAnotherOrderAreAnAlarmAndAFinding) {
  const ShownLog before = Shown();
  Sent();
  uls().port().down = true;
  world_.Settle();
  uls().port().down = false;
  ShownLog log = Shown();
  ASSERT_GE(log.entries.size(), before.entries.size() + 2);
  std::swap(log.entries.back(), log.entries[log.entries.size() - 2]);
  ExpectUlsRefuses(log.entries, log.note);
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
  EXPECT_TRUE(Finds(Audited(log), FindingCode::kLeafMismatch,
                    LeafIndex(log.entries.size() - 2)));
  LieIsOver();
}

TEST_F(LyingAboutTheLog, AGhostMemberIsAnAlarmAndAFinding) {
  const MemberId ghost = VALUE_OF(MemberId::Parse("ghost"));
  const TestCommittee usurpers;
  Charter next =
      world_.broker().committee().Successor(world_.broker().charter());
  Member one = next.members.front();
  one.id = ghost;
  next.members.push_back(one);
  const std::string document = usurpers.Sign(next);
  const LeafIndex leaf =
      PublishAnyway("charter/2", CharterEntry{2, Sha256(document)}, document);
  for (const char* id : {"ong", "uls", "gnr", "mp", "cpcj"}) {
    EXPECT_TRUE(HasAlarm(world_.agent(id), "bad_charter")) << id;
    EXPECT_EQ(world_.agent(id).peers().Now()->charter.charter.Find(ghost),
              nullptr);
  }
  EXPECT_TRUE(Finds(Audited(), FindingCode::kBadCharter, leaf));
  LieIsOver();
}

TEST_F(LyingAboutTheLog, AGhostPrekeyIsNeverSealedToAndAFinding) {
  const MemberId member = world_.broker().Id("uls");
  const OpeningKey ghost = OpeningKey::Generate();
  const auto peers = ong().peers().Now();
  const auto head = peers->keys.HeadOf(member);
  const absl::Time now = world_.clock().Now();
  // Everything as it should be, but who signed it.
  const std::string document = SignKeyEvent(
      {peers->charter.network_id, member, head.seq + 1, head.hash,
       peers->charter.hash, KeyEventKind::kPrekey, ghost.sealing_key(), now,
       now + absl::Hours(24), std::nullopt},
      world_.broker().log_key());
  const LeafIndex leaf =
      PublishAnyway("key/ghost", KeyEventEntry{document}, document);
  EXPECT_NE(VALUE_OF(ong().peers().PrekeyFor(member, now)).key.Id(),
            ghost.sealing_key().Id());
  for (const char* id : {"ong", "uls"})
    EXPECT_FALSE(HasAlarm(world_.agent(id), "keys_frozen"));
  const std::string referral = Sent();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_TRUE(Finds(Audited(), FindingCode::kBadKeyEvent, leaf));
  LieIsOver();
}

TEST_F(LyingAboutTheLog, AStaleCharterStopsWhoeverIsShownItAndIsAFinding) {
  // cpcj leaves; ong is served the charter before that instead.
  const std::string stale =
      VALUE_OF(world_.broker().store().Publications(0, 1))[0].document;
  ong().port().tamper_document = [stale](std::string) { return stale; };
  world_.broker().SetStatus("cpcj", MemberStatus::kLeft);
  world_.Settle();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, 1u);
  EXPECT_EQ(uls().peers().Now()->charter.charter.version, 2u);
  // It knows that it does not follow, rings after a day, and seals no more
  // after three.
  world_.clock().Advance(kCheckpointAgeAlarm + absl::Hours(1));
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "log_stale"));
  world_.clock().Advance(kCheckpointAgeStop - kCheckpointAgeAlarm);
  const std::string waits = Sent();
  ong().Restart();
  world_.Settle();
  EXPECT_EQ(ong().time().InTheWay(), "log");
  EXPECT_EQ(DeliveryTo("uls", waits), Delivery::kQueued);
  // The auditor that is served it compares the hash, too.
  ShownLog log = Shown();
  for (auto& [hash, document] : log.documents) document = stale;
  EXPECT_TRUE(Finds(Audited(log), FindingCode::kBadCharter));
  LieIsOver();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, 2u);
  EXPECT_FALSE(HasAlarm(ong(), "log_stale"));
  // Nothing waits any more, and a restart does not make it look so.
  ong().Restart();
  EXPECT_EQ(ong().peers().Now()->enacted.value(), ong().log().size().value());
}

TEST_F(LyingAboutTheLog, ACharterWithoutItsWitnessesWaitsAndIsAFinding) {
  world_.RequireQuorum(4);
  world_.Settle();
  ASSERT_TRUE(Audited().ok());
  const uint64_t version = ong().peers().Now()->charter.charter.version;
  for (const char* id : {"mp", "cpcj"}) world_.agent(id).witnesses = false;
  const LeafIndex leaf(world_.broker().store().Head().range.size().value());
  const std::string before = world_.Shown().witnessed;
  world_.RequireQuorum(1);
  world_.Settle();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version);
  // Two witnesses would do for the new charter, which does not count yet.
  ShownLog log(world_.broker(), world_.Shown().note);
  EXPECT_TRUE(Finds(Audited(log), FindingCode::kQuorumMissing, leaf));
  log.charter_checkpoints[version + 1] = before;
  EXPECT_TRUE(Finds(Audited(log), FindingCode::kQuorumMissing, leaf));

  for (const char* id : {"mp", "cpcj"}) world_.agent(id).witnesses = true;
  Sent();
  LieIsOver();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version + 1);
  const auditor::Report report = Audited();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.quorum_charter, version + 1);
}

TEST_F(LyingAboutTheLog, TilesOfAnotherTreeAreAFindingAndNoAgentAsksForThem) {
  Sent();
  world_.Settle();
  ShownLog log = Shown();
  log.leaves[3] = Sha256("another leaf");
  EXPECT_TRUE(Finds(Audited(log), FindingCode::kLeafMismatch, LeafIndex(3)));
  EXPECT_TRUE(uls().alarms().List().empty());
  LieIsOver();
}

TEST_F(LyingAboutTheLog, OversizedAnswersAreRefusedAndLeaveNothingBehind) {
  LogAnyway(Bytes{1, 2, 3});
  const std::string note = world_.Checkpoint();
  const size_t before = BytesStoredByUls();
  const std::vector<std::vector<Bytes>> answers = {
      {Bytes(8 << 20, 1)},
      std::vector<Bytes>(
          2 * kPageEntriesMax,
          EncodeLogEntry({world_.clock().Now(), CommitmentEntry{Sha256("x")}})),
      {EncodeLogEntry(
          {world_.clock().Now(), KeyEventEntry{std::string(4 << 20, 'k')}})}};
  for (const std::vector<Bytes>& answer : answers) {
    uls().port().tamper_entries = [&](LeafIndex, std::vector<Bytes>) {
      return answer;
    };
    EXPECT_FALSE(uls().log().Follow(note).ok());
    EXPECT_EQ(BytesStoredByUls(), before);
  }
  // To the auditor: an entry, a page and a charter of that kind.
  for (const Bytes& entry : {answers[0][0], answers[2][0]}) {
    ShownLog log = Shown();
    log.entries.back() = entry;
    EXPECT_TRUE(Finds(Audited(log), FindingCode::kLeafMismatch,
                      LeafIndex(log.entries.size() - 1)));
  }
  ShownLog longer = Shown();
  longer.entries.insert(longer.entries.end(), answers[1].begin(),
                        answers[1].end());
  EXPECT_EQ(Audited(longer).size.value(), longer.leaves.size());
  ShownLog large = Shown();
  large.documents.begin()->second = std::string(16 << 20, ' ');
  EXPECT_TRUE(Finds(Audited(large), FindingCode::kBadCharter));
  LieIsOver();
}

}  // namespace
}  // namespace amparo::agent

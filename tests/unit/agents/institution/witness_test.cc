#include <string>
#include <vector>

#include "agents/institution/core/mirror_export.h"
#include "base/files.h"
#include "crypto/checkpoint.h"
#include "proto/network/network_file.h"
#include "proto/network/witnesses.h"
#include "tests/adversary/victims.h"
#include "tests/support/scratch_folder.h"

// A network whose five agents watch the log, four of whom are a quorum.

namespace amparo::agent {
namespace {

class Witness : public Victims {
 protected:
  Witness() {
    world_.RequireQuorum(4);
    world_.Settle();
  }
  void Away(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) world_.agent(id).witnesses = false;
  }
  void Back() {
    for (const char* id : {"gnr", "mp", "uls", "cpcj", "ong"})
      world_.agent(id).witnesses = true;
  }
  std::optional<Digest> NewestPrekey(TestAgent& of, const std::string& whose) {
    const auto prekey =
        of.peers().PrekeyFor(world_.broker().Id(whose), world_.clock().Now());
    if (!prekey.ok()) return std::nullopt;
    return prekey->key.Id();
  }
  uint64_t WitnessedSize(TestAgent& agent) {
    return agent.peers().Now()->witnessed_size.value();
  }
  RecipientState Sent(const std::string& referral) {
    return VALUE_OF(
               ong().referrals().Show(ong().officer(), referral, {}, false))
        .recipients[0];
  }
};

class FirstQuorum : public Victims {};

TEST_F(FirstQuorum, ThatNeverComesIsAnOldLogToo) {
  for (const char* id : {"gnr", "mp"}) world_.agent(id).witnesses = false;
  world_.RequireQuorum(4);
  world_.Settle();
  EXPECT_EQ(ong().peers().Now()->witnessed_size.value(), 0u);
  EXPECT_FALSE(HasAlarm(ong(), "log_stale"));
  EXPECT_OK(ong().time().MaySeal());
  world_.clock().Advance(kCheckpointAgeAlarm + absl::Minutes(1));
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "log_stale"));
  EXPECT_OK(ong().time().MaySeal());
  world_.clock().Advance(kCheckpointAgeStop - kCheckpointAgeAlarm);
  world_.Settle();
  EXPECT_FALSE(ong().time().MaySeal().ok());
  // A person may let mail go for a day.
  ong().time().SealOnOldLog();
  EXPECT_OK(ong().time().MaySeal());
  world_.clock().Advance(kOldLogConfirmed);
  world_.Settle();
  EXPECT_FALSE(ong().time().MaySeal().ok());
  for (const char* id : {"gnr", "mp"}) world_.agent(id).witnesses = true;
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "log_stale"));
  EXPECT_OK(ong().time().MaySeal());
}

TEST_F(Witness, WhatAQuorumSawIsMarkedSo) {
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_TRUE(Sent(referral).witnessed);
  EXPECT_EQ(WitnessedSize(ong()), ong().log().size().value());
  ExpectHonestTrafficFlows();
}

TEST_F(Witness, WhoWasAwayWhileTheLogsKeyChangedFollowsTheChartersFirst) {
  const SigningKey key = SigningKey::Generate();
  uls().port().down = true;
  const auto signed_by_the_new_key = [&] {
    const LogWatch::View view = ong().log().view();
    return VALUE_OF(SignCheckpoint(
        {world_.broker().log().name(), view.size, view.root, {}}, key));
  };
  const std::string too_early = signed_by_the_new_key();
  Charter next =
      world_.broker().committee().Successor(world_.broker().charter());
  next.log_keys.push_back(VALUE_OF(NoteVerifier::Create(
      world_.broker().log().name(), NoteKeyType::kEd25519, key.verify_key())));
  VALUE_OF(
      world_.broker().PublishCharter(world_.broker().committee().Sign(next)));
  world_.Settle();
  const std::string note = signed_by_the_new_key();
  uls().port().down = false;
  EXPECT_THAT(uls().log().Follow(note),
              StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_OK(uls().log().FollowCharters());
  EXPECT_EQ(uls().peers().Now()->charter.charter.version, next.version);
  EXPECT_OK(uls().log().Follow(note));
  EXPECT_EQ(uls().log().size(), ong().log().size());
  EXPECT_THAT(uls().log().Follow(too_early),
              StatusIs(absl::StatusCode::kDataLoss));
}

// No note is kept for a charter whose predecessor asks for no witnesses.
TEST(LogKey, WhoIsNewFindsTheLogUnderAKeyThatItsCharterDoesNotName) {
  AgentWorld world;
  TestAgent& uls = world.agent("uls");
  const SigningKey key = SigningKey::Generate(),
                   strange = SigningKey::Generate();
  uls.port().down = true;
  Charter next = world.broker().committee().Successor(world.broker().charter());
  next.log_keys.push_back(VALUE_OF(NoteVerifier::Create(
      world.broker().log().name(), NoteKeyType::kEd25519, key.verify_key())));
  VALUE_OF(
      world.broker().PublishCharter(world.broker().committee().Sign(next)));
  world.Settle();
  uls.port().down = false;
  const LogWatch::View view = world.agent("ong").log().view();
  const auto signed_by = [&](const SigningKey& by, const Digest& root) {
    return VALUE_OF(
        SignCheckpoint({world.broker().log().name(), view.size, root, {}}, by));
  };
  const std::string note = signed_by(key, view.root);
  EXPECT_OK(uls.log().FollowCharters());
  EXPECT_THAT(uls.log().Follow(note),
              StatusIs(absl::StatusCode::kPermissionDenied));
  const TreeSize before = uls.log().size();
  for (const std::string& forged :
       {signed_by(strange, view.root), signed_by(key, Sha256("another log"))}) {
    EXPECT_THAT(uls.log().LearnLogKeys(forged),
                StatusIs(absl::StatusCode::kPermissionDenied));
    EXPECT_THAT(uls.log().Follow(forged),
                StatusIs(absl::StatusCode::kPermissionDenied));
  }
  EXPECT_EQ(uls.log().size(), before);
  ASSERT_OK(uls.log().LearnLogKeys(note));
  ASSERT_OK(uls.log().Follow(note));
  EXPECT_EQ(uls.log().size(), view.size);
  EXPECT_EQ(uls.peers().Now()->charter.charter.version, next.version);
}

TEST_F(Witness, AKeyThatNoCharterNamesSignsNoLog) {
  const SigningKey key = SigningKey::Generate();
  const LogWatch::View view = ong().log().view();
  const std::string note = VALUE_OF(SignCheckpoint(
      {world_.broker().log().name(), view.size, view.root, {}}, key));
  EXPECT_OK(uls().log().FollowCharters());
  EXPECT_THAT(uls().log().Follow(note),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(Witness, OneThatIsAwayStopsNobody) {
  Away({"mp"});
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_TRUE(Sent(referral).witnessed);
}

TEST_F(Witness, WithoutAQuorumMailFlowsAndIsMarkedUnwitnessed) {
  Away({"mp", "gnr"});
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_FALSE(Sent(referral).witnessed);
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_TRUE(Sent(referral).witnessed);
}

TEST_F(Witness, NoKeyIsUsedBeforeAQuorumSawIt) {
  const auto before = NewestPrekey(ong(), "uls");
  ASSERT_TRUE(before);
  Away({"mp", "gnr"});
  world_.clock().Advance(absl::Hours(25));  // everybody makes a prekey
  world_.Settle();
  EXPECT_EQ(NewestPrekey(ong(), "uls"), before);
  const std::string referral = Refer();  // to the old one: the broker takes it
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));

  ong().Restart();
  world_.Settle();
  EXPECT_EQ(NewestPrekey(ong(), "uls"), before);
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_NE(NewestPrekey(ong(), "uls"), before);
  ExpectHonestTrafficFlows();
}

TEST_F(Witness, NoCharterIsUsedBeforeAQuorumSawIt) {
  const uint64_t version = ong().peers().Now()->charter.charter.version;
  Away({"mp", "gnr"});
  world_.agent("cpcj").port().down = true;  // the broker obeys at once
  world_.broker().SetStatus("cpcj", MemberStatus::kSuspended);
  world_.Settle();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version);
  EXPECT_OK(ong().peers().ActiveMember(world_.broker().Id("cpcj"),
                                       world_.clock().Now()));
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version + 1);
  EXPECT_FALSE(
      ong()
          .peers()
          .ActiveMember(world_.broker().Id("cpcj"), world_.clock().Now())
          .ok());
}

TEST_F(Witness, TenMinutesWithoutAQuorumAreAnAlarm) {
  Away({"mp", "gnr"});
  Refer();
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "unwitnessed"));
  world_.clock().Advance(absl::Minutes(11));
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "unwitnessed"));
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  world_.Settle();
  EXPECT_FALSE(HasAlarm(ong(), "unwitnessed"));
}

TEST_F(Witness, ACharterThatAsksForMoreBindsWhatFollowsIt) {
  // The same quorum lets it in; then five of five have to see each key.
  Away({"mp"});
  world_.RequireQuorum(5);
  EXPECT_EQ(ong().peers().Now()->charter.charter.witness_quorum, 5u);
  const auto before = NewestPrekey(ong(), "uls");
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();
  EXPECT_EQ(NewestPrekey(ong(), "uls"), before);
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_NE(NewestPrekey(ong(), "uls"), before);
}

TEST_F(Witness, AlsoWhatTheSameCheckpointHolds) {
  const auto before = NewestPrekey(ong(), "uls");
  const uint64_t version = ong().peers().Now()->charter.charter.version;
  Away({"mp", "gnr"});
  world_.RequireQuorum(5);
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();  // keys behind the charter, and no quorum for either
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version);
  world_.agent("gnr").witnesses = true;
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();  // four let the charter in
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version + 1);
  EXPECT_EQ(NewestPrekey(ong(), "uls"), before);
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  EXPECT_NE(NewestPrekey(ong(), "uls"), before);
}

// The witnesses of today are others than those that it knows.
TEST_F(Witness, WhoWasAwayForTwoChartersFollowsThemOneByOne) {
  uls().port().down = true;
  const auto replace = [&](const std::string& id) {
    Charter next =
        world_.broker().committee().Successor(world_.broker().charter());
    for (Member& member : next.members)
      if (member.id.text() == id) member.witness_key.reset();
    next.witness_quorum = next.witness_quorum - 1;
    VALUE_OF(
        world_.broker().PublishCharter(world_.broker().committee().Sign(next)));
    world_.Settle();
  };
  uls().witnesses = false;
  replace("mp");   // four cosign: gnr, mp, cpcj, ong
  replace("gnr");  // three: gnr, cpcj, ong
  Away({"mp", "gnr"});
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();  // two: cpcj, ong
  const uint64_t version = ong().peers().Now()->charter.charter.version;
  EXPECT_EQ(version, world_.broker().charter().charter.version);

  uls().port().down = false;
  world_.Settle();
  EXPECT_EQ(uls().peers().Now()->charter.charter.version, version);
  EXPECT_EQ(NewestPrekey(uls(), "ong"), NewestPrekey(gnr(), "ong"));
  uls().Restart();
  EXPECT_EQ(uls().peers().Now()->charter.charter.version, version);
  EXPECT_EQ(NewestPrekey(uls(), "ong"), NewestPrekey(gnr(), "ong"));
}

TEST_F(Witness, WhoWasAwayWhileTheQuorumRoseAndFellComesAfter) {
  uls().port().down = true;
  world_.agent("uls").witnesses = false;
  world_.RequireQuorum(4);  // as before, with the four that are there
  Charter next =
      world_.broker().committee().Successor(world_.broker().charter());
  for (Member& member : next.members)
    if (member.id.text() == "uls")
      member.witness_key = SigningKey::Generate().verify_key();
  next.witness_quorum = 4;
  VALUE_OF(
      world_.broker().PublishCharter(world_.broker().committee().Sign(next)));
  world_.Settle();
  world_.RequireQuorum(4);
  Away({"mp"});
  next = world_.broker().committee().Successor(world_.broker().charter());
  next.witness_quorum = 3;
  VALUE_OF(
      world_.broker().PublishCharter(world_.broker().committee().Sign(next)));
  Back();
  world_.agent("uls").witnesses = false;
  world_.Settle();
  Away({"mp"});
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();  // three cosign: too few for what uls knows
  uls().port().down = false;
  world_.Settle();
  EXPECT_EQ(uls().peers().Now()->charter.charter.version,
            world_.broker().charter().charter.version);
  EXPECT_EQ(NewestPrekey(uls(), "ong"), NewestPrekey(gnr(), "ong"));
}

TEST_F(Witness, TwoChartersUnderOneCheckpointComeIntoForceOneByOne) {
  Away({"mp", "gnr"});
  const uint64_t version = ong().peers().Now()->charter.charter.version;
  world_.RequireQuorum(5);
  world_.RequireQuorum(4);
  EXPECT_EQ(ong().peers().Now()->charter.charter.version, version);
  Back();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  TestAgent fresh(world_.broker(), "mp");
  fresh.Turn(world_.Shown());
  for (TestAgent* agent : {&ong(), &uls(), &fresh})
    EXPECT_EQ(agent->peers().Now()->charter.charter.version, version + 2);
}

TEST_F(Witness, ANewAgentFollowsFromTheStart) {
  Away({"mp"});
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();
  Refer();
  world_.Settle();
  TestAgent fresh(world_.broker(), "mp");
  fresh.Turn(world_.Shown());
  EXPECT_EQ(fresh.peers().Now()->charter.charter.version,
            world_.broker().charter().charter.version);
  EXPECT_EQ(NewestPrekey(fresh, "uls"), NewestPrekey(ong(), "uls"));
}

TEST_F(Witness, MailOfAKeyThatTheRecipientWaitsForWaits) {
  // uls is not shown that ong's new key is witnessed; ong is.
  const ShownCheckpoint old = world_.Shown();
  const auto turn_uls = [&](bool informed) {
    ShownCheckpoint shown = world_.Shown();
    if (!informed) shown.witnessed = old.witnessed;
    uls().Turn(shown);
  };
  uls().witnesses = false;
  VALUE_OF(ong().keys().OrderRotation("rotate"));
  for (int turn = 0; turn < 6; ++turn) {
    const ShownCheckpoint shown = world_.Shown();
    for (const char* id : {"gnr", "mp", "cpcj", "ong"})
      world_.agent(id).Turn(shown);
    turn_uls(false);
  }
  const MemberId& id = world_.broker().Id("ong");
  ASSERT_NE(ong().peers().Now()->keys.CurrentSigner(id)->key.Thumbprint(),
            uls().peers().Now()->keys.CurrentSigner(id)->key.Thumbprint());
  const std::string referral = Refer();
  for (int turn = 0; turn < 3; ++turn) {
    ong().Turn(world_.Shown());
    turn_uls(false);
  }
  EXPECT_EQ(ong().outbox().size(), 0u);  // it left
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  world_.Settle();  // now it hears of the quorum
  EXPECT_TRUE(Knows(uls(), referral));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
}

TEST_F(Witness, AClockThatAQuorumContradictsIsWrongAndNotTheLogs) {
  // The machine of uls is three hours behind, and so says the broker to it.
  uls().SetClockOff(-absl::Hours(3));
  world_.clock().Advance(absl::Hours(1));
  const auto lied_to = [&] {
    ShownCheckpoint shown = world_.Shown();
    shown.note = VALUE_OF(TimeCheckpoint(
        VALUE_OF(SignCheckpoint(
            VALUE_OF(VerifyCheckpoint(shown.note, world_.broker().log())),
            world_.broker().log_key())),
        world_.broker().log_key(), world_.clock().Now() - absl::Hours(3)));
    return shown;
  };
  for (int turn = 0; turn < 3; ++turn) {
    const ShownCheckpoint shown = lied_to();
    uls().Turn(shown);
    for (const char* id : {"gnr", "mp", "cpcj"})
      world_.agent(id).Turn(world_.Shown());
  }
  EXPECT_TRUE(HasAlarm(uls(), "clock"));
  EXPECT_FALSE(uls().time().MayPublish().ok());
}

TEST_F(Witness, ABrokerWhoseClockIsOffDoesNotPutMembersInTheWrong) {
  world_.clock().Advance(absl::Minutes(90));
  for (int turn = 0; turn < 3; ++turn) {
    ShownCheckpoint shown = world_.Shown();
    shown.note = VALUE_OF(TimeCheckpoint(
        VALUE_OF(SignCheckpoint(
            VALUE_OF(VerifyCheckpoint(shown.note, world_.broker().log())),
            world_.broker().log_key())),
        world_.broker().log_key(), world_.clock().Now() - absl::Hours(3)));
    for (const char* id : {"gnr", "mp", "uls", "cpcj", "ong"})
      world_.agent(id).Turn(shown);
  }
  EXPECT_FALSE(HasAlarm(ong(), "clock"));
  EXPECT_TRUE(HasAlarm(ong(), "broker_clock"));
  // But nothing is logged under its wrong time.
  EXPECT_FALSE(ong().time().MayPublish().ok());
}

// What a broker is rebuilt from after a change of witnesses; and no word of
// witnesses that nobody asks any more.
TEST_F(Witness, AMirrorHasWhatEachCharterCameBy) {
  const ScratchFolder folder;
  const NetworkFile network{.network = world_.broker().network(),
                            .log_key = world_.broker().log(),
                            .ca_der = {1},
                            .members = "localhost:1",
                            .enrol = "localhost:2"};
  int count = 0;
  const auto exported = [&] {
    const std::string out = folder / std::to_string(++count);
    VALUE_OF(ExportMirror(ong().kv(), network, out, true));
    return out;
  };
  world_.RequireQuorum(3);
  std::string out = exported();
  const Note by = VALUE_OF(ParseNote(VALUE_OF(ReadFile(
      folder / (std::to_string(count) + "/charter-checkpoints/3"), 1 << 16))));
  Charter before = world_.broker().charter().charter;
  before.witness_quorum = 4;
  EXPECT_TRUE(QuorumTime(by, before));
  // Nobody was asked for the one that began it.
  EXPECT_FALSE(FileExists(out + "/charter-checkpoints/2"));
  EXPECT_TRUE(FileExists(out + "/newest"));
  world_.RequireQuorum(0);
  ong().Restart();
  out = exported();
  EXPECT_TRUE(FileExists(out + "/charter-checkpoints/4"));
  EXPECT_FALSE(FileExists(out + "/newest"));
  const Note newest =
      VALUE_OF(ParseNote(VALUE_OF(ReadFile(out + "/checkpoint", 1 << 16))));
  EXPECT_EQ(VALUE_OF(ParseCheckpoint(newest.text)).size, ong().log().size());
}

}  // namespace
}  // namespace amparo::agent

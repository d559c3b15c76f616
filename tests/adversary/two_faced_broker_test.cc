#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "proto/network/witnesses.h"
#include "tests/adversary/victims.h"

// A broker that shows its members different logs, or makes up what their
// witnesses said. Four of five agents are a quorum.

namespace amparo::agent {
namespace {

class TwoFacedBroker : public Victims {
 protected:
  TwoFacedBroker() {
    world_.RequireQuorum(4);
    world_.Settle();
  }
  std::vector<Bytes> TrueEntries() {
    const uint64_t size = world_.broker().store().Head().range.size().value();
    std::vector<Bytes> all;
    while (all.size() < size)
      for (Bytes& entry : VALUE_OF(
               world_.broker().store().Entries(LeafIndex(all.size()), 100)))
        all.push_back(std::move(entry));
    return all;
  }
  Checkpoint CheckpointOf(const std::vector<Bytes>& entries) {
    CompactRange range;
    for (const Bytes& entry : entries) range.Append(LeafHash(entry));
    return {world_.broker().log().name(), range.size(), range.Root(), {}};
  }
  std::string Signed(const std::vector<Bytes>& entries) {
    return VALUE_OF(
        SignCheckpoint(CheckpointOf(entries), world_.broker().log_key()));
  }
  // A key in ong's name that ong never made, by who stole its identity key.
  std::string StolenNameEvent(absl::Time from) {
    const auto peers = ong().peers().Now();
    const MemberId& id = world_.broker().Id("ong");
    const auto head = peers->keys.HeadOf(id);
    return SignKeyEvent({.net = peers->charter.network_id,
                         .member = id,
                         .seq = head.seq + 1,
                         .prev_hash = head.hash,
                         .charter_hash = peers->charter.hash,
                         .kind = KeyEventKind::kSigning,
                         .key = stolen_.verify_key(),
                         .from = from,
                         .until = from + absl::Hours(24 * 30),
                         .vouched_by_old = std::nullopt},
                        world_.broker().member("ong").identity());
  }
  // A log that goes on from the true one with that key, and then for long.
  std::vector<Bytes> Forked() {
    std::vector<Bytes> entries = TrueEntries();
    const absl::Time now = world_.clock().Now();
    entries.push_back(
        EncodeLogEntry({now, KeyEventEntry{StolenNameEvent(now)}}));
    for (int i = 0; i < 50; ++i)
      entries.push_back(EncodeLogEntry({now, CommitmentEntry{}}));
    return entries;
  }
  void Serve(TestAgent& agent, std::vector<Bytes> entries) {
    agent.port().tamper_entries = [entries](LeafIndex start,
                                            std::vector<Bytes>) {
      return std::vector<Bytes>(
          entries.begin() + static_cast<ptrdiff_t>(start.value()),
          entries.end());
    };
  }
  static std::string With(const std::string& note,
                          const std::vector<NoteSignature>& signatures) {
    Note parsed = VALUE_OF(ParseNote(note));
    for (const NoteSignature& signature : signatures)
      parsed.signatures.push_back(signature);
    return FormatNote(parsed);
  }
  // The cosignatures of the newest honest checkpoint.
  std::vector<NoteSignature> HonestCosignatures() {
    const Note note =
        VALUE_OF(ParseNote(world_.broker().witnesses().newest().note));
    return {note.signatures.begin() + 1, note.signatures.end()};
  }

  NoteSignature Cosigned(const std::string& note, const std::string& member,
                         const SigningKey& key) {
    return VALUE_OF(CosignCheckpoint(
        VALUE_OF(ParseNote(note)).text,
        WitnessName(world_.broker().network(), world_.broker().Id(member)), key,
        world_.clock().Now()));
  }

  const SigningKey stolen_ = SigningKey::Generate();
};

TEST_F(TwoFacedBroker, AKeyThatOneVictimAloneIsShownIsNeverUsed) {
  // uls follows the other log: it has nothing to compare it with. But nobody
  // else cosigns it.
  const MemberId& id = world_.broker().Id("ong");
  const Digest before =
      uls().peers().Now()->keys.CurrentSigner(id)->key.Thumbprint();
  const std::vector<Bytes> forked = Forked();
  Serve(uls(), forked);
  ASSERT_OK(uls().log().Follow(Signed(forked)));
  EXPECT_EQ(uls().log().size().value(), forked.size());
  EXPECT_EQ(uls().peers().Now()->keys.CurrentSigner(id)->key.Thumbprint(),
            before);
  // Its own cosignature is none of the others'.
  const std::string note = Signed(forked);
  EXPECT_OK(uls().log().FollowWitnessed(With(note, HonestCosignatures())));
  EXPECT_EQ(uls().peers().Now()->keys.CurrentSigner(id)->key.Thumbprint(),
            before);
}

TEST_F(TwoFacedBroker, TheNextCheckpointOfTheOthersGivesItAway) {
  const std::vector<Bytes> forked = Forked();
  Serve(uls(), forked);
  ASSERT_OK(uls().log().Follow(Signed(forked)));
  uls().port().tamper_entries = nullptr;
  // The others go on, and what they cosign reaches uls.
  Refer();
  for (int turn = 0; turn < 3; ++turn)
    for (const char* other : {"gnr", "mp", "cpcj", "ong"})
      world_.agent(other).Turn(world_.Shown());
  const std::string witnessed = world_.broker().witnesses().newest().note;
  EXPECT_THAT(uls().log().FollowWitnessed(witnessed),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
}

TEST_F(TwoFacedBroker, AViewThatAPeerSawGivesItAway) {
  const std::vector<Bytes> forked = Forked();
  Serve(uls(), forked);
  ASSERT_OK(uls().log().Follow(Signed(forked)));
  const TreeSize size(forked.size());
  EXPECT_NE(uls().log().RootAt(size), ong().log().RootAt(size));
  // Any size that both have: not only those of checkpoints.
  const TreeSize common(forked.size() - 51);
  EXPECT_EQ(uls().log().RootAt(common), ong().log().RootAt(common));
  EXPECT_TRUE(uls().log().RootAt(common));
}

// Nobody writes about a case: a heartbeat carries the view all the same.
TEST_F(TwoFacedBroker, AHeartbeatGivesItAwayWithinADay) {
  Refer();
  world_.Settle();
  // From here on uls is shown a log of its own, and its mail.
  std::vector<Bytes> forked = TrueEntries();
  forked.push_back(EncodeLogEntry({world_.clock().Now(), CommitmentEntry{}}));
  Serve(uls(), forked);
  ASSERT_OK(uls().log().Follow(Signed(forked)));
  uls().port().down = true;
  Refer({"gnr"});
  world_.Settle();
  world_.clock().Advance(kHeartbeatEvery);
  world_.Settle();
  std::vector<MailboxItem> mail;
  uls().port().down = false;
  ASSERT_OK(
      uls().port().Subscribe(uls().intake().cursor(), [&](MailboxItem item) {
        mail.push_back(std::move(item));
        return true;
      }));
  ASSERT_EQ(mail.size(), 1u);
  // Its own log has that mail, too.
  const Envelope& heartbeat = std::get<Envelope>(mail[0].event);
  const uint64_t leaf = mail[0].receipt.leaf.value();
  std::vector<Bytes> more = TrueEntries();
  ASSERT_LT(forked.size(), leaf);
  std::copy(forked.end() - 1, forked.end(),
            more.begin() + static_cast<ptrdiff_t>(forked.size()) - 1);
  Serve(uls(), more);
  ASSERT_OK(uls().log().Follow(Signed(more)));
  ASSERT_EQ(heartbeat.header.sender, world_.broker().Id("ong"));
  EXPECT_FALSE(HasAlarm(uls(), "log_fork"));
  EXPECT_OK(uls().intake().Take(mail[0]));
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  EXPECT_TRUE(HasAlarmFor(uls(), "log_fork", world_.broker().Id("ong")));
}

// A thief of ong's identity key and the broker: the key is made to look older
// than the trust delay.
class DatedBack : public TwoFacedBroker {
 protected:
  DatedBack() {
    world_.RequireQuorum(4, absl::Hours(24));
    world_.Settle();
    quiet_ = world_.clock().Now();
  }
  void LogStolenKeyDatedBack() {
    const absl::Time now = world_.clock().Now();
    world_.clock().Set(quiet_ + absl::Minutes(1));
    const std::string event = StolenNameEvent(world_.clock().Now());
    ASSERT_TRUE(world_.broker().PublishKeyEvent("ong", event).ok());
    world_.clock().Set(now);
  }
  // What a member thinks of it that knows it; ong's own agent ends it at once.
  bool Trusted(TestAgent& agent) {
    const auto peers = agent.peers().Now();
    for (const SignerRecord& signer :
         peers->keys.SignersOf(world_.broker().Id("ong")))
      if (signer.key == stolen_.verify_key())
        return agent.peers().CheckTrust(*peers, signer).ok();
    throw std::runtime_error("the stolen key is not in force");
  }

  absl::Time quiet_;
};

TEST_F(DatedBack, AKeyIsAsOldAsTheFirstQuorumThatSawIt) {
  world_.clock().Advance(absl::Hours(23));  // nothing is logged, but witnessed
  world_.Settle();
  LogStolenKeyDatedBack();
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "own_key"));
  EXPECT_FALSE(Trusted(uls()));
  world_.clock().Advance(absl::Hours(23));
  uls().Restart();
  world_.Settle();
  EXPECT_FALSE(Trusted(uls()));
  world_.clock().Advance(absl::Hours(2));
  world_.Settle();
  EXPECT_TRUE(Trusted(uls()));
}

TEST_F(DatedBack, ASilenceOfTheBrokerMakesNoKeyOlder) {
  world_.clock().Advance(absl::Hours(26));
  LogStolenKeyDatedBack();
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "own_key"));
  EXPECT_FALSE(Trusted(uls()));
}

TEST_F(DatedBack, ForAMemberThatWasAwayItIsAsOldAsItsReturn) {
  gnr().port().down = true;
  world_.clock().Advance(absl::Hours(23));
  world_.Settle();
  LogStolenKeyDatedBack();
  world_.Settle();
  world_.clock().Advance(absl::Hours(1));
  world_.Settle();
  gnr().port().down = false;
  world_.Settle();
  EXPECT_FALSE(Trusted(gnr()));
  world_.clock().Advance(absl::Hours(25));
  world_.Settle();
  EXPECT_TRUE(Trusted(gnr()));
}

TEST_F(DatedBack, ItsOwnerIsToldBeforeItIsInForce) {
  world_.agent("mp").witnesses = gnr().witnesses = false;
  world_.clock().Advance(absl::Hours(5));
  LogStolenKeyDatedBack();
  world_.Settle();
  EXPECT_THROW(Trusted(uls()), std::runtime_error);
  EXPECT_TRUE(HasAlarm(ong(), "own_key"));
}

TEST_F(TwoFacedBroker, CosignaturesOfATimeToComeAreOfNow) {
  Refer();
  ASSERT_OK(uls().log().Follow(world_.Checkpoint()));
  const std::string note = Signed(TrueEntries());
  std::vector<NoteSignature> cosignatures;
  for (const char* id : {"ong", "gnr", "mp", "cpcj"})
    cosignatures.push_back(VALUE_OF(CosignCheckpoint(
        VALUE_OF(ParseNote(note)).text,
        WitnessName(world_.broker().network(), world_.broker().Id(id)),
        world_.agent(id).witness(),
        world_.clock().Now() + absl::Hours(24 * 365 * 70))));
  EXPECT_OK(uls().log().FollowWitnessed(With(note, cosignatures)));
  EXPECT_EQ(uls().peers().Now()->witnessed_at,
            world_.clock().Now() + kClockAlarm);
}

TEST_F(TwoFacedBroker, AWitnessWhoseClockIsYearsAheadMovesNobodysTime) {
  gnr().SetClockOff(absl::Hours(24 * 365 * 70));
  Refer();
  world_.Settle();
  const auto peers = ong().peers().Now();
  EXPECT_EQ(peers->witnessed_size.value(), ong().log().size().value());
  EXPECT_LE(peers->witnessed_at, world_.clock().Now());
  EXPECT_FALSE(HasAlarm(ong(), "clock"));
  EXPECT_OK(ong().time().MaySeal());
}

TEST_F(TwoFacedBroker,
       CosignaturesThatAreTooFewTwiceTheSameOrForgedAreNoQuorum) {
  const uint64_t before = uls().peers().Now()->witnessed_size.value();
  Refer();
  ASSERT_OK(uls().log().Follow(world_.Checkpoint()));
  const std::vector<Bytes> entries = TrueEntries();
  const std::string note = Signed(entries);
  const SigningKey stranger = SigningKey::Generate();
  const std::vector<NoteSignature> honest = HonestCosignatures();
  ASSERT_EQ(honest.size(), 4u);
  NoteSignature forged = honest[0];  // of another checkpoint
  const std::vector<std::vector<NoteSignature>> tries = {
      {},
      {forged, honest[1], honest[2], honest[3]},
      {Cosigned(note, "ong", stranger), Cosigned(note, "gnr", stranger),
       Cosigned(note, "mp", stranger), Cosigned(note, "cpcj", stranger)},
      {Cosigned(note, "ong", ong().witness()),
       Cosigned(note, "gnr", gnr().witness()),
       Cosigned(note, "mp", mp().witness())},
      {Cosigned(note, "ong", ong().witness()),
       Cosigned(note, "ong", ong().witness()),
       Cosigned(note, "gnr", gnr().witness()),
       Cosigned(note, "mp", mp().witness())},
      {Cosigned(note, "ong", ong().witness()),
       Cosigned(note, "uls", ong().witness()),
       Cosigned(note, "gnr", gnr().witness()),
       Cosigned(note, "mp", mp().witness())},
  };
  for (const auto& cosignatures : tries) {
    (void)uls().log().FollowWitnessed(With(note, cosignatures));
    EXPECT_EQ(uls().peers().Now()->witnessed_size.value(), before);
  }
  EXPECT_TRUE(uls().alarms().List().empty());
}

TEST_F(TwoFacedBroker, NoWitnessCosignsASmallerLogOrOneItDidNotFollow) {
  std::vector<Bytes> entries = TrueEntries();
  entries.pop_back();
  const std::string smaller = Signed(entries);
  entries = Forked();
  const std::string other = Signed(entries);
  const SigningKey witness = SigningKey::Generate();
  Cosigner cosigner(world_.broker().Id("uls"), witness.Copy(), uls().peers(),
                    uls().log(), uls().restored(), world_.clock());
  // As the charter names its key, it is asked for its word.
  Charter next =
      world_.broker().committee().Successor(world_.broker().charter());
  for (Member& member : next.members)
    if (member.id.text() == "uls") member.witness_key = witness.verify_key();
  VALUE_OF(
      world_.broker().PublishCharter(world_.broker().committee().Sign(next)));
  world_.Settle();
  for (const std::string& note : {smaller, other})
    EXPECT_THAT(cosigner.Cosign(note, uls().port()),
                StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_OK(cosigner.Cosign(world_.Checkpoint(), uls().port()));
}

TEST_F(TwoFacedBroker, ACharterThatNobodyCanHaveIsNotFollowed) {
  std::vector<Bytes> entries = TrueEntries();
  entries.push_back(EncodeLogEntry(
      {world_.clock().Now(), CharterEntry{99, Sha256("no such document")}}));
  const TreeSize before = uls().log().size();
  Serve(uls(), entries);
  EXPECT_FALSE(uls().log().Follow(Signed(entries)).ok());
  EXPECT_EQ(uls().log().size(), before);
  uls().port().tamper_entries = nullptr;
  uls().Restart();
  ExpectHonestTrafficFlows();
}

TEST_F(TwoFacedBroker, ALogOfTomorrowIsNotCosigned) {
  std::vector<Bytes> entries = TrueEntries();
  entries.push_back(EncodeLogEntry(
      {world_.clock().Now() + absl::Hours(24), CommitmentEntry{}}));
  Serve(uls(), entries);
  const std::string note = Signed(entries);
  ASSERT_OK(uls().log().Follow(note));
  world_.broker().witnesses().Show(note);
  const SigningKey& key = uls().witness();
  Cosigner cosigner(world_.broker().Id("uls"), key.Copy(), uls().peers(),
                    uls().log(), uls().restored(), world_.clock());
  int asked = 0;
  uls().port().before_cosignature = [&] { ++asked; };
  EXPECT_OK(cosigner.Cosign(note, uls().port()));
  EXPECT_EQ(asked, 0);
  world_.clock().Advance(absl::Hours(24));
  EXPECT_OK(cosigner.Cosign(note, uls().port()));
  EXPECT_EQ(asked, 1);
}

TEST_F(TwoFacedBroker, AKeyLoggedUnderAnOldTimeIsAsNewAsItIs) {
  // Nothing was logged for a day; witnesses cosigned all the same. The broker
  // helps a thief of the identity key: it dates the key's entry a day back.
  Charter next =
      world_.broker().committee().Successor(world_.broker().charter());
  next.trust_delay = absl::Hours(24);
  VALUE_OF(
      world_.broker().PublishCharter(world_.broker().committee().Sign(next)));
  world_.Settle();
  const absl::Time old = world_.clock().Now();
  for (int hour = 0; hour < 23; ++hour) {
    world_.clock().Advance(absl::Hours(1));
    world_.Settle();
  }
  std::vector<Bytes> entries = TrueEntries();
  entries.push_back(EncodeLogEntry({old, KeyEventEntry{StolenNameEvent(old)}}));
  Serve(uls(), entries);
  const std::string note = Signed(entries);
  ASSERT_OK(uls().log().Follow(note));
  world_.clock().Advance(absl::Hours(2));
  std::vector<NoteSignature> cosignatures;
  for (const char* member : {"ong", "gnr", "mp", "cpcj"})
    cosignatures.push_back(
        Cosigned(note, member, world_.agent(member).witness()));
  ASSERT_OK(uls().log().FollowWitnessed(With(note, cosignatures)));
  const auto peers = uls().peers().Now();
  const auto signer = peers->keys.CurrentSigner(world_.broker().Id("ong"));
  ASSERT_EQ(signer->key, stolen_.verify_key());
  EXPECT_EQ(ErrorCodeOf(uls().peers().CheckTrust(*peers, *signer)),
            "key_too_new");
  // A day after it was witnessed its owner had the time to cry out.
  world_.clock().Advance(absl::Hours(24));
  cosignatures.clear();
  for (const char* member : {"ong", "gnr", "mp", "cpcj"})
    cosignatures.push_back(
        Cosigned(note, member, world_.agent(member).witness()));
  ASSERT_OK(uls().log().FollowWitnessed(With(note, cosignatures)));
  EXPECT_OK(uls().peers().CheckTrust(*uls().peers().Now(), *signer));
}

}  // namespace
}  // namespace amparo::agent

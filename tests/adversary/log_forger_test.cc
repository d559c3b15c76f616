#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "proto/network/key_event.h"
#include "tests/adversary/victims.h"

// A broker that signs a log which is not the one it showed before, or puts into
// the log what no member made.

namespace amparo::agent {
namespace {

class LogForger : public Victims {
 protected:
  std::vector<Bytes> TrueEntries() {
    const uint32_t size = static_cast<uint32_t>(
        world_.broker().store().Head().range.size().value());
    std::vector<Bytes> all;
    while (all.size() < size)
      for (Bytes& entry : VALUE_OF(
               world_.broker().store().Entries(LeafIndex(all.size()), 100)))
        all.push_back(std::move(entry));
    return all;
  }
  static Checkpoint CheckpointOf(const std::string& origin,
                                 const std::vector<Bytes>& entries) {
    CompactRange range;
    for (const Bytes& entry : entries) range.Append(LeafHash(entry));
    return {origin, range.size(), range.Root(), {}};
  }
  std::string Signed(const std::vector<Bytes>& entries) {
    return VALUE_OF(
        SignCheckpoint(CheckpointOf(world_.broker().log().name(), entries),
                       world_.broker().log_key()));
  }
  // uls stays where it was, with this alarm; honest traffic still flows.
  void ExpectContradiction(const std::string& note, const char* alarm) {
    const LogWatch::View before = uls().log().view();
    EXPECT_THAT(uls().log().Follow(note),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_EQ(uls().log().view().size, before.size);
    EXPECT_EQ(uls().log().view().root, before.root);
    EXPECT_TRUE(HasAlarm(uls(), alarm));
    EXPECT_FALSE(HasAlarm(ong(), alarm));
    ExpectHonestTrafficFlows();
    uls().Restart();
    EXPECT_TRUE(HasAlarm(uls(), alarm));  // an alarm outlives a crash
    // So does the proof: what was followed, then what contradicts it.
    const std::string proof =
        ToText(VALUE_OF(uls().alarms().EvidenceOf(alarm, std::nullopt)));
    ASSERT_GT(proof.size(), note.size());
    EXPECT_EQ(proof.substr(proof.size() - note.size()), note);
    const Checkpoint followed = VALUE_OF(VerifyCheckpoint(
        proof.substr(0, proof.size() - note.size() - 1), world_.broker().log()));
    EXPECT_EQ(followed.size, before.size);
    EXPECT_EQ(followed.root, before.root);
  }
};

TEST_F(LogForger, ACheckpointThatRollsBackIsAnAlarm) {
  std::vector<Bytes> entries = TrueEntries();
  entries.pop_back();
  ExpectContradiction(Signed(entries), "log_rollback");
}

TEST_F(LogForger, AnotherRootOfTheSameSizeIsAnAlarm) {
  std::vector<Bytes> entries = TrueEntries();
  entries[3].back() ^= 1;
  ExpectContradiction(Signed(entries), "log_fork");
}

TEST_F(LogForger, AGrownLogWithAnotherPastIsAnAlarm) {
  const LeafReceipt more = LogAnyway(ToBytes(AsBytes("something")));
  std::vector<Bytes> entries = TrueEntries();
  ASSERT_EQ(entries.size(), more.leaf.value() + 1);
  entries[3].back() ^= 1;
  ExpectContradiction(Signed(entries), "log_fork");
}

TEST_F(LogForger, ACheckpointUnderAnotherNameOrKeyIsRefused) {
  LogAnyway(ToBytes(AsBytes("something")));
  const std::string origin = world_.broker().log().name();
  const LogWatch::View before = uls().log().view();
  const SigningKey stranger = SigningKey::Generate();
  for (const std::string& note :
       {VALUE_OF(SignCheckpoint(CheckpointOf("another-network", TrueEntries()),
                                world_.broker().log_key())),
        VALUE_OF(SignCheckpoint(CheckpointOf(origin, TrueEntries()), stranger)),
        VALUE_OF(SignCheckpoint(CheckpointOf(origin, TrueEntries()),
                                VALUE_OF(gnr().keys().Signer())))}) {
    EXPECT_FALSE(uls().log().Follow(note).ok());
    EXPECT_EQ(uls().log().view().size, before.size);
  }
  // Anybody could have made it: it proves nothing about the broker.
  EXPECT_TRUE(uls().alarms().List().empty());
  ExpectHonestTrafficFlows();
}

TEST_F(LogForger, AnEntryChangedOnTheWayIsAnAlarmAndChangesNothing) {
  uls().port().tamper_entries = [](LeafIndex, std::vector<Bytes> entries) {
    entries.back().back() ^= 1;
    return entries;
  };
  const TreeSize before = uls().log().size();
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_EQ(uls().log().size(), before);
  EXPECT_FALSE(Knows(uls(), referral));
  EXPECT_TRUE(HasAlarm(uls(), "log_fork"));
  uls().port().tamper_entries = nullptr;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  ExpectHonestTrafficFlows();
}

TEST_F(LogForger, EntriesKeptBackChangeNothing) {
  uls().port().tamper_entries = [](LeafIndex, std::vector<Bytes>) {
    return std::vector<Bytes>();
  };
  const TreeSize before = uls().log().size();
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_EQ(uls().log().size(), before);
  EXPECT_FALSE(Knows(uls(), referral));
  uls().port().tamper_entries = nullptr;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  ExpectHonestTrafficFlows();
}

TEST_F(LogForger, ABrokenPromiseIsAnAlarm) {
  // The broker signs for a leaf that says something else.
  const Digest net = ong().peers().Now()->charter.network_id;
  ong().port().tamper_promise = [&](const Envelope& envelope,
                                    LeafReceipt receipt) {
    receipt.salt[0] ^= 1;
    const Bytes event = EncodeAuditEvent(EnvelopeEvent{
        envelope.header_bytes, BodyDigest(envelope.enc, envelope.ciphertext),
        envelope.signature});
    receipt.signature = SignLeafReceipt(
        world_.broker().log_key(), net, receipt.leaf,
        LogEntry{receipt.time,
                 CommitmentEntry{LeafCommitment(receipt.salt, event)}});
    return receipt;
  };
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "log_fork"));
  EXPECT_TRUE(Knows(uls(), referral));  // the mail itself was true
  ong().port().tamper_promise = nullptr;
  ExpectHonestTrafficFlows();
}

TEST_F(LogForger, APromiseThatTheLogKeyDidNotSignIsNone) {
  ong().port().tamper_promise = [](const Envelope&, LeafReceipt receipt) {
    receipt.salt[0] ^= 1;
    return receipt;
  };
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kQueued);  // not given up
  ong().port().tamper_promise = nullptr;
  // uls has it by now; its receipt waits until the broker's word is here.
  world_.Settle();
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  ExpectHonestTrafficFlows();
}

// --- Ghosts.

class Ghost : public LogForger {
 protected:
  KeyEvent EventOf(const MemberId& member, uint64_t seq, const Digest& prev,
                   KeyEventKind kind, std::variant<VerifyKey, SealingKey> key) {
    const AcceptedCharter& charter = ong().peers().Now()->charter;
    const absl::Time now = world_.clock().Now();
    return {charter.network_id,
            member,
            seq,
            prev,
            charter.hash,
            kind,
            std::move(key),
            now,
            now + absl::Hours(24),
            std::nullopt};
  }
  void Publish(const std::string& document) {
    LogAnyway(
        broker::Op{broker::Publish{"key/ghost/" + Sha256(document).ToString(),
                                   KeyEventEntry{document}, document},
                   {}});
    world_.Settle();
  }
};

TEST_F(Ghost, AKeyOfWhomNoCharterNamesCountsForNobody) {
  const MemberId ghost = VALUE_OF(MemberId::Parse("ghost"));
  const SigningKey key = SigningKey::Generate();
  const OpeningKey prekey = OpeningKey::Generate();
  const std::string first = SignKeyEvent(
      EventOf(ghost, 1, Digest(), KeyEventKind::kSigning, key.verify_key()),
      key);
  Publish(first);
  Publish(SignKeyEvent(EventOf(ghost, 2, Sha256(first), KeyEventKind::kPrekey,
                               prekey.sealing_key()),
                       key));
  EXPECT_FALSE(ong().peers().PrekeyFor(ghost, world_.clock().Now()).ok());
  EXPECT_TRUE(ong().peers().Now()->keys.Prekeys(ghost).empty());
  EXPECT_FALSE(ong()
                   .peers()
                   .Now()
                   ->keys
                   .SignerAt(ghost, key.verify_key().Thumbprint(),
                             LeafIndex(ong().log().size().value()),
                             world_.clock().Now())
                   .ok());
  ExpectHonestTrafficFlows();
}

TEST_F(Ghost, ASecondPrekeyForAMemberIsNeverSealedTo) {
  const MemberId member = world_.broker().Id("uls");
  const OpeningKey prekey = OpeningKey::Generate();
  // As many seqs as anyone could guess, signed by the broker and by a stranger.
  const SigningKey stranger = SigningKey::Generate();
  for (uint64_t seq = 1; seq <= 6; ++seq)
    for (const SigningKey* key : {&world_.broker().log_key(), &stranger})
      Publish(SignKeyEvent(EventOf(member, seq, Sha256("x"),
                                   KeyEventKind::kPrekey, prekey.sealing_key()),
                           *key));
  const PrekeyRecord used =
      VALUE_OF(ong().peers().PrekeyFor(member, world_.clock().Now()));
  EXPECT_NE(used.key.Id(), prekey.sealing_key().Id());
  // Nor can a forgery freeze the member's keys.
  EXPECT_FALSE(HasAlarm(ong(), "keys_frozen"));
  ExpectHonestTrafficFlows();
}

TEST_F(Ghost, ACharterThatTheCommitteeDidNotSignStaysOut) {
  const AcceptedCharter before = ong().peers().Now()->charter;
  const TestCommittee usurpers;
  Charter next = world_.broker().committee().Successor(before);
  const std::string document = usurpers.Sign(next);
  LogAnyway(broker::Op{
      broker::Publish{"charter/2", CharterEntry{2, Sha256(document)}, document},
      {}});
  world_.Settle();
  EXPECT_EQ(ong().peers().Now()->charter.charter.version,
            before.charter.version);
  EXPECT_TRUE(HasAlarm(ong(), "bad_charter"));
  ExpectHonestTrafficFlows();
}

TEST_F(LogForger, AKeyThatTheCharterDroppedSignsNothing) {
  broker::BrokerFixture& broker = world_.broker();
  const SigningKey old = SigningKey::Generate();
  const auto publish = [&](const std::function<void(Charter&)>& change) {
    Charter next = broker.committee().Successor(broker.charter());
    change(next);
    VALUE_OF(broker.PublishCharter(broker.committee().Sign(next)));
    world_.Settle();
  };
  // What whoever holds the old key may show: here it is even the truth.
  const auto follow = [&] {
    LogAnyway(Bytes{1, 2, 3});
    const broker::LogHead head = broker.store().Head();
    return ong().log().Follow(VALUE_OF(SignCheckpoint(
        {broker.network(), head.range.size(), head.range.Root(), {}}, old)));
  };
  EXPECT_FALSE(follow().ok());
  publish([&](Charter& next) {
    next.log_keys.push_back(VALUE_OF(NoteVerifier::Create(
        broker.network(), NoteKeyType::kEd25519, old.verify_key())));
  });
  EXPECT_OK(follow());  // named beside the other: either may be believed
  publish([](Charter& next) { next.log_keys.pop_back(); });
  EXPECT_THAT(follow(), StatusIs(absl::StatusCode::kPermissionDenied));
  ExpectHonestTrafficFlows();
}

}  // namespace
}  // namespace amparo::agent

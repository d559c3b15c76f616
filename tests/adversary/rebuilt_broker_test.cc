#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "agents/institution/core/case_opener.h"
#include "agents/institution/core/log_mirror.h"
#include "agents/institution/core/log_rows.h"
#include "base/error.h"
#include "broker/core/rebuild.h"
#include "broker/store/memory_store.h"
#include "crypto/tile.h"
#include "tests/adversary/lying_broker.h"
#include "tests/support/logged.h"

// A broker that was put back from a backup after it had shown more: refused as
// it is; rebuilt from the members' mirrors it goes on, and no message that it
// acknowledged is lost. And what a broker could do by saying that it was
// rebuilt.

namespace amparo::agent {
namespace {

// An agent's mirror, as its export has it.
class AgentMirror final : public broker::MirrorSource {
 public:
  explicit AgentMirror(TestAgent& agent, std::string name)
      : kv_(agent.kv()), mirror_(kv_), name_(std::move(name)) {}
  bool with_openings = true;
  bool with_charter_notes = true;

  const std::string& name() const override { return name_; }
  absl::StatusOr<std::vector<std::string>> Notes() override {
    std::vector<std::string> notes = {
        ToText(VALUE_OF(kv_.Get(kLogCheckpointKey)))};
    if (const auto witnessed = kv_.Get(kLogWitnessedKey); witnessed.ok())
      notes.push_back(ToText(*witnessed));
    return notes;
  }
  absl::StatusOr<std::vector<std::string>> CharterNotes() override {
    std::vector<std::string> notes;
    if (!with_charter_notes) return notes;
    EXPECT_OK(kv_.Scan(kLogCharterNotePrefix, "",
                       [&](absl::string_view, ByteView note) {
                         notes.push_back(ToText(note));
                         return true;
                       }));
    return notes;
  }
  absl::StatusOr<std::vector<Bytes>> Bundle(uint64_t index,
                                            uint32_t width) override {
    std::vector<Bytes> entries;
    for (uint64_t i = 0; i < width; ++i)
      entries.push_back(
          VALUE_OF(mirror_.EntryAt(LeafIndex(index * kTileWidth + i))));
    return entries;
  }
  absl::StatusOr<std::string> Document(const Digest& hash) override {
    return mirror_.CharterOf(hash);
  }
  absl::StatusOr<std::vector<OpeningLine>> Openings(uint64_t index) override {
    std::vector<OpeningLine> openings;
    for (uint64_t i = 0; i < kTileWidth && with_openings; ++i) {
      const LeafIndex leaf(index * kTileWidth + i);
      if (auto opening = mirror_.OpeningAt(leaf); opening.ok())
        openings.push_back({leaf, opening->salt, opening->event});
    }
    return openings;
  }

 private:
  MemoryKv& kv_;
  const LogMirror mirror_;
  const std::string name_;
};

class RebuiltBroker : public LyingBroker {
 protected:
  static constexpr const char* kAll[] = {"gnr", "mp", "uls", "cpcj", "ong"};

  // The broker's log as it is now; its ciphertexts stay behind, as those of a
  // backup are not served either.
  void Backup() {
    backup_ = &world_.Keep(broker::NewMemoryStore());
    EXPECT_OK(backup_->AppendLogged(broker::LoggedIn(world_.broker().store())));
  }
  // The backup is put back, and brought up to what these members saw.
  broker::Rebuilding::Result Rebuild(const std::vector<std::string>& from,
                                     bool with_openings = true,
                                     bool with_charter_notes = true) {
    std::vector<std::unique_ptr<AgentMirror>> mirrors;
    std::vector<broker::MirrorSource*> sources;
    for (const std::string& name : from) {
      mirrors.push_back(
          std::make_unique<AgentMirror>(world_.agent(name), name));
      mirrors.back()->with_openings = with_openings;
      mirrors.back()->with_charter_notes = with_charter_notes;
      sources.push_back(mirrors.back().get());
    }
    lost_size_ = world_.broker().store().Head().range.size().value();
    broker::Rebuilding rebuilding(*backup_, {world_.broker().log()}, sources);
    EXPECT_OK(rebuilding.Check());
    broker::Rebuilding::Result result = VALUE_OF(rebuilding.Apply(*backup_));
    world_.RestartBroker(*backup_);
    return result;
  }
  void ExpectNoAlarms() {
    for (const char* name : kAll)
      EXPECT_TRUE(world_.agent(name).alarms().List().empty()) << name;
  }
  // What happened since the backup: one referral was delivered, one was not.
  struct Since {
    std::string delivered, waiting;
  };
  Since GoOn() {
    Since since;
    since.delivered = Sent();
    world_.Settle();
    EXPECT_EQ(DeliveryTo("uls", since.delivered), Delivery::kDelivered);
    uls().port().down = true;
    since.waiting = Sent();
    world_.Settle();
    EXPECT_EQ(DeliveryTo("uls", since.waiting), Delivery::kSubmitted);
    return since;
  }

  broker::Store* backup_ = nullptr;
  uint64_t lost_size_ = 0;  // of the log that is rebuilt
};

TEST_F(RebuiltBroker, GoesOnWhereTheLostOneEndedAndNoMailIsLost) {
  Sent();
  world_.Settle();
  Backup();
  const Since since = GoOn();
  const TreeSize size = ong().log().size();

  const auto result = Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
  EXPECT_EQ(result.after, size);
  EXPECT_EQ(result.unopened, 0u);
  EXPECT_GE(result.lost, 1u);
  uls().port().down = false;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), since.waiting));
  EXPECT_EQ(DeliveryTo("uls", since.waiting), Delivery::kDelivered);
  EXPECT_EQ(DeliveryTo("uls", since.delivered), Delivery::kDelivered);
  ExpectNoAlarms();  // no gap either: the sender says what will not come
  // An auditor finds one history, each entry of it open.
  const auto report = Audited();
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(report.counts.unopened, 0u);
  LieIsOver();
  // What was let go of runs out like anything else, and nobody is told that it
  // failed: it came by another envelope.
  world_.clock().Advance(kEnvelopeLifeMax + absl::Hours(1));
  while (VALUE_OF(world_.broker().retention().Step())) continue;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", since.waiting), Delivery::kDelivered);
}

TEST_F(RebuiltBroker, LosesNoMailWhereNobodyBringsAnOpening) {
  Backup();
  const Since since = GoOn();
  const auto result = Rebuild({"mp"}, /*with_openings=*/false);
  EXPECT_GT(result.unopened, 0u);
  uls().port().down = false;
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), since.waiting));
  EXPECT_EQ(DeliveryTo("uls", since.waiting), Delivery::kDelivered);
  EXPECT_EQ(DeliveryTo("uls", since.delivered), Delivery::kDelivered);
  ExpectNoAlarms();
  // It says so itself: what nobody opens any more is a finding.
  EXPECT_TRUE(Finds(Audited(), FindingCode::kOpeningMissing));
}

// The broker died before its next checkpoint: nobody has that entry.
TEST_F(RebuiltBroker, LosesNoMailThatWasPromisedAndNeverShown) {
  Sent();
  world_.Settle();
  Backup();
  const std::string promised = Sent();
  EXPECT_OK(ong().courier().Run());
  EXPECT_EQ(DeliveryTo("uls", promised), Delivery::kSubmitted);
  const auto result = Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
  EXPECT_LT(result.after.value(), lost_size_);
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), promised));
  EXPECT_EQ(DeliveryTo("uls", promised), Delivery::kDelivered);
  // The log's key broke its word: that is for a person to see.
  EXPECT_TRUE(HasAlarm(ong(), "log_fork"));
  EXPECT_OK(ong().alarms().Acknowledge("log_fork", std::nullopt));
  world_.Settle();
  ExpectNoAlarms();
  LieIsOver();
}

// What the log has in that place now is not what its sender lists as its own.
TEST_F(RebuiltBroker, WhoOpensACaseClaimsNoEntryThatWasGivenToAnother) {
  Sent();
  world_.Settle();
  Backup();
  const std::string promised = Sent();
  EXPECT_OK(ong().courier().Run());
  LeafIndex lost;
  EXPECT_OK(ong().outbox().VisitSent([&](const Digest&, const auto& sent) {
    lost = std::max(lost, sent.leaf);
  }));
  Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
  for (LeafIndex given; given < lost;)
    given =
        LogAnyway(EncodeAuditEvent(ExpiryEvent{Sha256(RandomBytes(32))})).leaf;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", promised), Delivery::kDelivered);
  const CaseId id =
      VALUE_OF(ong().referrals().Show(ong().officer(), promised, {}, true))
          .case_id;
  const CaseOpening opening =
      VALUE_OF(GatherOpening(ong().desk(), *ong().cases().Find(id), false));
  EXPECT_FALSE(opening.envelopes.empty());
  for (const OpenedEnvelope& envelope : opening.envelopes)
    EXPECT_NE(envelope.leaf, lost);
  EXPECT_THAT(opening.unopened, testing::Not(testing::Contains(lost)));
  ShownLog log = Shown();
  const auditor::Report report =
      VALUE_OF(auditor::Replay(log, {.root = Root(), .cases = {opening}}));
  for (const auditor::Finding& finding : report.findings())
    EXPECT_THAT(finding.text,
                testing::Not(testing::HasSubstr("ong's opening")));
}

TEST_F(RebuiltBroker, GoesOnUnderAQuorumOfWitnesses) {
  world_.RequireQuorum(4);
  Sent();
  world_.Settle();
  Backup();
  const Since since = GoOn();
  Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
  uls().port().down = false;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", since.waiting), Delivery::kDelivered);
  ExpectNoAlarms();
  EXPECT_EQ(ong().peers().Now()->witnessed_size, ong().log().size());
  LieIsOver();
}

TEST_F(RebuiltBroker, KeepsTheReceiptOfWhatWasDeliveredWhileItsSenderWasAway) {
  const std::string referral = Sent();
  world_.Settle();
  Backup();
  uls().referrals().Accept(uls().officer(), referral).IgnoreError();
  ong().port().down = true;  // takes neither the answer nor the receipt
  world_.Settle();
  Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
  ong().port().down = false;
  world_.Settle();
  const ReferralView view =
      VALUE_OF(ong().referrals().Show(ong().officer(), referral, {}, true));
  EXPECT_EQ(view.recipients[0].state, ReferralState::kAccepted);
  ExpectNoAlarms();
}

// Between the backup and the loss other witnesses took over: the newest notes
// have not the quorum of the charter before.
class ChangedWitnesses : public RebuiltBroker {
 protected:
  void Publish(const std::vector<std::string>& witnesses, uint32_t quorum) {
    Charter next =
        world_.broker().committee().Successor(world_.broker().charter());
    for (Member& member : next.members) {
      member.witness_key = std::nullopt;
      if (std::find(witnesses.begin(), witnesses.end(), member.id.text()) !=
          witnesses.end())
        member.witness_key =
            world_.agent(member.id.text()).witness().verify_key();
    }
    next.witness_quorum = quorum;
    next.trust_delay = absl::ZeroDuration();
    VALUE_OF(world_.broker().PublishCharter(
        world_.broker().committee().Sign(next)));
    world_.Settle();
  }
  uint64_t VersionAt(TestAgent& agent) {
    return agent.peers().Now()->charter.charter.version;
  }
  void ChangeThemAfterTheBackup() {
    if (VersionAt(ong()) == 1) Publish({"gnr", "mp", "uls"}, 3);
    Sent();
    world_.Settle();
    Backup();
    // The old ones cosign what brings it, and nothing after.
    Publish({"uls", "cpcj", "ong"}, 2);
    Sent();
    world_.Settle();
    Sent();
    world_.Settle();
  }
};

TEST_F(ChangedWitnesses, SinceTheBackupAreFollowedAndTheNextCharterHolds) {
  ChangeThemAfterTheBackup();
  const uint64_t version = VersionAt(ong());
  Rebuild({"uls", "cpcj"});
  EXPECT_OK(backup_->WitnessedCharter(version));
  world_.Settle();
  Publish({"gnr", "mp", "uls", "cpcj", "ong"}, 3);
  for (const char* name : kAll)
    EXPECT_EQ(VersionAt(world_.agent(name)), version + 1) << name;
  EXPECT_EQ(ong().peers().Now()->witnessed_size, ong().log().size());
  ExpectNoAlarms();
  LieIsOver();
}

// Mirrors of agents that kept no such note: the quorum of its own will do.
TEST_F(ChangedWitnesses, AreFollowedByTheirOwnQuorum) {
  ChangeThemAfterTheBackup();
  const uint64_t version = VersionAt(ong());
  Rebuild({"uls", "cpcj"}, true, /*with_charter_notes=*/false);
  EXPECT_THAT(backup_->WitnessedCharter(version),
              StatusIs(absl::StatusCode::kNotFound));
  world_.Settle();
  Publish({"gnr", "mp", "uls", "cpcj", "ong"}, 3);
  for (const char* name : kAll)
    EXPECT_EQ(VersionAt(world_.agent(name)), version + 1) << name;
  LieIsOver();
}

// Who was away for the change comes to it by what the mirrors kept.
TEST_F(ChangedWitnesses, AreFollowedByWhoWasAway) {
  Publish({"gnr", "mp", "uls"}, 3);
  const auto before = mp().Backup();
  ChangeThemAfterTheBackup();
  const uint64_t version = VersionAt(ong());
  Rebuild({"uls", "cpcj"});
  // It has neither a key in force nor the charter, and was told of the rebuild.
  mp().Restore(before);
  EXPECT_LT(VersionAt(mp()), version);
  world_.Settle();
  EXPECT_EQ(VersionAt(mp()), version);
  EXPECT_OK(mp().keys().Signer());
  LieIsOver();
}

// --- What was withdrawn stays withdrawn.

// The recall reaches a broker that has the envelope no more, before or after the
// agent hears that it was rebuilt.
TEST_F(RebuiltBroker, AttackAReferralThatWasWithdrawnMeanwhileNeverArrives) {
  for (const bool asked_first : {true, false}) {
    world_.clock().Advance(absl::Hours(1));  // one rebuild in an hour is heard
    Backup();
    uls().port().down = true;
    const std::string referral = Refer();
    world_.Settle();
    ASSERT_EQ(DeliveryTo("uls", referral), Delivery::kSubmitted);
    Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
    EXPECT_OK(ong().referrals().Withdraw(ong().officer(), referral));
    if (asked_first) {
      EXPECT_OK(ong().courier().Run());
    }
    uls().port().down = false;
    world_.Settle();
    LetResendsHappen();
    EXPECT_FALSE(Knows(uls(), referral));
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
    EXPECT_EQ(ong().outbox().size(), 0u);
  }
  ExpectNoAlarms();
  LieIsOver();
}

// Its recipient has it already, and signs for the leaf that it has now.
TEST_F(RebuiltBroker, IsToldOnceMoreOfMailWhoseReceiptItLost) {
  Backup();
  ong().port().lose_answers = true;
  const std::string referral = Sent();
  world_.Settle();
  EXPECT_TRUE(Knows(uls(), referral));
  Rebuild({"mp"}, /*with_openings=*/false);
  ong().port().lose_answers = false;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  EXPECT_EQ(uls().intake().quarantined(), 0u);
  LieIsOver();
}

// --- As it is, it is refused.

TEST_F(RebuiltBroker, AttackPutBackAsItIsItIsRefusedAndGetsNothing) {
  Sent();
  world_.Settle();
  Backup();
  const Since since = GoOn();
  uls().port().down = false;
  const TreeSize before = ong().log().size();
  world_.RestartBroker(*backup_);
  world_.Settle();
  EXPECT_TRUE(HasAlarm(ong(), "log_rollback"));
  EXPECT_TRUE(HasAlarm(gnr(), "log_rollback"));
  EXPECT_EQ(ong().log().size(), before);
  // Two signed checkpoints tell the operator and everybody else.
  const std::string proof =
      ToText(VALUE_OF(ong().alarms().EvidenceOf("log_rollback", std::nullopt)));
  const size_t second = proof.find(world_.broker().network() + "\n", 1);
  ASSERT_NE(second, std::string::npos);
  EXPECT_EQ(VALUE_OF(VerifyCheckpoint(proof.substr(0, second - 1),
                                      world_.broker().log()))
                .size,
            before);
  EXPECT_LT(
      VALUE_OF(VerifyCheckpoint(proof.substr(second), world_.broker().log()))
          .size,
      before);
  // Mail would be lost with that log: it stays here, also after a restart.
  const TreeSize forked = backup_->Head().range.size();
  const std::string kept = Sent();
  EXPECT_OK(ong().courier().Run());
  ong().Restart();
  EXPECT_OK(ong().courier().Run());
  EXPECT_OK(ong().intake().SendReceipts());
  world_.Settle();
  EXPECT_EQ(backup_->Head().range.size(), forked);
  EXPECT_EQ(DeliveryTo("uls", kept), Delivery::kQueued);

  Rebuild({"gnr", "mp", "uls", "cpcj", "ong"});
  world_.Settle();
  for (const char* name : kAll)
    EXPECT_OK(
        world_.agent(name).alarms().Acknowledge("log_rollback", std::nullopt));
  world_.Settle();
  ExpectNoAlarms();  // it rings no more
  EXPECT_EQ(DeliveryTo("uls", kept), Delivery::kDelivered);
  EXPECT_EQ(DeliveryTo("uls", since.waiting), Delivery::kDelivered);
  LieIsOver();
}

// Agents meet it one after the other, and some of what they do is under way
// before they have looked at its log.
TEST_F(RebuiltBroker, AttackAnOldStateGetsNothingFromWhoHasNotFollowedItYet) {
  uls().port().down = true;
  const std::string taken_back = Refer();
  Sent();
  world_.Settle();
  Backup();
  uls().port().down = false;
  world_.Settle();
  uls().port().down = true;
  const std::string unheard_of = Refer();
  world_.Settle();
  EXPECT_OK(ong().referrals().Withdraw(ong().officer(), unheard_of));
  const std::string waiting = Sent();
  world_.RestartBroker(*backup_);
  const TreeSize before = backup_->Head().range.size();
  for (const char* name : kAll) world_.agent(name).log().Disconnected();
  EXPECT_OK(ong().courier().Run());
  EXPECT_OK(uls().intake().SendReceipts());
  ong().Restart();  // nor after it was started
  EXPECT_OK(ong().courier().Run());
  EXPECT_EQ(backup_->Head().range.size(), before);
  EXPECT_EQ(VALUE_OF(ong().outbox().Recalls()).size(), 1u);
  EXPECT_EQ(DeliveryTo("uls", waiting), Delivery::kQueued);
  // Nor in the middle of a run: what it took so far is all.
  world_.Settle();
  EXPECT_EQ(backup_->Head().range.size(), before);

  Rebuild({"gnr", "mp", "cpcj", "ong", "uls"});
  uls().port().down = false;
  world_.Settle();
  for (const char* name : kAll)
    world_.agent(name)
        .alarms()
        .Acknowledge("log_rollback", std::nullopt)
        .IgnoreError();
  world_.Settle();
  LetResendsHappen();
  EXPECT_FALSE(Knows(uls(), unheard_of));
  EXPECT_EQ(DeliveryTo("uls", unheard_of), Delivery::kRecalled);
  EXPECT_TRUE(Knows(uls(), taken_back));
  LieIsOver();
}

// --- A broker that only says that it was rebuilt.

TEST_F(RebuiltBroker, AttackAStoryOfARebuildGetsNothingButTheSameMailAgain) {
  const std::string delivered = Sent();
  world_.Settle();
  uls().port().tamper = [](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event)) return std::nullopt;
    return item;
  };
  Sent();
  world_.Settle();
  const auto says = [&](uint64_t from, uint64_t to) {
    const uint64_t leaves = world_.broker().leaf_count();
    EXPECT_OK(ong().intake().SendLostAgain(LeafIndex(from), TreeSize(to)));
    world_.Settle();
    return world_.broker().leaf_count() - leaves;
  };
  const uint64_t size = ong().log().size().value();
  // Of a size that the log has not: nothing.
  EXPECT_EQ(says(0, size + 1000), 0u);
  // What was not delivered goes again, once, and a word on the link it had.
  EXPECT_EQ(says(0, size), 2u);
  EXPECT_EQ(says(0, size), 0u);
  EXPECT_EQ(says(0, size - 1), 0u);
  uls().port().tamper = nullptr;
  LetResendsHappen();
  LieIsOver();
  EXPECT_EQ(DeliveryTo("uls", delivered), Delivery::kDelivered);
}

TEST_F(RebuiltBroker, AttackStoriesWithoutEndAreHeardOnceAnHourAndDoNotGrow) {
  // Mail without a case, of which nobody keeps what became of it.
  uls().port().tamper = [](MailboxItem item) -> std::optional<MailboxItem> {
    if (std::holds_alternative<Envelope>(item.event)) return std::nullopt;
    return item;
  };
  Sent();
  world_.Settle();
  uls().port().tamper = nullptr;
  Sent();
  world_.Settle();
  LetResendsHappen();
  for (TestAgent* agent : {&ong(), &uls()}) agent->beats = false;
  const auto says = [&] {
    const uint64_t leaves = world_.broker().leaf_count();
    for (TestAgent* agent : {&ong(), &uls()})
      EXPECT_OK(
          agent->intake().SendLostAgain(LeafIndex(0), agent->log().size()));
    world_.Settle();
    return world_.broker().leaf_count() - leaves;
  };
  const uint64_t first = says();
  EXPECT_GT(first, 0u);
  EXPECT_EQ(says(), 0u);
  for (int round = 0; round < 6; ++round) {
    world_.clock().Advance(absl::Minutes(61));
    world_.Settle();
    EXPECT_LE(says(), first) << round;
    EXPECT_EQ(says(), 0u);
  }
  LieIsOver();
}

TEST_F(RebuiltBroker, AttackMailThatWasTakenBackSinceTheBackupIsNotServed) {
  uls().port().down = true;
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  Backup();
  // The recall is logged; the backup, whatever it holds, knows nothing of it.
  VALUE_OF(ong().consents().Revoke(ong().officer(), consent, {}));
  world_.Settle();
  Rebuild({"mp"}, /*with_openings=*/false);
  uls().port().down = false;
  world_.Settle();
  LetResendsHappen();
  EXPECT_FALSE(Knows(uls(), referral));
}

}  // namespace
}  // namespace amparo::agent

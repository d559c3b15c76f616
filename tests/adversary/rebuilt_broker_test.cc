#include <memory>
#include <string>
#include <vector>

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

  const std::string& name() const override { return name_; }
  absl::StatusOr<std::vector<std::string>> Notes() override {
    std::vector<std::string> notes = {
        ToText(VALUE_OF(kv_.Get(kLogCheckpointKey)))};
    if (const auto witnessed = kv_.Get(kLogWitnessedKey); witnessed.ok())
      notes.push_back(ToText(*witnessed));
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
                                     bool with_openings = true) {
    std::vector<std::unique_ptr<AgentMirror>> mirrors;
    std::vector<broker::MirrorSource*> sources;
    for (const std::string& name : from) {
      mirrors.push_back(
          std::make_unique<AgentMirror>(world_.agent(name), name));
      mirrors.back()->with_openings = with_openings;
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

// --- What was withdrawn stays withdrawn.

// The recall reaches a broker that has the envelope no more, before or after the
// agent hears that it was rebuilt.
TEST_F(RebuiltBroker, AttackAReferralThatWasWithdrawnMeanwhileNeverArrives) {
  for (const bool asked_first : {true, false}) {
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

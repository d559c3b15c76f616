#include "tests/support/agent_world.h"

#include <utility>

#include "base/status.h"
#include "proto/envelope/codec.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/witnesses.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {
namespace {

// As the broker's rpc layer and the agent's client convert it, in one step.
MailboxItem ToItem(const broker::Delivery& delivery) {
  const broker::MailboxItem& item = delivery.item;
  if (const auto* envelope = std::get_if<EnvelopeEvent>(&item.event))
    return {delivery.receipt,
            VALUE_OF(MakeEnvelope(envelope->header, item.enc, ToBytes(item.ciphertext),
                                  envelope->signature))};
  if (const auto* receipt = std::get_if<ReceiptEvent>(&item.event))
    return {delivery.receipt, ReceiptNotice{receipt->token}};
  if (const auto* recall = std::get_if<RecallEvent>(&item.event))
    return {delivery.receipt,
            RecalledNotice{item.recalled->header, item.recalled->body,
                           item.recalled->signature, recall->token}};
  return {delivery.receipt, ExpiredNotice{std::get<ExpiryEvent>(item.event).digest}};
}

absl::Status Away() { return absl::UnavailableError("the broker is away"); }

}  // namespace

absl::StatusOr<LeafReceipt> PortToFixture::Submit(const Envelope& envelope) {
  if (down) return Away();
  if (envelope.header.recipient.text() == full)
    return absl::ResourceExhaustedError("the mailbox is full");
  if (divert) {
    divert(envelope);
    return Away();
  }
  if (swallow) return swallow(envelope);
  if (refuse_submit) RETURN_IF_ERROR(refuse_submit());
  auto receipt = broker_.Accept(member_, envelope);
  if (lose_answers) return Away();
  if (lose_first_answers && answered_.insert(envelope.header.envelope_id).second) {
    ++answers_lost;
    return Away();
  }
  if (receipt.ok() && tamper_promise) return tamper_promise(envelope, *std::move(receipt));
  return receipt;
}
absl::StatusOr<LeafReceipt> PortToFixture::Acknowledge(absl::string_view token) {
  if (down) return Away();
  if (answer_receipt) return answer_receipt();
  return broker_.Acknowledge(member_, std::string(token));
}
absl::StatusOr<LeafReceipt> PortToFixture::Recall(absl::string_view token) {
  if (down) return Away();
  if (answer_recall) return answer_recall();
  return broker_.Recall(member_, std::string(token));
}
absl::StatusOr<LeafReceipt> PortToFixture::LogAnchor(const SignedAnchor& anchor) {
  if (before_anchor) before_anchor();
  if (down) return Away();
  return broker_.LogAnchor(member_, anchor);
}
absl::StatusOr<LeafReceipt> PortToFixture::LogAccessCheckpoint(absl::string_view) {
  return absl::UnimplementedError("no test needs it");
}
absl::StatusOr<LeafReceipt> PortToFixture::LogErasure(absl::string_view token) {
  if (down) return Away();
  return broker_.LogErasure(member_, std::string(token));
}
absl::StatusOr<LeafIndex> PortToFixture::PublishKeyEvent(absl::string_view document) {
  if (down) return Away();
  ASSIGN_OR_RETURN(const LeafReceipt receipt,
                   broker_.PublishKeyEvent(member_, std::string(document)));
  return receipt.leaf;
}
absl::StatusOr<TreeSize> PortToFixture::DrainedTo(std::optional<LeafIndex> after) {
  if (down) return Away();
  return broker_.relay().DrainedTo(broker_.Id(member_), after);
}
absl::StatusOr<std::vector<Bytes>> PortToFixture::GetEntries(LeafIndex start,
                                                             uint32_t count) {
  if (down) return Away();
  auto entries = broker_.audit_log().Entries(start, count);
  if (!tamper_entries) return entries;
  return tamper_entries(
      start, entries.ok() ? *std::move(entries) : std::vector<Bytes>());
}
absl::StatusOr<std::string> PortToFixture::GetDocument(const Digest& hash) {
  if (down) return Away();
  auto document = broker_.audit_log().Document(hash);
  if (document.ok() && tamper_document) return tamper_document(*std::move(document));
  return document;
}
absl::StatusOr<std::string> PortToFixture::GetCheckpoint() {
  return absl::UnimplementedError("the world hands checkpoints over");
}
absl::StatusOr<std::string> PortToFixture::GetCharterCheckpoint(uint64_t version) {
  if (down) return Away();
  return broker_.witnesses().ForCharter(version);
}
absl::Status PortToFixture::AddCosignature(TreeSize size, ByteView cosignature) {
  if (down) return Away();
  if (before_cosignature) before_cosignature();
  return broker_.witnesses().Add(broker_.Id(member_), size, cosignature);
}
absl::Status PortToFixture::WatchCheckpoints(
    const std::function<bool(const ShownCheckpoint&)>&) {
  return absl::UnimplementedError("the world hands checkpoints over");
}
absl::Status PortToFixture::Subscribe(std::optional<LeafIndex> after,
                                      const std::function<bool(MailboxItem)>& visit) {
  if (down) return Away();
  ASSIGN_OR_RETURN(
      const std::vector<broker::Delivery> waiting,
      broker_.relay().Fetch(broker_.Id(member_), after, 1000, 1 << 30));
  for (const broker::Delivery& delivery : waiting) {
    std::optional<MailboxItem> item = ToItem(delivery);
    if (tamper) item = tamper(*std::move(item));
    if (item && !visit(*std::move(item))) break;
  }
  return absl::OkStatus();
}

TestAgent::TestAgent(broker::BrokerFixture& broker, const std::string& id)
    : broker_(broker),
      id_(id),
      identity_(broker.member(id).identity().Copy()),
      port_(broker, id),
      clock_(broker.clock()) {
  Open();
}

void TestAgent::Restart() {
  books_.reset();
  Open();
}

std::map<std::string, Bytes> TestAgent::Backup() const {
  std::map<std::string, Bytes> rows;
  EXPECT_OK(kv_.Scan("", "", [&](absl::string_view key, ByteView value) {
    if (!StaysBehind(key)) rows[std::string(key)] = ToBytes(value);
    return true;
  }));
  return rows;
}

void TestAgent::Restore(const std::map<std::string, Bytes>& backup) {
  books_.reset();
  Batch rows;
  EXPECT_OK(kv_.Scan("", "", [&](absl::string_view key, ByteView) {
    rows.Delete(key);
    return true;
  }));
  for (const auto& [key, value] : backup) rows.Put(key, value);
  EXPECT_OK(kv_.Write(rows));
  EXPECT_OK(Restored(kv_).Begin(clock_.Now()));
  Open();
}

void TestAgent::Open() {
  books_ = std::make_unique<Books>();
  Books& b = *books_;
  const Clock& clock = clock_;
  const MemberId self = broker_.Id(id_);
  b.alarms = VALUE_OF(Alarms::Open(kv_));
  b.officers = VALUE_OF(OfficerBook::Open(kv_, broker_.clock()));
  b.access_log = VALUE_OF(AccessLog::Open(kv_, clock, broker_.network(), self));
  // Charter 1 is leaf 0 and stays the pin, whatever came after.
  const std::string first = VALUE_OF(broker_.store().Publications(0, 1))[0].document;
  b.peers = VALUE_OF(PeerBook::Open(kv_, VALUE_OF(AcceptFirstCharter(
                                             first, Sha256(first), std::nullopt))));
  b.time = VALUE_OF(NetworkTime::Open(kv_, *b.peers, *b.alarms, clock));
  b.log = VALUE_OF(LogWatch::Open(kv_, *b.peers, port_, *b.alarms, clock));
  b.restored = std::make_unique<Restored>(kv_);
  b.cosigner = std::make_unique<Cosigner>(self, witness_.Copy(), *b.peers, *b.log,
                                          *b.restored, clock);
  b.keys = VALUE_OF(
      KeyRing::Open(kv_, self, identity_.Copy(), *b.peers, clock, absl::Hours(24)));
  b.own_name = std::make_unique<OwnNameWatch>(kv_, *b.keys, *b.peers, *b.log,
                                              *b.alarms, clock);
  b.promises = std::make_unique<Promises>(kv_, *b.log, *b.peers, *b.alarms, clock,
                                          absl::Seconds(60));
  b.anchors = std::make_unique<Anchors>(kv_, *b.keys, *b.peers, *b.promises, clock);
  b.packer = std::make_unique<Packer>(*b.peers, *b.keys);
  b.cases = VALUE_OF(CaseBook::Open(kv_, self));
  b.outbox = VALUE_OF(Outbox::Open(kv_, 1000));
  b.held = VALUE_OF(HeldMail::Open(kv_));
  b.heartbeats = std::make_unique<Heartbeats>(
      Heartbeats::Books{kv_, *b.outbox, *b.peers, *b.keys, clock});
  b.courier = std::make_unique<Courier>(
      Courier::Books{*b.cases, *b.outbox, *b.peers, *b.keys, *b.log, *b.packer,
                     *b.promises, *b.anchors, kv_, port_, clock,
                     *b.time, *b.restored, *b.heartbeats});
  b.intake = VALUE_OF(Intake::Open({*b.cases, *b.outbox, *b.held, *b.peers, *b.keys,
                                    *b.log, *b.packer, *b.promises, *b.alarms, *b.access_log, kv_, port_,
                                    clock, *b.time, *b.restored,
                                    *b.heartbeats, [] {}}));
  b.desk = std::make_unique<Desk>(
      Desk{*b.cases, *b.outbox, *b.held, *b.peers, *b.log, *b.keys, *b.officers,
           *b.access_log, kv_, *b.restored, *b.time, [] {},
           [&b] { EXPECT_OK(b.intake->ReleaseHeld()); }});
  b.referrals = std::make_unique<ReferralDesk>(*b.desk);
  b.consents = std::make_unique<ConsentDesk>(*b.desk);
  if (b.officers->List().empty()) {
    VALUE_OF(b.officers->Add(VALUE_OF(Handle::Parse("ana")), {Role::kOfficer}, {1000},
                             std::nullopt));
    VALUE_OF(b.officers->Add(VALUE_OF(Handle::Parse("sofia")), {Role::kSupervisor},
                             {1001}, std::nullopt));
  }
  b.officer = VALUE_OF(b.officers->Identify({1000, std::nullopt, "ana"}));
  b.supervisor = VALUE_OF(b.officers->Identify({1001, std::nullopt, "sofia"}));
}

void TestAgent::Turn(const ShownCheckpoint& shown) {
  Books& b = *books_;
  if (port_.down) return;
  // What fails is for the test to see in alarms and quarantine.
  (void)b.time->Compare(shown.note, clock_.Now());
  if (!b.log->Follow(shown.note).ok()) return;
  b.time->Followed(shown.note);
  if (!shown.witnessed.empty() && !b.log->FollowWitnessed(shown.witnessed).ok())
    return;
  if (!shown.witnessed.empty()) (void)b.cosigner->FollowWitnessed(shown.witnessed);
  if (const auto own = b.cosigner->CosignedAt(shown.witnessed))
    if (const auto median = QuorumTime(VALUE_OF(ParseNote(shown.witnessed)),
                                       b.peers->Now()->charter.charter))
      (void)b.time->CompareWithWitnesses(*own, *median);
  if (witnesses) (void)b.cosigner->Cosign(shown.note, port_);
  if (!b.intake->SendLostAgain(shown.rebuilt_from, shown.rebuilt_to).ok()) return;
  (void)b.time->Tick();
  (void)b.own_name->Look();
  (void)b.promises->Settle();
  if (b.time->MayPublish().ok()) {
    (void)b.keys->Maintain(port_);
    (void)b.keys->DestroyOldPrekeys(port_, b.intake->cursor(),
                                      b.intake->PrekeysNeeded());
  }
  (void)port_.Subscribe(b.intake->cursor(), [&](const MailboxItem& item) {
    return b.intake->Take(item).ok();
  });
  (void)b.referrals->SendReceiptsDue();
  (void)b.intake->TakeWaiting();
  (void)b.intake->SendReceipts();
  (void)b.intake->AskForMissing();
  (void)b.intake->ReleaseHeld();
  (void)b.intake->EraseUncovered();
  (void)b.intake->ForgetSeen();
  if (beats && b.time->MaySeal().ok()) (void)b.heartbeats->Beat();
  (void)b.courier->Run();
}

AgentWorld::AgentWorld()
    : broker_({"gnr:police", "mp:prosecutor", "uls:health", "cpcj:child_protection",
               "ong:victim_support"}),
      checkpointer_(NewCheckpointer()) {
  for (const char* id : {"gnr", "mp", "uls", "cpcj", "ong"})
    agents_[id] = std::make_unique<TestAgent>(broker_, id);
  Settle();
}

std::unique_ptr<broker::Checkpointer> AgentWorld::NewCheckpointer() {
  return std::make_unique<broker::Checkpointer>(
      broker_.store(), broker_.network(), broker_.log_key(),
      broker_.witnesses(), broker_.feed(), broker_.clock());
}

broker::Store& AgentWorld::Keep(std::unique_ptr<broker::Store> store) {
  kept_.push_back(std::move(store));
  return *kept_.back();
}

void AgentWorld::RestartBroker(broker::Store& store) {
  checkpointer_.reset();
  broker_.Restart(&store);
  checkpointer_ = NewCheckpointer();
}

TestAgent& AgentWorld::agent(const std::string& id) { return *agents_.at(id); }

std::string AgentWorld::Checkpoint() {
  EXPECT_OK(checkpointer_->PublishNext());
  return VALUE_OF(checkpointer_->NewestNow()).note;
}

ShownCheckpoint AgentWorld::Shown() {
  const std::string note = Checkpoint();
  ShownCheckpoint shown{note, broker_.witnesses().newest().note, {}, {}};
  if (const auto rebuilt = broker_.store().Rebuilt(); rebuilt.ok()) {
    shown.rebuilt_to = rebuilt->to;
    shown.rebuilt_from = rebuilt->from;
  }
  return shown;
}

void AgentWorld::RequireQuorum(uint32_t quorum, absl::Duration trust_delay) {
  Charter next = broker_.committee().Successor(broker_.charter());
  for (Member& member : next.members)
    member.witness_key = agent(member.id.text()).witness().verify_key();
  next.witness_quorum = quorum;
  next.trust_delay = trust_delay;
  VALUE_OF(broker_.PublishCharter(broker_.committee().Sign(next)));
  Settle();
}

void AgentWorld::Settle() {
  uint64_t before = 0, witnessed = 0;
  do {
    before = broker_.leaf_count();
    witnessed = broker_.witnesses().newest().showing;
    const ShownCheckpoint shown = Shown();
    for (auto& [id, agent] : agents_) agent->Turn(shown);
  } while (broker_.leaf_count() != before ||
           broker_.witnesses().newest().showing != witnessed);
}

}  // namespace amparo::agent

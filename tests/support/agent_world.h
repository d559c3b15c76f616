#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/institution/core/access_log.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/anchors.h"
#include "agents/institution/core/broker_port.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/consent_desk.h"
#include "agents/institution/core/cosigner.h"
#include "agents/institution/core/courier.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/heartbeats.h"
#include "agents/institution/core/held_mail.h"
#include "agents/institution/core/intake.h"
#include "agents/institution/core/key_ring.h"
#include "agents/institution/core/log_watch.h"
#include "agents/institution/core/network_time.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/outbox.h"
#include "agents/institution/core/own_name_watch.h"
#include "agents/institution/core/packer.h"
#include "agents/institution/core/peer_book.h"
#include "agents/institution/core/promises.h"
#include "agents/institution/core/referral_desk.h"
#include "agents/institution/core/restored.h"
#include "base/kv/memory_kv.h"
#include "broker/core/checkpointer.h"
#include "tests/support/broker_fixture.h"

namespace amparo::agent {

// The broker as one member's agent reaches it, without a network in between,
// and with the lies that a test tells it to tell. One thread at a time.
class PortToFixture final : public BrokerPort {
 public:
  PortToFixture(broker::BrokerFixture& broker, std::string member)
      : broker_(broker), member_(std::move(member)) {}

  bool down = false;  // UNAVAILABLE to everything
  // Changes what is handed over, or (nullopt) keeps it back.
  std::function<std::optional<MailboxItem>(MailboxItem)> tamper;
  // Changes a page of the log that starts at this leaf.
  std::function<std::vector<Bytes>(LeafIndex, std::vector<Bytes>)> tamper_entries;
  // Changes the broker's word for an envelope it took.
  std::function<LeafReceipt(const Envelope&, LeafReceipt)> tamper_promise;
  // Takes envelopes instead of the broker, and answers UNAVAILABLE.
  std::function<void(const Envelope&)> divert;
  // Takes an envelope instead of the broker, with a word for it.
  std::function<LeafReceipt(const Envelope&)> swallow;
  // Changes a charter on its way.
  std::function<std::string(std::string)> tamper_document;
  // Asked first; what is not OK is the broker's answer.
  std::function<absl::Status()> refuse_submit;
  // Answers recalls instead of the broker.
  std::function<absl::StatusOr<LeafReceipt>()> answer_recall;
  // Answers receipts instead of the broker.
  std::function<absl::StatusOr<LeafReceipt>()> answer_receipt;
  std::string full;  // whose mailbox takes nothing: RESOURCE_EXHAUSTED
  bool lose_answers = false;  // submits, then says UNAVAILABLE
  bool lose_first_answers = false;  // the same, once for each envelope
  size_t answers_lost = 0;          // by that
  std::function<void()> before_cosignature;
  std::function<void()> before_anchor;  // what others do before a draft is sealed

  absl::StatusOr<LeafReceipt> Submit(const Envelope& envelope) override;
  absl::StatusOr<LeafReceipt> Acknowledge(absl::string_view token) override;
  absl::StatusOr<LeafReceipt> Recall(absl::string_view token) override;
  absl::StatusOr<LeafReceipt> LogAnchor(const SignedAnchor& anchor) override;
  absl::StatusOr<LeafReceipt> LogAccessCheckpoint(absl::string_view note) override;
  absl::StatusOr<LeafReceipt> LogErasure(absl::string_view token) override;
  absl::StatusOr<LeafIndex> PublishKeyEvent(absl::string_view document) override;
  absl::StatusOr<TreeSize> DrainedTo(std::optional<LeafIndex> after) override;
  absl::StatusOr<std::vector<Bytes>> GetEntries(LeafIndex start,
                                                uint32_t count) override;
  absl::StatusOr<std::string> GetDocument(const Digest& hash) override;
  absl::StatusOr<std::string> GetCheckpoint() override;
  absl::StatusOr<std::string> GetCharterCheckpoint(uint64_t version) override;
  absl::Status AddCosignature(TreeSize size, ByteView cosignature) override;
  // Streams are the world's business.
  absl::Status WatchCheckpoints(
      const std::function<bool(const ShownCheckpoint&)>&) override;
  absl::Status Subscribe(std::optional<LeafIndex> after,
                         const std::function<bool(MailboxItem)>& visit) override;
  void StopStreams() override {}

 private:
  broker::BrokerFixture& broker_;
  const std::string member_;
  std::set<EnvelopeId> answered_;
};

// The world's clock as a machine shows it that is off.
class OffClock final : public Clock {
 public:
  explicit OffClock(const Clock& right) : right_(right) {}
  absl::Time Now() const override { return right_.Now() + off; }
  absl::Duration off;

 private:
  const Clock& right_;
};

// One institution's agent without its daemon: books in memory, loops that turn
// when the world says so.
class TestAgent {
  // In dependency order.
  struct Books {
    std::unique_ptr<Alarms> alarms;
    std::unique_ptr<OfficerBook> officers;
    std::unique_ptr<AccessLog> access_log;
    std::unique_ptr<PeerBook> peers;
    std::unique_ptr<NetworkTime> time;
    std::unique_ptr<LogWatch> log;
    std::unique_ptr<Restored> restored;
    std::unique_ptr<Cosigner> cosigner;
    std::unique_ptr<KeyRing> keys;
    std::unique_ptr<OwnNameWatch> own_name;
    std::unique_ptr<Promises> promises;
    std::unique_ptr<Anchors> anchors;
    std::unique_ptr<Packer> packer;
    std::unique_ptr<CaseBook> cases;
    std::unique_ptr<Outbox> outbox;
    std::unique_ptr<Heartbeats> heartbeats;
    std::unique_ptr<HeldMail> held;
    std::unique_ptr<Courier> courier;
    std::unique_ptr<Intake> intake;
    std::unique_ptr<Desk> desk;
    std::unique_ptr<ReferralDesk> referrals;
    std::unique_ptr<ConsentDesk> consents;
    std::optional<Officer> officer, supervisor;
  };

 public:
  TestAgent(broker::BrokerFixture& broker, const std::string& id);
  // Sets this machine's clock wrong, or right again with zero.
  void SetClockOff(absl::Duration off) { clock_.off = off; }
  // Everything anew from what is stored, as after kill -9.
  void Restart();
  // The rows that a backup holds; and this agent as it comes back from them,
  // its disk lost.
  std::map<std::string, Bytes> Backup() const;
  void Restore(const std::map<std::string, Bytes>& backup);

  // One turn of every loop. `shown`: what the broker shows of the log.
  void Turn(const ShownCheckpoint& shown);
  bool witnesses = true;  // cosigns what it follows
  bool beats = true;      // sends heartbeats
  const SigningKey& witness() const { return witness_; }

  PortToFixture& port() { return port_; }
  CaseBook& cases() { return *books_->cases; }
  ReferralDesk& referrals() { return *books_->referrals; }
  ConsentDesk& consents() { return *books_->consents; }
  Intake& intake() { return *books_->intake; }
  Alarms& alarms() { return *books_->alarms; }
  LogWatch& log() { return *books_->log; }
  PeerBook& peers() { return *books_->peers; }
  KeyRing& keys() { return *books_->keys; }
  OwnNameWatch& own_name() { return *books_->own_name; }
  NetworkTime& time() { return *books_->time; }
  Courier& courier() { return *books_->courier; }
  Outbox& outbox() { return *books_->outbox; }
  Heartbeats& heartbeats() { return *books_->heartbeats; }
  HeldMail& held() { return *books_->held; }
  Restored& restored() { return *books_->restored; }
  const Desk& desk() const { return *books_->desk; }
  const Packer& packer() const { return *books_->packer; }
  AccessLog& access_log() { return *books_->access_log; }
  OfficerBook& officers() { return *books_->officers; }
  MemoryKv& kv() { return kv_; }
  // The officer "ana" with role officer; the supervisor "sofia".
  const Officer& officer() const { return *books_->officer; }
  const Officer& supervisor() const { return *books_->supervisor; }

 private:
  void Open();

  broker::BrokerFixture& broker_;
  const std::string id_;
  const SigningKey identity_;
  const SigningKey witness_ = SigningKey::Generate();
  PortToFixture port_;
  OffClock clock_;
  MemoryKv kv_;
  std::unique_ptr<Books> books_;
};

// A broker's core and the agents of its members, in one thread: gnr (police),
// mp (prosecutor), uls (health), cpcj (child_protection), ong (victim_support).
class AgentWorld {
 public:
  AgentWorld();

  TestAgent& agent(const std::string& id);
  broker::BrokerFixture& broker() { return broker_; }
  FakeClock& clock() { return broker_.clock(); }

  // A store that lives as long as the world; and the broker anew on one.
  broker::Store& Keep(std::unique_ptr<broker::Store> store);
  void RestartBroker(broker::Store& store);

  // Publishes a checkpoint and turns every agent, until nothing moves any more.
  void Settle();
  // The broker's newest checkpoint, published now, with its time; and what it
  // shows beside it.
  std::string Checkpoint();
  ShownCheckpoint Shown();
  // Publishes a charter that names every agent as a witness and asks for so
  // many cosignatures.
  void RequireQuorum(uint32_t quorum,
                     absl::Duration trust_delay = absl::ZeroDuration());

 private:
  std::unique_ptr<broker::Checkpointer> NewCheckpointer();

  std::vector<std::unique_ptr<broker::Store>> kept_;
  broker::BrokerFixture broker_;
  std::unique_ptr<broker::Checkpointer> checkpointer_;
  std::map<std::string, std::unique_ptr<TestAgent>> agents_;
};

}  // namespace amparo::agent

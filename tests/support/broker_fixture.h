#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "broker/core/admission.h"
#include "broker/core/audit_log.h"
#include "broker/core/charter_desk.h"
#include "broker/core/checkpointer.h"
#include "broker/core/directory.h"
#include "broker/core/enrolment.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/ledger.h"
#include "broker/core/notary.h"
#include "broker/core/receipt_book.h"
#include "broker/core/relay.h"
#include "broker/core/retention.h"
#include "broker/core/witness_book.h"
#include "broker/store/store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/test_charter.h"
#include "tests/support/test_member.h"

namespace amparo::broker {

// A broker's core with a network in it: members that are active and have keys,
// a charter that names them, no port and no disk unless the store has one. One
// thread at a time, but for what the core does itself.
class BrokerFixture {
 public:
  // Members "ID:KIND"; without a kind victim_support, "auditor..." auditors.
  // Without `store`: in memory.
  explicit BrokerFixture(const std::vector<std::string>& members,
                         Store* store = nullptr,
                         const AdmissionLimits& limits = {});
  ~BrokerFixture();

  // --- The broker.
  Store& store() { return *store_; }
  Relay& relay() { return core_->relay; }
  Notary& notary() { return core_->notary; }
  CharterDesk& charter_desk() { return core_->charter_desk; }
  Enrolment& enrolment() { return core_->enrolment; }
  AuditLog& audit_log() { return core_->audit_log; }
  Ledger& ledger() { return core_->ledger; }
  InboxFeed& feed() { return core_->feed; }
  const Directory& directory() { return *core_->directory; }
  Retention& retention() { return core_->retention; }
  WitnessBook& witnesses() { return core_->witnesses; }
  FakeClock& clock() { return clock_; }
  const SigningKey& log_key() const { return log_key_; }
  const NoteVerifier& log() const { return log_; }
  const std::string& network() const { return network_; }
  // Everything but the store, anew; on `store` from then on, if given.
  void Restart(Store* store = nullptr);
  // Ends the core, so that the store may be closed.
  void Shutdown() { core_.reset(); }
  // Leaves since the network was set up.
  uint64_t leaf_count() const;

  // --- The network.
  TestMember& member(absl::string_view name);
  const MemberId& Id(absl::string_view name) { return member(name).id(); }
  const TestCommittee& committee() const { return committee_; }
  AcceptedCharter charter() const;
  // Publishes the next charter with `name` in another state, or without it.
  void SetStatus(absl::string_view name, MemberStatus status);
  // Two governance keys suspend `name` for seven days.
  std::string SuspensionOf(absl::string_view name, size_t signers = 2);
  absl::StatusOr<LeafIndex> Suspend(const std::string& document);
  absl::StatusOr<CharterDesk::Published> PublishCharter(
      const std::string& document, const Bytes& founding_token = {});

  // --- What members do; waits for the answer.
  Envelope EnvelopeFrom(absl::string_view sender, absl::string_view recipient);
  absl::StatusOr<LeafReceipt> Accept(absl::string_view peer,
                                     const Envelope& envelope);
  // EnvelopeFrom and Accept, which must succeed.
  struct Sent {
    Envelope envelope;
    LeafReceipt receipt;
  };
  Sent Send(absl::string_view sender, absl::string_view recipient);
  std::string ReceiptFor(absl::string_view peer, const Sent& sent,
                         ReceiptKind kind = ReceiptKind::kDelivered);
  absl::StatusOr<LeafReceipt> Acknowledge(absl::string_view peer,
                                          const std::string& token);
  std::string RecallOf(absl::string_view peer, const Envelope& envelope);
  absl::StatusOr<LeafReceipt> Recall(absl::string_view peer,
                                     const std::string& token);
  absl::StatusOr<LeafReceipt> LogErasure(absl::string_view peer,
                                         const std::string& token);
  absl::StatusOr<LeafReceipt> LogAnchor(absl::string_view peer,
                                        const SignedAnchor& anchor);
  absl::StatusOr<LeafReceipt> PublishKeyEvent(absl::string_view peer,
                                              const std::string& document);
  std::vector<Delivery> Fetch(absl::string_view peer,
                              std::optional<LeafIndex> after = std::nullopt);

 private:
  struct Core {
    Core(Store& store, const NoteVerifier& log, const SigningKey& log_key,
         const AdmissionLimits& limits, const Clock& clock);
    std::unique_ptr<Directory> directory;
    InboxFeed feed;
    ReceiptBook receipts;
    Ledger ledger;
    WitnessBook witnesses;
    Admission admission;
    Relay relay;
    Notary notary;
    CharterDesk charter_desk;
    Enrolment enrolment;
    AuditLog audit_log;
    Retention retention;
  };

  void Found();

  FakeClock clock_;
  const std::string network_ = "test-network";
  const SigningKey log_key_ = SigningKey::Generate();
  const NoteVerifier log_;
  const AdmissionLimits limits_;
  const TestCommittee committee_;
  std::deque<TestMember> members_;
  std::unique_ptr<Store> own_store_;
  Store* store_;
  std::unique_ptr<Core> core_;
  uint64_t founded_leaves_ = 0;
};

}  // namespace amparo::broker

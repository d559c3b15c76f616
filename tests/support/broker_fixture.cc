#include "tests/support/broker_fixture.h"

#include <future>
#include <stdexcept>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "broker/store/memory_store.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {

BrokerFixture::Core::Core(Store& store, const NoteVerifier& log,
                          const SigningKey& log_key,
                          const AdmissionLimits& limits, const Clock& clock)
    : directory(VALUE_OF(Directory::Load(store))),
      feed(8),
      receipts(log_key),
      ledger(store, *directory, feed, receipts, clock),
      witnesses(store, *directory, feed, clock),
      admission(limits, witnesses, clock),
      relay(store, *directory, admission, ledger, receipts, clock),
      notary(store, admission, ledger, clock),
      charter_desk(store, *directory, ledger, log, clock),
      enrolment(store, *directory, clock),
      audit_log(store, *directory, clock),
      retention(store, ledger, RetentionPeriods(), clock) {}

BrokerFixture::BrokerFixture(const std::vector<std::string>& members,
                             Store* store, const AdmissionLimits& limits)
    : log_(VALUE_OF(NoteVerifier::Create(network_, NoteKeyType::kEd25519,
                                         log_key_.verify_key()))),
      limits_(limits),
      own_store_(store == nullptr ? NewMemoryStore() : nullptr),
      store_(store == nullptr ? own_store_.get() : store) {
  for (const std::string& name : members) {
    const std::vector<std::string> parts = absl::StrSplit(name, ':');
    MemberKind kind = absl::StartsWith(name, "auditor") ? MemberKind::kAuditor
                                                        : MemberKind::kVictimSupport;
    if (parts.size() == 2) kind = VALUE_OF(ParseMemberKind(parts[1]));
    members_.emplace_back(parts[0], kind);
  }
  Restart();
  Found();
}

BrokerFixture::~BrokerFixture() = default;

void BrokerFixture::Restart(Store* store) {
  core_.reset();
  if (store != nullptr) store_ = store;
  core_ = std::make_unique<Core>(*store_, log_, log_key_, limits_, clock_);
}

void BrokerFixture::Found() {
  std::vector<Member> active;
  for (const TestMember& one : members_)
    active.push_back(one.AsActive(clock_.Now()));
  const Charter first =
      committee_.Draft(network_, log_, std::move(active), clock_.Now());
  const Bytes token = VALUE_OF(enrolment().MakeFoundingToken());
  VALUE_OF(PublishCharter(committee_.Sign(first), token));
  for (TestMember& one : members_) {
    if (!HasMailbox(one.kind())) continue;
    VALUE_OF(PublishKeyEvent(one.id().text(),
                             one.NewSigningKey(charter(), clock_.Now())));
    VALUE_OF(PublishKeyEvent(one.id().text(),
                             one.NewPrekey(charter(), clock_.Now())));
  }
  founded_leaves_ = store_->Head().range.size().value();
}

uint64_t BrokerFixture::leaf_count() const {
  return store_->Head().range.size().value() - founded_leaves_;
}

TestMember& BrokerFixture::member(absl::string_view name) {
  for (TestMember& one : members_)
    if (one.id().text() == name) return one;
  throw std::runtime_error(absl::StrCat("no member ", name));
}

AcceptedCharter BrokerFixture::charter() const {
  return *core_->directory->Current()->charter;
}

void BrokerFixture::SetStatus(absl::string_view name, MemberStatus status) {
  Charter next = committee_.Successor(charter());
  for (Member& one : next.members)
    if (one.id.text() == name) one.status = status;
  VALUE_OF(PublishCharter(committee_.Sign(next)));
}

std::string BrokerFixture::SuspensionOf(absl::string_view name,
                                        size_t signers) {
  const AcceptedCharter current = charter();
  const absl::Time now = TimeFromUnix(UnixSeconds(clock_.Now()));
  return committee_.Sign(Suspension{current.network_id, current.hash, Id(name),
                                    now, now + kSuspensionLifeMax},
                         signers);
}

absl::StatusOr<LeafIndex> BrokerFixture::Suspend(const std::string& document) {
  std::promise<absl::StatusOr<LeafIndex>> answer;
  charter_desk().Suspend(document, [&](absl::StatusOr<LeafIndex> leaf) {
    answer.set_value(std::move(leaf));
  });
  return answer.get_future().get();
}

absl::StatusOr<CharterDesk::Published> BrokerFixture::PublishCharter(
    const std::string& document, const Bytes& founding_token) {
  auto answer =
      std::make_shared<std::promise<absl::StatusOr<CharterDesk::Published>>>();
  auto future = answer->get_future();
  charter_desk().Publish(
      document, founding_token,
      [answer](absl::StatusOr<CharterDesk::Published> published) {
        answer->set_value(std::move(published));
      });
  return future.get();
}

Envelope BrokerFixture::EnvelopeFrom(absl::string_view sender,
                                     absl::string_view recipient) {
  return member(sender).EnvelopeTo(member(recipient), charter(), clock_.Now());
}

absl::StatusOr<LeafReceipt> BrokerFixture::Accept(absl::string_view peer,
                                                  const Envelope& envelope) {
  return WaitFor([&](Done done) {
    relay().Accept(Id(peer), std::make_shared<const Envelope>(envelope),
                   std::move(done));
  });
}

BrokerFixture::Sent BrokerFixture::Send(absl::string_view sender,
                                        absl::string_view recipient) {
  Envelope envelope = EnvelopeFrom(sender, recipient);
  LeafReceipt receipt = VALUE_OF(Accept(sender, envelope));
  return {std::move(envelope), std::move(receipt)};
}

std::string BrokerFixture::ReceiptFor(absl::string_view peer, const Sent& sent,
                                      ReceiptKind kind) {
  return member(peer).ReceiptFor(sent.envelope, sent.receipt.leaf, kind,
                                 charter(), clock_.Now());
}

absl::StatusOr<LeafReceipt> BrokerFixture::Acknowledge(
    absl::string_view peer, const std::string& token) {
  return WaitFor([&](Done done) {
    relay().Acknowledge(Id(peer), token, std::move(done));
  });
}

std::string BrokerFixture::RecallOf(absl::string_view peer,
                                    const Envelope& envelope) {
  return member(peer).RecallOf(envelope, charter(), clock_.Now());
}

absl::StatusOr<LeafReceipt> BrokerFixture::Recall(absl::string_view peer,
                                                  const std::string& token) {
  return WaitFor(
      [&](Done done) { relay().Recall(Id(peer), token, std::move(done)); });
}

absl::StatusOr<LeafReceipt> BrokerFixture::LogErasure(
    absl::string_view peer, const std::string& token) {
  return WaitFor([&](Done done) {
    notary().LogErasure(Id(peer), token, std::move(done));
  });
}

absl::StatusOr<LeafReceipt> BrokerFixture::LogAnchor(
    absl::string_view peer, const SignedAnchor& anchor) {
  return WaitFor([&](Done done) {
    notary().LogAnchor(Id(peer), anchor, std::move(done));
  });
}

absl::StatusOr<LeafReceipt> BrokerFixture::PublishKeyEvent(
    absl::string_view peer, const std::string& document) {
  return WaitFor([&](Done done) {
    notary().PublishKeyEvent(Id(peer), document, std::move(done));
  });
}

std::vector<Delivery> BrokerFixture::Fetch(absl::string_view peer,
                                           std::optional<LeafIndex> after) {
  return VALUE_OF(relay().Fetch(Id(peer), after, 1000, 1 << 30));
}

}  // namespace amparo::broker

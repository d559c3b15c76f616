#include "broker/core/ledger.h"

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "base/error.h"
#include "broker/store/memory_store.h"
#include "proto/envelope/limits.h"
#include "tests/support/broker_fixture.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

using absl::StatusCode;

// A store whose commits wait until they are let go, and are counted.
class SlowStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void Hold() {
    MutexLock lock(mutex_);
    held_ = true;
  }
  void LetGo() {
    MutexLock lock(mutex_);
    held_ = false;
    changed_.SignalAll();
  }
  void AwaitCommit() {
    MutexLock lock(mutex_);
    while (inside_ == 0) changed_.Wait(mutex_);
  }
  std::vector<size_t> batches() const {
    MutexLock lock(mutex_);
    return batches_;
  }

  absl::StatusOr<std::vector<OpResult>> Commit(std::span<const Op> ops,
                                               absl::Time now) override {
    {
      MutexLock lock(mutex_);
      batches_.push_back(ops.size());
      ++inside_;
      changed_.SignalAll();
      while (held_) changed_.Wait(mutex_);
      --inside_;
    }
    return ForwardingStore::Commit(ops, now);
  }

 private:
  mutable Mutex mutex_;
  CondVar changed_;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<size_t> batches_ ABSL_GUARDED_BY(mutex_);
};

using Answers = std::vector<std::future<absl::StatusOr<LeafReceipt>>>;

void AcceptLater(BrokerFixture& broker, const Envelope& envelope,
                 Answers& answers) {
  auto answer = std::make_shared<std::promise<absl::StatusOr<LeafReceipt>>>();
  answers.push_back(answer->get_future());
  broker.relay().Accept(envelope.header.sender,
                        std::make_shared<const Envelope>(envelope),
                        [answer](absl::StatusOr<LeafReceipt> receipt) {
                          answer->set_value(std::move(receipt));
                        });
}

TEST(Ledger, CommitsWhatWaitsInOneStep) {
  const auto memory = NewMemoryStore();
  SlowStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
  const size_t commits_before = store.batches().size();
  store.Hold();
  Answers answers;
  AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  store.AwaitCommit();
  for (int i = 0; i < 20; ++i)
    AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  store.LetGo();
  std::set<LeafIndex> leaves;
  for (auto& answer : answers) leaves.insert(VALUE_OF(answer.get()).leaf);
  EXPECT_EQ(leaves.size(), answers.size());
  ASSERT_EQ(store.batches().size(), commits_before + 2);
  EXPECT_EQ(store.batches().back(), 20u);
}

TEST(Ledger, GivesOneLeafToADuplicateInTheSameBatch) {
  const auto memory = NewMemoryStore();
  SlowStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
  store.Hold();
  Answers answers;
  AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  store.AwaitCommit();
  const Envelope twice = broker.EnvelopeFrom("clinic-a", "clinic-b");
  AcceptLater(broker, twice, answers);
  AcceptLater(broker, twice, answers);
  store.LetGo();
  EXPECT_OK(answers[0].get());
  EXPECT_EQ(VALUE_OF(answers[1].get()).leaf, VALUE_OF(answers[2].get()).leaf);
  EXPECT_EQ(broker.leaf_count(), 2u);
}

TEST(Ledger, ChecksAgainWhatAPublicationOvertook) {
  const auto memory = NewMemoryStore();
  SlowStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c"}, &store);
  Charter next = broker.committee().Successor(broker.charter());
  next.members[0].status = MemberStatus::kSuspended;
  ASSERT_EQ(next.members[0].id, broker.Id("clinic-a"));

  store.Hold();
  Answers answers;
  AcceptLater(broker, broker.EnvelopeFrom("clinic-b", "clinic-c"), answers);
  store.AwaitCommit();
  // All of these were checked while clinic-a was active; the charter that
  // suspends it gets its leaf first.
  std::promise<absl::StatusOr<CharterDesk::Published>> published;
  broker.charter_desk().Publish(
      broker.committee().Sign(next), {},
      [&](absl::StatusOr<CharterDesk::Published> answer) {
        published.set_value(std::move(answer));
      });
  AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  AcceptLater(broker, broker.EnvelopeFrom("clinic-b", "clinic-c"), answers);
  store.LetGo();
  EXPECT_OK(answers[0].get());
  EXPECT_OK(published.get_future().get());
  EXPECT_THAT(answers[1].get(), StatusIs(StatusCode::kPermissionDenied));
  EXPECT_OK(answers[2].get());
}

TEST(Ledger, ClosesWhenAWriteFails) {
  const auto memory = NewMemoryStore();
  FailingStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  store.Fail(FailingStore::When::kBefore, absl::InternalError("input/output"));
  EXPECT_THAT(broker.Accept("clinic-a", envelope),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_TRUE(broker.ledger().IsClosed());
  // The store would work again, but what it holds is not known: until restart
  // nothing is written.
  store.Fail(FailingStore::When::kNever, absl::OkStatus());
  EXPECT_THAT(broker.Accept("clinic-a", envelope),
              StatusIs(StatusCode::kUnavailable));
  broker.Restart();
  EXPECT_OK(broker.Accept("clinic-a", envelope));
}

TEST(Ledger, GivesTheFirstLeafAfterACrashBetweenWriteAndAnswer) {
  const auto memory = NewMemoryStore();
  FailingStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  store.Fail(FailingStore::When::kAfter, absl::InternalError("crash"));
  EXPECT_THAT(broker.Accept("clinic-a", envelope),
              StatusIs(StatusCode::kUnavailable));
  const uint64_t leaves = broker.leaf_count();
  EXPECT_EQ(leaves, 1u);

  broker.Restart(memory.get());
  const LeafReceipt receipt = VALUE_OF(broker.Accept("clinic-a", envelope));
  EXPECT_EQ(broker.leaf_count(), leaves);
  EXPECT_EQ(receipt.leaf.value() + 1,
            broker.store().Head().range.size().value());
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 1u);
}

TEST(Ledger, KeepsWhatItHasAndRecoversWhenTheDiskWasFull) {
  const auto memory = NewMemoryStore();
  FailingStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
  const auto before = broker.Send("clinic-a", "clinic-b");
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  store.Fail(FailingStore::When::kBefore,
             absl::ResourceExhaustedError("the disk is full"));
  const absl::Status status = broker.Accept("clinic-a", envelope).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kResourceExhausted));
  EXPECT_EQ(ErrorCodeOf(status), "storage");
  EXPECT_TRUE(DetailOf(status)->retryable);
  EXPECT_FALSE(broker.ledger().IsClosed());
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 1u);
  EXPECT_EQ(broker.Fetch("clinic-b")[0].receipt.leaf, before.receipt.leaf);

  store.Fail(FailingStore::When::kNever, absl::OkStatus());
  EXPECT_OK(broker.Accept("clinic-a", envelope));
  EXPECT_EQ(broker.Fetch("clinic-b").size(), 2u);
}

TEST(Ledger, RefusesWhatDoesNotFitItsQueue) {
  AdmissionLimits limits;
  limits.member_rate_per_s = 100000;
  const auto memory = NewMemoryStore();
  SlowStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store, limits);
  const Envelope envelope = broker.EnvelopeFrom("clinic-a", "clinic-b");
  store.Hold();
  Answers answers;
  AcceptLater(broker, envelope, answers);
  store.AwaitCommit();
  for (size_t i = 0; i < kCommitQueueMax; ++i)
    AcceptLater(broker, envelope, answers);
  EXPECT_THAT(broker.Accept("clinic-a", envelope),
              StatusIs(StatusCode::kResourceExhausted));
  store.LetGo();
  for (auto& answer : answers) EXPECT_OK(answer.get());
  EXPECT_EQ(broker.leaf_count(), 1u);
}

TEST(Ledger, AnswersWhatWaitsWhenItEnds) {
  const auto memory = NewMemoryStore();
  SlowStore store(*memory);
  Answers answers;
  std::thread ending;
  {
    BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
    store.Hold();
    AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
    store.AwaitCommit();
    AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
    ending = std::thread([&store] { store.LetGo(); });
  }
  ending.join();
  // One way or the other; but each is answered.
  for (auto& answer : answers) {
    const absl::Status status = answer.get().status();
    EXPECT_TRUE(status.ok() || absl::IsUnavailable(status)) << status;
  }
}

// A lone answer is given on the committer's thread: what it asks for in turn
// must find the committer again.
TEST(Ledger, TakesWhatAnAnswerAsksFor) {
  BrokerFixture broker({"clinic-a", "clinic-b"});
  const Envelope second = broker.EnvelopeFrom("clinic-a", "clinic-b");
  std::promise<absl::StatusOr<LeafReceipt>> answer;
  broker.relay().Accept(broker.Id("clinic-a"),
                        std::make_shared<const Envelope>(
                            broker.EnvelopeFrom("clinic-a", "clinic-b")),
                        [&](const absl::StatusOr<LeafReceipt>& first) {
                          EXPECT_OK(first);
                          broker.relay().Accept(
                              broker.Id("clinic-a"),
                              std::make_shared<const Envelope>(second),
                              [&](absl::StatusOr<LeafReceipt> receipt) {
                                answer.set_value(std::move(receipt));
                              });
                        });
  EXPECT_OK(answer.get_future().get());
  EXPECT_EQ(broker.leaf_count(), 2u);
}

// The committer stops when too many batches wait for their answers, and must
// wake when there is room again.
TEST(Ledger, GoesOnWhenAnswersWereHeldUp) {
  const auto memory = NewMemoryStore();
  SlowStore store(*memory);
  BrokerFixture broker({"clinic-a", "clinic-b"}, &store);
  store.Hold();
  Answers answers;
  AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  store.AwaitCommit();
  std::promise<void> let_go;
  broker.relay().Accept(
      broker.Id("clinic-a"),
      std::make_shared<const Envelope>(
          broker.EnvelopeFrom("clinic-a", "clinic-b")),
      [held = let_go.get_future().share()](const absl::StatusOr<LeafReceipt>&) {
        held.wait();
      });
  // In the batch with the one whose answer hangs, behind it.
  AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  store.LetGo();
  for (int i = 0; i < 400; ++i)
    AcceptLater(broker, broker.EnvelopeFrom("clinic-a", "clinic-b"), answers);
  let_go.set_value();
  for (auto& answer : answers) EXPECT_OK(answer.get());
}

TEST(Ledger, ServesManyThreadsAtOnce) {
  AdmissionLimits limits;
  limits.member_rate_per_s = 1000000;
  BrokerFixture broker({"clinic-a", "clinic-b", "clinic-c", "clinic-d"},
                       nullptr, limits);
  constexpr int kEach = 50;
  const std::vector<std::string> senders = {"clinic-a", "clinic-b", "clinic-c"};
  std::map<std::string, std::vector<Envelope>> envelopes;
  for (const std::string& sender : senders)
    for (int i = 0; i < kEach; ++i)
      envelopes[sender].push_back(broker.EnvelopeFrom(sender, "clinic-d"));

  std::atomic<int> woken = 0;
  const auto subscription = VALUE_OF(
      broker.feed().Subscribe(broker.Id("clinic-d"), [&woken] { ++woken; }));
  std::vector<std::thread> threads;
  for (const std::string& sender : senders)
    threads.emplace_back([&, sender] {
      // Each one twice: a retry that races its first try.
      for (const Envelope& envelope : envelopes[sender])
        for (int i = 0; i < 2; ++i) EXPECT_OK(broker.Accept(sender, envelope));
    });
  threads.emplace_back([&] {
    while (broker.Fetch("clinic-d").size() < senders.size() * kEach)
      std::this_thread::yield();
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(broker.leaf_count(), senders.size() * kEach);
  EXPECT_GT(woken.load(), 0);
}

}  // namespace
}  // namespace amparo::broker

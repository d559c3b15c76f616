#include "broker/core/ledger.h"

#include <future>
#include <memory>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/event_log.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

// Envelopes are up to 1 MiB: the queue is bounded in bytes too.
constexpr size_t kQueueBytesMax = 32 << 20;
// Batches whose answers wait to be signed; then the committer waits.
constexpr size_t kUnansweredBatchesMax = 4;
// Publications are rare: a network that changes so often is a fault.
constexpr int kTriesMax = 16;

absl::Status Unavailable(const char* message) {
  return MakeError(absl::StatusCode::kUnavailable, message,
                   {.code = "broker_unreachable", .retryable = true});
}

absl::Status ClosedError() {
  return Unavailable("a write failed; the log is closed until restart");
}

absl::Status Exhausted(const char* code, const char* message) {
  return MakeError(absl::StatusCode::kResourceExhausted, message,
                   {.code = code, .retryable = true});
}

absl::Status Conflict() {
  return MakeError(absl::StatusCode::kAlreadyExists,
                   "another content was logged under this name",
                   {.code = "conflict"});
}

absl::Status RefusalOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kReused:
      return Conflict();
    case Outcome::kWrongState:
      return MakeError(absl::StatusCode::kFailedPrecondition,
                       "what was logged before forbids it",
                       {.code = "invalid_state"});
    case Outcome::kUnknown:
      return MakeError(absl::StatusCode::kNotFound, "no such envelope",
                       {.code = "not_found"});
    case Outcome::kMailboxFull:
      return Exhausted("broker_unreachable", "the recipient's mailbox is full");
    case Outcome::kShareFull:
      return Exhausted("broker_unreachable",
                       "too many of this sender's envelopes wait for the "
                       "recipient");
    case Outcome::kStale:
      return Unavailable("the network changes too often");
    case Outcome::kApplied:
    case Outcome::kReplayed:
      break;
  }
  return absl::InternalError("an answer without a leaf");
}

size_t BytesOf(const Op& op) {
  size_t bytes = op.event.size() + 512;  // rows and keys
  if (const auto* submit = std::get_if<Submit>(&op.action))
    bytes += submit->envelope->ciphertext.size();
  if (const auto* publish = std::get_if<Publish>(&op.action))
    bytes += publish->document.size();
  return bytes;
}

}  // namespace

Ledger::Ledger(Store& store, Directory& directory, InboxFeed& feed,
               ReceiptBook& receipts, const Clock& clock)
    : store_(store),
      directory_(directory),
      feed_(feed),
      receipts_(receipts),
      clock_(clock),
      committer_([this] { RunCommitter(); }),
      answerer_([this] { RunAnswerer(); }) {}

Ledger::~Ledger() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    committable_.Signal();
  }
  committer_.join();
  answerer_.join();
}

void Ledger::Submit(Proposal proposal, Done done) {
  Waiting waiting;
  waiting.proposal = std::move(proposal);
  waiting.done = std::move(done);
  Propose(std::move(waiting));
}

bool Ledger::IsClosed() const {
  MutexLock lock(mutex_);
  return closed_;
}

void Ledger::Propose(Waiting waiting) {
  const std::shared_ptr<const Network> network = directory_.Current();
  absl::StatusOr<Op> op = waiting.proposal(*network);
  if (!op.ok()) return waiting.done(std::move(op).status());
  waiting.op = std::move(op).value();
  waiting.op.publications = network->publications;
  waiting.bytes = BytesOf(waiting.op);
  Enqueue(std::move(waiting));
}

void Ledger::Enqueue(Waiting waiting) {
  absl::Status refusal;
  {
    MutexLock lock(mutex_);
    const bool full = queue_.size() >= kCommitQueueMax ||
                      queue_bytes_ + waiting.bytes > kQueueBytesMax;
    if (closed_) {
      refusal = ClosedError();
    } else if (ending_) {
      refusal = Unavailable("the broker is shutting down");
    } else if (full && waiting.tries == 0) {
      refusal = Exhausted("broker_unreachable", "too many operations wait");
    } else {
      queue_bytes_ += waiting.bytes;
      // A committer that is busy finds the rest when it comes back.
      if (queue_.empty()) committable_.Signal();
      queue_.push_back(std::move(waiting));
      return;
    }
  }
  waiting.done(std::move(refusal));
}

// --- The committer's thread.

std::vector<Ledger::Waiting> Ledger::NextBatch() {
  std::vector<Waiting> batch;
  MutexLock lock(mutex_);
  while (!ending_ &&
         (queue_.empty() || committed_.size() >= kUnansweredBatchesMax))
    committable_.Wait(mutex_);
  if (ending_) return batch;
  // No timer: whatever came while the last batch was synced.
  size_t bytes = 0;
  while (
      !queue_.empty() && batch.size() < kCommitBatchMax &&
      (batch.empty() || bytes + queue_.front().bytes <= kCommitBatchBytesMax)) {
    bytes += queue_.front().bytes;
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queue_bytes_ -= bytes;
  return batch;
}

void Ledger::RunCommitter() {
  while (true) {
    std::vector<Waiting> batch = NextBatch();
    if (batch.empty()) break;
    CommitBatch(std::move(batch));
  }
  MutexLock lock(mutex_);
  Batch rest{{}, Unavailable("the broker is shutting down")};
  for (Waiting& waiting : queue_) rest.waiting.push_back(std::move(waiting));
  queue_.clear();
  committed_.push_back(std::move(rest));
  committer_ended_ = true;
  answerable_.Signal();
}

void Ledger::CommitBatch(std::vector<Waiting> waiting) {
  std::vector<Op> ops;
  ops.reserve(waiting.size());
  for (Waiting& one : waiting) ops.push_back(std::move(one.op));
  absl::StatusOr<std::vector<OpResult>> results =
      IsClosed() ? ClosedError() : store_.Commit(ops, clock_.Now());

  if (results.ok()) {
    ApplyPublications(ops, *results);
    // The envelopes are on disk: let go of them before the answers are made.
    for (size_t i = 0; i < waiting.size(); ++i)
      if ((*results)[i].outcome != Outcome::kStale)
        waiting[i].proposal = nullptr;
  } else if (absl::IsResourceExhausted(results.status())) {
    LogEvent(EventLevel::kError, "disk_full");
    results = Exhausted("storage", "the broker's disk is full");
  } else {
    if (!IsClosed()) LogEvent(EventLevel::kError, "ledger_closed");
    results = ClosedError();
  }

  Batch batch{std::move(waiting), std::move(results)};
  {
    MutexLock lock(mutex_);
    if (absl::IsUnavailable(batch.results.status())) closed_ = true;
    // A lone answer with nothing behind it is sooner given than handed over.
    const bool alone =
        batch.waiting.size() == 1 && queue_.empty() && committed_.empty();
    if (!alone) {
      committed_.push_back(std::move(batch));
      answerable_.Signal();
      return;
    }
  }
  AnswerBatch(std::move(batch));
}

void Ledger::ApplyPublications(const std::vector<Op>& ops,
                               const std::vector<OpResult>& results) {
  for (size_t i = 0; i < ops.size(); ++i) {
    const auto* publish = std::get_if<Publish>(&ops[i].action);
    if (publish == nullptr || results[i].outcome != Outcome::kApplied) continue;
    const Leaf& leaf = *results[i].leaf;
    // What does not hold is ignored here as it is by every agent; the
    // directory says so in the journal.
    directory_.Apply({leaf.index, leaf.entry, publish->document}).IgnoreError();
  }
}

// --- The answerer's thread.

void Ledger::RunAnswerer() {
  while (true) {
    Batch batch;
    {
      MutexLock lock(mutex_);
      while (committed_.empty() && !committer_ended_) answerable_.Wait(mutex_);
      if (committed_.empty()) return;
      batch = std::move(committed_.front());
      committed_.pop_front();
      // The committer may have waited for this place.
      if (committed_.size() + 1 == kUnansweredBatchesMax) committable_.Signal();
    }
    AnswerBatch(std::move(batch));
  }
}

void Ledger::AnswerBatch(Batch batch) {
  if (!batch.results.ok()) {
    // Given away, not shared with the last: ThreadSanitizer does not see the
    // count of owners inside the packaged Abseil.
    absl::Status status = std::move(batch.results).status();
    const size_t count = batch.waiting.size();
    for (size_t i = 0; i < count; ++i)
      batch.waiting[i].done(i + 1 < count ? status : std::move(status));
    return;
  }
  std::set<MemberId> concerned;
  for (const OpResult& result : *batch.results) {
    concerned.insert(result.concerns.begin(), result.concerns.end());
    // Before the recipients wake, or their threads would sign the same ones.
    if (!result.concerns.empty()) ReceiptOf(*result.leaf).IgnoreError();
  }
  for (const MemberId& member : concerned) feed_.Notify(member);
  for (size_t i = 0; i < batch.waiting.size(); ++i)
    Answer(std::move(batch.waiting[i]), (*batch.results)[i]);
}

void Ledger::Answer(Waiting waiting, const OpResult& result) {
  if (result.outcome == Outcome::kStale && ++waiting.tries < kTriesMax)
    return Propose(std::move(waiting));
  if (!result.leaf) return waiting.done(RefusalOf(result.outcome));
  waiting.done(ReceiptOf(*result.leaf));
}

absl::StatusOr<LeafReceipt> Ledger::ReceiptOf(const Leaf& leaf) {
  const std::shared_ptr<const Network> network = directory_.Current();
  if (!network->charter) return absl::InternalError("a leaf without a network");
  return receipts_.ReceiptFor(network->charter->network_id, leaf);
}

absl::StatusOr<Op> UnlessLogged(const Store& store, Op op,
                                absl::Status refusal) {
  absl::StatusOr<OpResult> earlier = store.FindEarlier(op);
  if (!earlier.ok()) return refusal;
  if (earlier->outcome == Outcome::kReused) return Conflict();
  if (earlier->outcome != Outcome::kReplayed) return refusal;
  op.replay_only = true;
  return op;
}

absl::StatusOr<LeafReceipt> WaitFor(const std::function<void(Done)>& call) {
  // Shared: the answer may come on another thread while this one leaves.
  auto answer = std::make_shared<std::promise<absl::StatusOr<LeafReceipt>>>();
  std::future<absl::StatusOr<LeafReceipt>> future = answer->get_future();
  call([answer](absl::StatusOr<LeafReceipt> receipt) {
    answer->set_value(std::move(receipt));
  });
  return future.get();
}

}  // namespace amparo::broker

#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/directory.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/receipt_book.h"
#include "broker/store/store.h"
#include "proto/envelope/log_entry.h"

namespace amparo::broker {

// Called once, on a thread of the ledger or of the caller; must not block.
using Done = std::function<void(absl::StatusOr<LeafReceipt>)>;

// The only writer of the log. Operations that wait go to the store as one
// batch, with one sync (group commit); their answers are signed and given while
// the next batch is written, a lone one at once. Thread-safe.
class Ledger {
 public:
  // Makes the operation to log, having checked it against `network`. Called
  // again when the network changed before the operation got its leaf, so that
  // what was checked holds where the leaf stands.
  using Proposal = std::function<absl::StatusOr<Op>(const Network& network)>;

  // All must outlive the ledger.
  Ledger(Store& store, Directory& directory, InboxFeed& feed,
         ReceiptBook& receipts, const Clock& clock);
  // Answers what waits with UNAVAILABLE.
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Runs `proposal` on this thread, then waits for the store on its own.
  // `done` gets the receipt when operation and leaf are on disk. Errors:
  // the proposal's; ALREADY_EXISTS ("conflict") for another content under a
  // used name; FAILED_PRECONDITION ("invalid_state") for an illegal order;
  // RESOURCE_EXHAUSTED, nothing written, may be tried again: queue, mailbox or
  // disk is full; UNAVAILABLE: a write failed, closed until restart.
  void Submit(Proposal proposal, Done done);

  bool IsClosed() const;

 private:
  struct Waiting {
    Proposal proposal;
    Done done;
    Op op;
    size_t bytes = 0;
    int tries = 0;
  };
  // What was asked in one commit, and what the store said to each.
  struct Batch {
    std::vector<Waiting> waiting;
    absl::StatusOr<std::vector<OpResult>> results;
  };

  void Propose(Waiting waiting);
  void Enqueue(Waiting waiting);
  void RunCommitter();
  void RunAnswerer();
  // Empty when the ledger ends.
  std::vector<Waiting> NextBatch();
  void CommitBatch(std::vector<Waiting> waiting);
  void ApplyPublications(const std::vector<Op>& ops,
                         const std::vector<OpResult>& results);
  void AnswerBatch(Batch batch);
  void Answer(Waiting waiting, const OpResult& result);
  absl::StatusOr<LeafReceipt> ReceiptOf(const Leaf& leaf);

  Store& store_;
  Directory& directory_;
  InboxFeed& feed_;
  ReceiptBook& receipts_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar committable_;  // for the committer: there is work, and room for it
  CondVar answerable_;   // for the answerer: a batch was committed
  std::deque<Waiting> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queue_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Batch> committed_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool committer_ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread committer_;
  std::thread answerer_;
};

// For a proposal that is to be refused: when `op` was logged before, so that
// its caller only lost the answer, asks for that answer alone; ALREADY_EXISTS
// ("conflict") when its name was used for something else; else `refusal`.
absl::StatusOr<Op> UnlessLogged(const Store& store, Op op,
                                absl::Status refusal);

// Waits for the answer of an asynchronous call; never on a thread that must
// not block.
absl::StatusOr<LeafReceipt> WaitFor(const std::function<void(Done)>& call);

}  // namespace amparo::broker

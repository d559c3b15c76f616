#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/inbox_feed.h"
#include "broker/core/witness_book.h"
#include "broker/store/store.h"
#include "crypto/checkpoint.h"
#include "crypto/keys.h"

namespace amparo::broker {

// Signs the log's head, stores it, then shows it; never shows a smaller one
// than before. Thread-safe; PublishNext by one thread.
class Checkpointer {
 public:
  // `origin` is the network's name; `witnesses` may cosign what is shown, and
  // every subscription of `watchers` is woken at each newer checkpoint. All
  // must outlive it.
  Checkpointer(Store& store, std::string origin, const SigningKey& log_key,
               WitnessBook& witnesses, InboxFeed& watchers, const Clock& clock);

  // While the log's key changes: `key`, the old or the coming one, signs beside
  // it, so that whoever knows either follows. Before the first PublishNext;
  // must outlive this.
  void SignAlsoWith(const SigningKey& key) { second_key_ = &key; }

  // Publishes the head if it is new, or if an hour passed. DATA_LOSS, and
  // nothing is shown, when the log is smaller than what was shown.
  absl::Status PublishNext();

  // The newest shown, a signed note. NOT_FOUND before the first.
  absl::StatusOr<std::string> Newest() const;
  // The same as members see it: with the log's own word when that is, the
  // present second. `showing` grows whenever watchers are woken.
  struct Timed {
    std::string note;
    uint64_t showing = 0;
  };
  absl::StatusOr<Timed> NewestNow() const;

 private:
  struct Shown {
    std::string note;  // empty before the first
    TreeSize size;
    absl::Time at;
    uint64_t showing = 0;
  };
  absl::StatusOr<std::string> Sign(const Checkpoint& checkpoint) const;
  Shown shown() const;
  void Show(Shown shown);

  Store& store_;
  const std::string origin_;
  const SigningKey& log_key_;
  const SigningKey* second_key_ = nullptr;
  const Clock& clock_;
  WitnessBook& witnesses_;
  InboxFeed& watchers_;
  mutable Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);
  // What NewestNow gave last, for whoever asks in the same second.
  mutable Timed timed_ ABSL_GUARDED_BY(mutex_);
  mutable int64_t timed_s_ ABSL_GUARDED_BY(mutex_) = -1;
};

}  // namespace amparo::broker

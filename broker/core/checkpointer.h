#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/inbox_feed.h"
#include "broker/store/store.h"
#include "crypto/checkpoint.h"
#include "crypto/keys.h"

namespace amparo::broker {

// Signs the log's head, stores it, then shows it; never shows a smaller one
// than before. Thread-safe; PublishNext by one thread.
class Checkpointer {
 public:
  // `origin` is the network's name; every subscription of `watchers` is woken
  // at each newer checkpoint. All must outlive it.
  Checkpointer(Store& store, std::string origin, const SigningKey& log_key,
               InboxFeed& watchers, const Clock& clock);

  // Publishes the head if it is new, or if an hour passed. DATA_LOSS, and
  // nothing is shown, when the log is smaller than what was shown.
  absl::Status PublishNext();

  // The newest shown, a signed note. NOT_FOUND before the first.
  absl::StatusOr<std::string> Newest() const;

 private:
  struct Shown {
    std::string note;  // empty before the first
    TreeSize size;
    absl::Time at;
  };
  Shown shown() const;
  void Show(Shown shown);

  Store& store_;
  const std::string origin_;
  const SigningKey& log_key_;
  const Clock& clock_;
  InboxFeed& watchers_;
  mutable Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

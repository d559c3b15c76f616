#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/checkpointer.h"
#include "broker/core/witness_book.h"
#include "broker/daemon/config.h"
#include "broker/store/store.h"

namespace amparo::broker {

// The witnesses of broker.toml that are no members: brings them the newest
// checkpoint, the same one to all, over HTTP. Each has a thread of its own: one
// that is slow holds up neither the others nor anybody's mail. From
// construction until destroyed, which takes a second at most. Thread-safe.
class OutsideWitnesses {
 public:
  // The others must outlive it.
  OutsideWitnesses(const BrokerConfig& config, const Store& store,
                   const Checkpointer& checkpointer, WitnessBook& book,
                   const Clock& clock);
  ~OutsideWitnesses();

  struct Counts {
    size_t wanted = 0;  // configured, and named by a charter
    size_t silent = 0;  // of them: the last answer was of no use, or none came
  };
  Counts Count() const;

 private:
  struct One;
  std::string Target();

  const Checkpointer& checkpointer_;
  const Clock& clock_;
  Mutex mutex_;
  std::string target_ ABSL_GUARDED_BY(mutex_);  // a signed note
  absl::Time targeted_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::vector<std::unique_ptr<One>> all_;
};

}  // namespace amparo::broker

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "broker/core/witness_book.h"
#include "broker/store/store.h"
#include "crypto/merkle.h"

namespace amparo::broker {

// Brings checkpoints to one witness that is no member, and what it answers to
// the witness book (c2sp.org/tlog-witness). Believes none of it: a cosignature
// counts when the book takes it, a size is where the next proof begins. The
// worst that a witness can do here is to be silent. Step by one thread, the
// others thread-safe.
class OutsideWitness {
 public:
  // What came back over HTTP.
  struct Answer {
    unsigned status = 0;
    std::string body;
  };
  // Sends `body` to the witness's add-checkpoint; an error when nothing came
  // back.
  using Post = std::function<absl::StatusOr<Answer>(const std::string& body)>;

  // `number` stands for it in the journal, `name` is that of its key. The
  // others must outlive it.
  OutsideWitness(int number, std::string name, Post post, const Store& store,
                 WitnessBook& book, const Clock& clock);

  // Asks for a cosignature under `note`, a checkpoint that is shown, when one
  // is due: of a checkpoint that it did not cosign yet, or half an hour ago;
  // while a charter names it; after a failure when the wait is over.
  void Step(const std::string& note);

  // Named by a charter, and its last answer was of no use.
  bool IsSilent() const;
  bool IsWanted() const { return book_.KnowsOutsider(name_); }

 private:
  // What the last one that the book took was about, and its time.
  struct Cosigned {
    std::string text;
    absl::Time at;        // by the witness's clock
    absl::Time taken_at;  // by ours
  };

  bool IsDue(const std::string& text) const;
  absl::Status Ask(const std::string& note);
  absl::StatusOr<Answer> Send(const std::string& note, TreeSize size);
  absl::Status Take(const Answer& answer, const std::string& text,
                    TreeSize size);
  void Finish(const absl::Status& asked);

  const int number_;
  const std::string name_;
  const Post post_;
  const Store& store_;
  WitnessBook& book_;
  const Clock& clock_;

  TreeSize known_{0};  // what the witness has, as far as we know
  unsigned last_status_ = 0;
  std::optional<Cosigned> cosigned_;
  absl::Duration wait_;
  absl::Time next_try_ = absl::InfinitePast();
  mutable Mutex mutex_;
  std::optional<bool> silent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace amparo::broker

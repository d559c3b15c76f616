#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/auditor/leaf_source.h"
#include "base/json.h"
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/note.h"

namespace amparo::auditor {

// What two checkpoints say of each other.
enum class PairVerdict {
  kSame,          // one size, one root
  kConsistent,    // the larger log begins with the smaller one
  kFork,          // one size, two roots: the key signed two histories
  kInconsistent,  // the larger log does not begin with the smaller one
  kRollback,      // the log's own times: it was the larger one before
};
absl::string_view NameOf(PairVerdict verdict);  // "same", "fork", ...

// Two checkpoints of one log, both signed by its key, side by side.
struct CheckpointPair {
  struct Side {
    Checkpoint checkpoint;
    // When the log handed it out, by its own signed word; if it said so.
    std::optional<absl::Time> shown;
  };
  Side smaller, larger;
  PairVerdict verdict = PairVerdict::kSame;
  // Where the sizes differ: RFC 9162 consistency proof from `proven_root`, the
  // root of the larger log's beginning, to the larger one's root.
  Digest proven_root;
  std::vector<Digest> proof;

  // False: the two are evidence against whoever holds the log's key.
  bool ok() const {
    return verdict == PairVerdict::kSame || verdict == PairVerdict::kConsistent;
  }
};

// Compares two signed notes under `log_key`. For two sizes it takes `proof`, a
// consistency proof between them such as a log sends to a witness, or else the
// hash tiles of `source`, which may be null. Neither is believed: what they
// show is proven against the larger root. PERMISSION_DENIED (code
// "verification_failed"): a note is not signed by that key, and proves nothing.
// NOT_FOUND: two sizes, and no tiles of the larger one at hand.
absl::StatusOr<CheckpointPair> CompareCheckpoints(
    const std::string& first, const std::string& second,
    const NoteVerifier& log_key, LeafSource* source,
    std::vector<Digest> proof = {});

// The signed notes that stand one after another in `text`.
std::vector<std::string> SplitNotes(absl::string_view text);

Json ToJson(const CheckpointPair& pair);         // "checkpoint_compare/1"
std::string ToText(const CheckpointPair& pair);  // for people

}  // namespace amparo::auditor

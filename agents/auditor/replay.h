#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/auditor/access_anchor.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/replay_state.h"
#include "agents/auditor/report.h"
#include "crypto/digest.h"
#include "proto/content/case_opening.h"

namespace amparo::auditor {

struct ReplayOptions {
  // Hash of charter version 1; without it the log's own word is taken, and the
  // report says so.
  std::optional<Digest> root;
  // Older checkpoints of the same log, signed notes.
  std::vector<std::string> since;
  TimelineSink timeline;            // may be null
  AccessAnchorSink access_anchors;  // may be null
  // Cases that their parties opened; not together with `resume`.
  std::vector<CaseOpening> cases;
  // Once, after the last entry: who belonged, with which keys; may be null.
  std::function<void(const NetworkFold&)> network;
  // The source is one member's mirror, which opens that member's own mail only:
  // what it does not open is no finding, and nor is what lacks that. Not
  // together with `resume` or `state`.
  bool mirror = false;
  // Goes on where an earlier replay of the same log ended; may be null. What
  // came before is taken from there: only that the log still begins with it is
  // proven, by the root.
  const ReplayState* resume = nullptr;
  // The source is the log's host itself, and shows its newest. Else a log that
  // is smaller than the one of `resume` may be an older copy.
  bool live = false;
  // Where this one ended, with what it found; once, if tree, checkpoint and
  // charters are as they must be, and there is no charter of which nobody can
  // say yet whether it came into force. May be null.
  std::function<void(const ReplayState&)> state;
  // How many of how many entries were replayed; may be null.
  std::function<void(uint64_t done, uint64_t size)> progress;
};

// Replays the log that `source` shows, entry by entry, and judges it (docs/
// PROTOCOL.md, Audit). Trusts nothing that it reads; whatever is wrong is a
// finding. Memory does not grow with the log. An error only when the source
// itself fails, so that there is no verdict; DATA_LOSS (code "tampered") for a
// state that is not whole, INVALID_ARGUMENT (code "conflict") for one of
// another root, or with openings where the source has none;
// FAILED_PRECONDITION (code "invalid_state") for a copy of the log that ends
// before what was replayed.
absl::StatusOr<Report> Replay(LeafSource& source, const ReplayOptions& options);

}  // namespace amparo::auditor

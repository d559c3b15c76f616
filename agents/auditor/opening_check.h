#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agents/auditor/leaf_set.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/report.h"
#include "proto/envelope/log_entry.h"

namespace amparo::auditor {

// Step 6: what each commitment hides. A missing opening needs an erasure event
// that names its leaf. Holds the openings of one bundle, and the runs of
// leaves that have none. One thread at a time.
class OpeningCheck {
 public:
  // `mirror`: the source opens one member's mail only, and what is missing is
  // no finding. Both must outlive the OpeningCheck.
  OpeningCheck(LeafSource& source, bool mirror, Report& report);

  // False: the source gives no openings, and the steps that need them say so.
  bool active() const { return active_; }

  // Openings of the next entries, in leaf order; those of leaves before `from`
  // are left out. An error is the source's own failure, no finding.
  absl::Status Load(uint64_t start, uint32_t count, uint64_t from = 0);
  // What the commitment of `leaf` hides; nullopt when nobody can tell.
  std::optional<AuditEvent> Open(LeafIndex leaf, const CommitmentEntry& entry);
  // After the last entry of what was loaded.
  void EndOfBundle();
  // A valid erasure event names `leaf`.
  void Erased(LeafIndex leaf) { unexplained_.Remove(leaf); }
  // After the last entry of all.
  void Finish();

  // Commitments so far that have no opening.
  const LeafSet& unopened() const { return unopened_; }
  // Those of them that no erasure names.
  const LeafSet& unexplained() const { return unexplained_; }
  // Both as they were after the entries before `leaf`.
  void Restore(LeafSet unopened, LeafSet unexplained, LeafIndex leaf) {
    unopened_ = std::move(unopened);
    unexplained_ = std::move(unexplained);
    restored_ = leaf;
  }

 private:
  void AddMismatch(LeafIndex leaf, const char* why);

  LeafSource& source_;
  Report& report_;
  const bool mirror_;
  const bool active_;
  std::vector<Opening> loaded_;  // in the source's order
  std::vector<bool> claimed_;
  LeafSet unopened_;
  LeafSet unexplained_;
  LeafIndex restored_;
};

}  // namespace amparo::auditor

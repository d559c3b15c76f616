#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agents/auditor/charter_quorum.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/report.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"

namespace amparo::auditor {

// `note` with the good signatures of log keys and witnesses of `network` alone;
// as it is when it cannot be read.
std::string OnlyKnownSigners(const std::string& note,
                             const NetworkFold& network);

// Steps 4 and 5: who signed the newest checkpoint, and whether the log still
// begins with what older checkpoints said. One thread at a time.
class CheckpointCheck {
 public:
  // `since`: older checkpoints, signed notes. `report` must outlive this.
  CheckpointCheck(std::string note, std::vector<std::string> since,
                  Report& report);

  // What the newest checkpoint claims, unverified; an error, with a finding,
  // when it cannot be read.
  const absl::StatusOr<Checkpoint>& claimed() const { return claimed_; }

  // `note` was replayed before: the walk goes on after its entries.
  void AddReplayed(std::string note);
  const std::string& note() const { return note_; }

  // After each entry: remembers the roots that older checkpoints are about.
  void OnSize(TreeSize size, const Digest& root);
  bool WantsRoot(TreeSize size) const;

  // After the last entry; `count`: what the witnesses say. False: a signature
  // is bad, so that what the checkpoint says of the size is nobody's word.
  bool Finish(const NetworkFold& network,
              const std::optional<CharterQuorum::Count>& count);

 private:
  struct Older {
    std::string note;
    Checkpoint claimed;
    std::optional<Digest> root;  // of this log at that size
  };

  absl::Status VerifyByLog(const std::string& note,
                           const std::vector<NoteVerifier>& log_keys) const;
  // The newest entry against the cosignatures under the newest checkpoint.
  void CompareTimes(const CharterQuorum::Count& count);
  void CompareOlder(const NetworkFold& network);

  const std::string note_;
  Report& report_;
  absl::StatusOr<Checkpoint> claimed_;
  std::vector<Older> older_;
};

}  // namespace amparo::auditor

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/auditor/case_check.h"
#include "agents/auditor/charter_quorum.h"
#include "agents/auditor/checkpoint_check.h"
#include "agents/auditor/erasures.h"
#include "agents/auditor/event_check.h"
#include "agents/auditor/link_check.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/opening_check.h"
#include "agents/auditor/replay.h"
#include "agents/auditor/tree_check.h"
#include "proto/envelope/log_entry.h"

namespace amparo::auditor {

// Nothing there, or nothing that can be read: no failure of the source's own.
inline bool IsAnswerAboutTheLog(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

// One walk over the log, handing each entry to the steps. Of Replay alone. One
// thread at a time.
class Walk {
 public:
  // `root`: the pin, or the one of the state that is resumed. References must
  // outlive the walk.
  Walk(LeafSource& source, const ReplayOptions& options,
       const std::optional<Digest>& root, std::string note, Report& report)
      : source_(source),
        options_(options),
        report_(report),
        checkpoint_(std::move(note), options.since, report),
        tree_(source, report),
        network_(source, root, report),
        quorum_(source, checkpoint_.note(), report),
        openings_(source, options.mirror, report),
        links_(true, erasures_, report),
        cases_(options.cases, network_, report),
        events_(network_, openings_, erasures_, links_, report,
                options_.timeline, options_.access_anchors) {}

  // Once. An error is the source's own failure, or DATA_LOSS for a state that
  // does not fit itself.
  absl::Status Run();

 private:
  // What an earlier replay knew at its end.
  absl::Status Restore(const ReplayState& state);
  // With fewer entries than were replayed before.
  absl::Status RefuseOlder(TreeSize replayed) const;
  // A charter, key event or suspension.
  absl::Status OnOpenContent(LeafIndex leaf, absl::Time time,
                             const LogEntry& entry, bool replayed = false);
  void CheckReplayed(LeafIndex leaf, ByteView bytes);
  // Whether a later replay may go on from here: whoever writes to the log may
  // have broken a rule, but it is the log that was signed.
  bool IsGround(bool signature_good) const;
  void GiveState(std::vector<std::vector<Digest>> edge, Report::Known known);
  // The entries of one bundle; how many there were.
  absl::StatusOr<uint64_t> ReadBundle(uint64_t start, uint32_t count);
  absl::Status OnEntry(LeafIndex leaf, ByteView bytes);
  absl::Status OnContent(LeafIndex leaf, absl::Time time,
                         const LogEntry& entry);
  void AddRow(LeafIndex leaf, absl::Time time, const char* event,
              const std::string& from, const std::string& detail);
  absl::Status Finish();
  void FinishTree(bool signature_good);

  LeafSource& source_;
  const ReplayOptions& options_;
  Report& report_;
  CheckpointCheck checkpoint_;
  TreeCheck tree_;
  NetworkFold network_;
  CharterQuorum quorum_;
  OpeningCheck openings_;
  Erasures erasures_;
  LinkCheck links_;
  CaseCheck cases_;
  EventCheck events_;
  uint64_t from_ = 0;        // the entries before were replayed earlier
  bool is_smaller_ = false;  // than what was replayed earlier
  std::vector<std::pair<LeafIndex, Bytes>> open_entries_;  // for the state
};

}  // namespace amparo::auditor

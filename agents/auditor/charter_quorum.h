#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/network_fold.h"
#include "agents/auditor/report.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "proto/network/charter.h"

namespace amparo::auditor {

// By whose witnesses each charter came into force, and by which charter the
// newest checkpoint is to be counted (docs/PROTOCOL.md, Witnesses): version N+1
// takes effect under a checkpoint that holds its entry and has the quorum of
// version N, and with it all that was logged before it. Charters are judged as
// they come, for a chain may be long. One thread at a time.
class CharterQuorum {
 public:
  // `newest`: the checkpoint under replay, a signed note. `source` and `report`
  // must outlive this.
  CharterQuorum(LeafSource& source, const std::string& newest, Report& report);

  // After each charter that `network` was shown. `replayed`: an earlier replay
  // judged it, and its checkpoint. An error is the source's own failure.
  absl::Status OnCharter(LeafIndex leaf, const NetworkFold& network,
                         bool replayed = false);

  // Each entry, in leaf order; a pack has some.
  void OnEntry(LeafIndex leaf, absl::Time time);
  // After each entry: the roots that kept checkpoints are about.
  bool WantsRoot(TreeSize size) const;
  void OnSize(TreeSize size, const Digest& root);

  // What the newest checkpoint is worth.
  struct Count {
    uint64_t version = 0;  // of the charter whose witnesses are counted
    uint32_t quorum = 0;
    absl::Status good;              // or why it is to be refused
    std::vector<absl::Time> times;  // of their cosignatures, ascending
    // Of the charters that were in force before it or came with it.
    std::vector<NoteVerifier> log_keys;
  };
  // After the last entry. nullopt without a charter.
  std::optional<Count> Finish();
  // After that: a charter may have come into force later, nobody can say.
  bool left_open() const { return left_open_; }

  // The cosignatures' time: their median, of two in the middle the earlier.
  // Precondition: there are some, ascending.
  static absl::Time MedianOf(const std::vector<absl::Time>& times) {
    return times[(times.size() - 1) / 2];
  }
  // How far an entry's time may be after that of cosignatures over it: the
  // broker takes none that is further from its own clock.
  static absl::Duration LaterMax();

 private:
  // The checkpoint that the source keeps for a charter.
  struct Kept {
    enum class State { kMissing, kThere, kLater };
    State state = State::kMissing;
    std::optional<Finding> fault;
    TreeSize size;
    Digest claimed;
    std::optional<Digest> root;  // of this log at that size
    std::optional<absl::Time> cosigned;
    // Entries: the last before its size that was shown, the first after it.
    std::optional<std::pair<LeafIndex, absl::Time>> last, next;
  };
  struct Step {
    LeafIndex leaf;
    bool replayed = false;
    Count newest;
    // Of the version before; its witnesses cosigned the newest checkpoint, too.
    uint32_t quorum_before = 0;
    bool newest_enacts = false;
    Kept kept;
    std::vector<NoteVerifier> log_keys;
  };

  Count CountNewest(const Charter& charter) const;
  absl::Status Fetch(const AcceptedCharter& before, Step& step);
  void JudgeKept(const std::string& note, const AcceptedCharter& before,
                 Step& step) const;
  bool CameIntoForce(Step& step);
  bool CameByNewest(const Step& step) const;
  // Entries before and after a good checkpoint against its cosignatures.
  void CompareTimes(const Step& step);

  LeafSource& source_;
  Report& report_;
  absl::StatusOr<Note> newest_;
  TreeSize size_;
  std::vector<Step> steps_;  // one a charter that was accepted
  std::optional<AcceptedCharter> last_;
  std::optional<std::pair<LeafIndex, absl::Time>> newest_entry_;
  bool left_open_ = false;
};

}  // namespace amparo::auditor

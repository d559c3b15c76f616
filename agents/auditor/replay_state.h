#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/auditor/erasures.h"
#include "agents/auditor/event_check.h"
#include "agents/auditor/leaf_set.h"
#include "agents/auditor/link_check.h"
#include "agents/auditor/report.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

namespace amparo::auditor {

inline constexpr size_t kReplayStateBytesMax = size_t{1} << 30;

// Where a replay stood at the end of a whole log, so that a later one goes on
// there, and tells again what was found. As trustworthy as the place it is kept
// in, like the pin in a profile: the entries before are not looked at again.
struct ReplayState {
  Digest root;  // hash of charter version 1
  bool root_pinned = false;
  bool with_openings = false;
  std::string checkpoint;                 // signed note, whose tree `edge` is
  std::vector<std::vector<Digest>> edge;  // TreeCheck::Edge
  LeafSet unopened;
  LeafSet unexplained;  // of these: no erasure names them
  Report::Known known;  // but what is judged again at the end
  // Charters, key events and suspensions: folded again from the pin on.
  std::vector<std::pair<LeafIndex, Bytes>> open_entries;
  // An older program's state has none: what it left out may be any envelope.
  Erasures::State erasures;
  LinkCheck::State links;
  // Nor what had ended: it may be what was erased.
  EventCheck::State events;
};

// Lines of text; the last one is a hash over the others.
std::string FormatReplayState(const ReplayState& state);
// DATA_LOSS (code "tampered") for what FormatReplayState does not make.
absl::StatusOr<ReplayState> ParseReplayState(absl::string_view text);

}  // namespace amparo::auditor

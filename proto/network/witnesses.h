#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/note.h"
#include "proto/network/charter.h"
#include "proto/network/member.h"

// Who watches the log: the witnesses that a charter names, and what their
// cosignatures (c2sp.org/tlog-cosignature) under a checkpoint are worth.

namespace amparo {

// Under what name a member cosigns: "NETWORK/witness/MEMBER".
std::string WitnessName(absl::string_view network, const MemberId& member);

// Active members by their witness keys, then outsiders. Each is one witness.
std::vector<NoteVerifier> WitnessesOf(const Charter& charter);

// When the witnesses of `charter` cosigned `note`, earliest first; others'
// signatures count for nothing. PERMISSION_DENIED when one under a witness's
// name and key is bad: the note is to be refused.
absl::StatusOr<std::vector<absl::Time>> CosignatureTimes(
    const Note& note, const Charter& charter);

// The median of those times, of two in the middle the earlier, when there are as
// many as the charter's quorum; nullopt when there are fewer, or the charter asks for none, or one is bad.
std::optional<absl::Time> QuorumTime(const Note& note, const Charter& charter);

}  // namespace amparo

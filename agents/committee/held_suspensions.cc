#include "agents/committee/held_suspensions.h"

#include <string>
#include <utility>

#include "base/files.h"
#include "base/status.h"

namespace amparo::committee {

absl::StatusOr<std::vector<Suspension>> HeldSuspensions(
    const CharterFolder& folder, const Charter& charter, absl::Time now) {
  std::vector<Suspension> held;
  for (const Member& member : charter.members) {
    const std::string path = folder.SuspensionPath(member.id);
    if (member.status != MemberStatus::kActive || !FileExists(path)) continue;
    ASSIGN_OR_RETURN(const std::string text,
                     ReadFile(path, kSuspensionBytesMax));
    absl::StatusOr<Suspension> said = PeekSuspension(text);
    if (!said.ok()) return Annotate(said.status(), path);
    if (now < said->until && member.since < said->from)
      held.push_back(*std::move(said));
  }
  return held;
}

}  // namespace amparo::committee

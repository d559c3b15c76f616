#include "proto/network/witnesses.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "crypto/checkpoint.h"

namespace amparo {

std::string WitnessName(absl::string_view network, const MemberId& member) {
  return absl::StrCat(network, "/witness/", member.text());
}

std::vector<NoteVerifier> WitnessesOf(const Charter& charter) {
  std::vector<NoteVerifier> witnesses;
  for (const Member& member : charter.members) {
    if (!member.witness_key || member.status != MemberStatus::kActive) continue;
    auto verifier =
        NoteVerifier::Create(WitnessName(charter.network, member.id),
                             NoteKeyType::kCosignatureV1, *member.witness_key);
    if (verifier.ok()) witnesses.push_back(*std::move(verifier));
  }
  witnesses.insert(witnesses.end(), charter.outside_witnesses.begin(),
                   charter.outside_witnesses.end());
  return witnesses;
}

absl::StatusOr<std::vector<absl::Time>> CosignatureTimes(
    const Note& note, const Charter& charter) {
  std::vector<absl::Time> times;
  for (const NoteVerifier& witness : WitnessesOf(charter)) {
    const auto time = VerifyCosignature(note, witness);
    if (absl::IsNotFound(time.status())) continue;
    RETURN_IF_ERROR(time.status());
    times.push_back(*time);
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::optional<absl::Time> QuorumTime(const Note& note, const Charter& charter) {
  if (charter.witness_quorum == 0) return std::nullopt;
  const auto times = CosignatureTimes(note, charter);
  if (!times.ok() || times->size() < charter.witness_quorum)
    return std::nullopt;
  return (*times)[(times->size() - 1) / 2];
}

}  // namespace amparo

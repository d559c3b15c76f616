#include "agents/committee/spare_witnesses.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/network/witnesses.h"

namespace amparo::committee {
namespace {

// A member by its id, an outsider by the name of its key.
std::string ShortName(const Charter& charter, const NoteVerifier& witness) {
  for (const Member& member : charter.members)
    if (WitnessName(charter.network, member.id) == witness.name())
      return member.id.text();
  return witness.name();
}

bool Watches(const Charter& charter, const NoteVerifier& witness) {
  const std::vector<NoteVerifier> all = WitnessesOf(charter);
  return std::any_of(all.begin(), all.end(), [&](const NoteVerifier& other) {
    return other.name() == witness.name() && other.key() == witness.key();
  });
}

// The quorum that the draft asks for itself.
void JudgeQuorum(const Charter& draft, std::vector<std::string>& lines) {
  const uint32_t quorum = draft.witness_quorum;
  if (quorum == 0) return;
  const uint32_t all = static_cast<uint32_t>(WitnessesOf(draft).size());
  const uint32_t usual = DefaultWitnessQuorum(all, (all - 1) / 4);
  if (quorum == all)
    lines.push_back(absl::StrCat(
        "WARNING: every witness is needed, ", quorum, " of ", all,
        ". When one is gone for good, no new key and no new version comes into "
        "force any more, not even one that asks for fewer. ",
        usual < all ? absl::StrCat("Ask for fewer: amparo-charter set "
                                   "witness.quorum ",
                                   usual, ".")
                    : "Add witnesses before you ask for a quorum."));
  if (uint64_t{2} * quorum > uint64_t{all} + draft.witness_faulty) return;
  const uint32_t enough = DefaultWitnessQuorum(all, draft.witness_faulty);
  lines.push_back(absl::StrCat(
      "WARNING: ", quorum, " of ", all, " witnesses are too few against ",
      draft.witness_faulty,
      " false (witness.faulty): the broker could show "
      "two logs, each with a quorum. ",
      enough <= all ? absl::StrCat("From ", enough, " on it cannot.")
                    : "Add witnesses."));
}

// The quorum that the draft needs to come into force: that of the version
// before, whose witnesses it may part with.
void JudgeStep(const Charter& before, const Charter& draft,
               std::vector<std::string>& lines) {
  if (before.witness_quorum == 0) return;
  std::vector<std::string> leaving;
  size_t staying = 0;
  for (const NoteVerifier& witness : WitnessesOf(before)) {
    if (Watches(draft, witness))
      ++staying;
    else
      leaving.push_back(ShortName(before, witness));
  }
  if (leaving.empty() || staying > before.witness_quorum) return;
  const std::string head =
      absl::StrCat("WARNING: version ", draft.version,
                   " comes into force only when ", before.witness_quorum,
                   " witnesses of version ", before.version, " have seen it");
  if (staying == before.witness_quorum)
    lines.push_back(absl::StrCat(head, ": without ",
                                 absl::StrJoin(leaving, ", "),
                                 " all the others have to run until then."));
  else
    lines.push_back(absl::StrCat(
        head, ", and it keeps ", staying, " of them. Let ",
        absl::StrJoin(leaving, ", "),
        " run until it is in force: if they are gone, it never will be, and "
        "nothing after it."));
}

void NameOutsiders(const std::optional<Charter>& before, const Charter& draft,
                   std::vector<std::string>& lines) {
  for (const NoteVerifier& witness : draft.outside_witnesses)
    if (!before.has_value() || !Watches(*before, witness))
      lines.push_back(absl::StrCat(
          "Note: ", witness.name(),
          " is a witness from outside: before this is published it must know "
          "the log's key, and the broker its address (broker.toml, [witness] "
          "outside)."));
}

}  // namespace

std::vector<std::string> WitnessWarnings(const std::optional<Charter>& before,
                                         const Charter& draft) {
  std::vector<std::string> lines;
  JudgeQuorum(draft, lines);
  if (before.has_value()) JudgeStep(*before, draft, lines);
  NameOutsiders(before, draft, lines);
  return lines;
}

}  // namespace amparo::committee

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "agents/auditor/leaf_source.h"
#include "agents/auditor/report.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/charter.h"
#include "proto/network/key_directory.h"

namespace amparo::auditor {

// The entry of the last signing key that `member` made by its identity key
// alone, as an agent does that came back from a backup: what it had written
// since that backup it may have lost. nullopt: it has no key.
std::optional<LeafIndex> MadeAlone(const KeyDirectory& keys,
                                   const MemberId& member);

// Steps 1 and 2: the charter chain from its root, each version at its leaf,
// and the key events of the members. Goes on as agents do: a charter that must
// be refused changes nothing, and the one before stays in force. Where one is
// not there, agents stop and so does the fold: who belonged to the network from
// there on nobody can say. One thread at a time.
class NetworkFold {
 public:
  // `root`: pinned hash of version 1; without it leaf 0 is taken at its word.
  // References must outlive the fold.
  NetworkFold(LeafSource& source, const std::optional<Digest>& root,
              Report& report);

  // In leaf order. An error is the source's own failure, no finding.
  absl::Status OnCharter(LeafIndex leaf, absl::Time time,
                         const CharterEntry& entry);
  void OnKeyEvent(LeafIndex leaf, absl::Time time, const KeyEventEntry& entry);
  void OnSuspension(LeafIndex leaf, absl::Time time,
                    const SuspensionEntry& entry);
  // After the last leaf.
  void Finish();

  // The newest charter that was accepted; null before the first, and after one
  // whose document is not there.
  const AcceptedCharter* Charter() const;
  // The newest version that was accepted, even if a later one is missing.
  const std::optional<AcceptedCharter>& newest() const { return newest_; }
  const KeyDirectory& keys() const { return keys_; }
  // Every log key that an accepted version named.
  const std::vector<NoteVerifier>& log_keys() const { return log_keys_; }
  // Every witness that one named.
  const std::vector<NoteVerifier>& witnesses() const { return witnesses_; }
  // Hash of version 1, pinned or taken at its word; zeros before it.
  const Digest& root() const { return first_; }
  // Why Charter() is null.
  std::string WhyNone() const;

 private:
  absl::StatusOr<AcceptedCharter> Judge(LeafIndex leaf, absl::Time time,
                                        const CharterEntry& entry,
                                        const std::string& document) const;
  void Refuse(LeafIndex leaf, absl::string_view why);

  LeafSource& source_;
  const std::optional<Digest> root_;
  Report& report_;
  Digest first_;
  std::optional<AcceptedCharter> newest_;
  std::optional<LeafIndex> missing_at_;
  KeyDirectory keys_;
  std::vector<NoteVerifier> log_keys_, witnesses_;
};

}  // namespace amparo::auditor

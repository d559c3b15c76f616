#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/dialog.h"
#include "agents/committee/key_statement.h"
#include "agents/committee/verbs.h"
#include "base/clock.h"

// Governance keys: made on the machine of the person who holds them, taken into
// the draft by their public half, replaced, removed.

namespace amparo::committee {

inline constexpr absl::Duration kGovernanceKeyLife = absl::Hours(3 * 365 * 24);

struct NewKeyOptions {
  std::string id;
  std::string member;
  std::string pass_file;  // empty: asks, twice
  bool local = false;     // a machine-made passphrase, kept beside the key
};
// Makes keys/ID.key, under a passphrase, and keys/ID.public. ALREADY_EXISTS
// when there is one: an id names one key for ever.
absl::StatusOr<KeyStatement> MakeKeyFiles(const CharterFolder& folder,
                                          const NewKeyOptions& options,
                                          Dialog& dialog, const Clock& clock);
// The same, as a verb.
absl::StatusOr<Outcome> NewKey(const CharterFolder& folder,
                               const NewKeyOptions& options, Dialog& dialog,
                               const Clock& clock);

// True once somebody compared the words of `statement` with its holder's.
absl::StatusOr<bool> KeyWordsAreRight(const KeyStatement& statement,
                                      bool confirmed, Dialog& dialog);

struct AddKeyOptions {
  std::string file;      // of new-key
  std::string replaces;  // id of the key whose place it takes; empty: none
  std::optional<absl::Time> until;  // default: three years
  bool words_confirmed = false;
};
// Takes a governance key into the draft. NOT_FOUND when its member is not in
// the draft, or `replaces` is no key of it; ALREADY_EXISTS for an id that is
// taken; PERMISSION_DENIED when the words are not confirmed.
absl::StatusOr<Outcome> AddKey(const CharterFolder& folder,
                               const AddKeyOptions& options, Dialog& dialog,
                               const Clock& clock);

// Takes one out of the draft.
absl::StatusOr<Outcome> RemoveKey(const CharterFolder& folder,
                                  const std::string& id);

}  // namespace amparo::committee

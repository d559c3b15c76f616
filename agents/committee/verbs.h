#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/dialog.h"
#include "agents/committee/enrolment_port.h"
#include "base/clock.h"
#include "base/json.h"
#include "crypto/digest.h"

// What amparo-charter does, verb by verb, without flags and printing. Results
// are what --json prints (docs/PROTOCOL.md, Committee) and the text for people.

namespace amparo::committee {

struct Outcome {
  Json json;
  std::string text;
  int exit = 0;
};

struct InitOptions {
  std::string folder;
  std::string network_file;
  bool local = false;  // machine-made passphrases, no waiting time for keys
  std::vector<std::string> members;  // ID:KIND[:NAME]
  std::vector<std::string> seats;    // members with a governance key; empty: 5
  // Public halves of keys that were made elsewhere (keys/ID.public of new-key);
  // none: they are made here, all in one place.
  std::vector<std::string> key_files;
  bool words_confirmed = false;  // of key_files
  std::optional<uint32_t> threshold;
  std::string title, timezone, jurisdiction;
};
// Makes the draft of version 1, and the governance keys if they are to be here.
// ALREADY_EXISTS when the folder has a draft.
absl::StatusOr<Outcome> Init(const InitOptions& options, Dialog& dialog,
                             const Clock& clock);

struct AddMemberOptions {
  std::string member;
  bool words_confirmed = false;
};
// Takes the member's keys from its join request into the draft, once somebody
// has compared the request's words with the member's own.
absl::StatusOr<Outcome> AddMember(const CharterFolder& folder,
                                  const AddMemberOptions& options,
                                  EnrolmentPort& broker, Dialog& dialog,
                                  const Clock& clock);

struct SignOptions {
  std::string key_id;     // empty: the first in keys/ that has not signed
  std::string pass_file;  // empty: keys/ID.pass, or the dialog
  bool yes = false;
};
// Tells what changes, asks, and adds one signature to the pending version.
absl::StatusOr<Outcome> Sign(const CharterFolder& folder,
                             const SignOptions& options, Dialog& dialog,
                             const Clock& clock);

// Adds the signatures of another machine's copy of the pending version. Where
// nothing is pending here and the draft holds nothing of its own, that copy
// becomes the draft and the pending version: nothing is signed by it here. A
// suspension that another machine signed is taken in like one.
absl::StatusOr<Outcome> Merge(const CharterFolder& folder,
                              const std::string& other_file,
                              const Clock& clock);

// Publishes the pending version when enough members have signed.
absl::StatusOr<Outcome> Publish(const CharterFolder& folder,
                                const std::string& founding_token_file,
                                EnrolmentPort& broker, const Clock& clock);

// Takes the versions published since from the broker, each verified as the
// successor of the one before. `root`: pinned hash of version 1, used where the
// folder has none yet.
absl::StatusOr<Outcome> Fetch(const CharterFolder& folder,
                              const std::optional<Digest>& root,
                              EnrolmentPort& broker);

// The newest published version, or `version`; `draft`: what is being drafted.
absl::StatusOr<Outcome> Show(const CharterFolder& folder,
                             std::optional<uint64_t> version, bool draft,
                             const Clock& clock);

// What version `to` (nullopt: the draft) changes against the one before, or
// against `from`.
absl::StatusOr<Outcome> Diff(const CharterFolder& folder,
                             std::optional<uint64_t> from,
                             std::optional<uint64_t> to);

// Verifies every published version from the root on. What is refused is a
// result with exit 6.
absl::StatusOr<Outcome> Verify(const CharterFolder& folder,
                               const std::optional<Digest>& root);

}  // namespace amparo::committee

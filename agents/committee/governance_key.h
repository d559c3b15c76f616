#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/dialog.h"
#include "crypto/keys.h"
#include "proto/network/charter.h"

namespace amparo::committee {

// The private half of `named` from this folder. The passphrase comes from
// `pass_file`, else from keys/ID.pass, else from the dialog. PERMISSION_DENIED
// (code "verification_failed") for a wrong one, and for another key.
absl::StatusOr<SigningKey> OpenGovernanceKey(const CharterFolder& folder,
                                             const GovernanceKey& named,
                                             const std::string& pass_file,
                                             Dialog& dialog);

// An id names one key for ever: what was signed under it stays readable.
// ALREADY_EXISTS (code "conflict") names the version of `chain` in which
// `key`'s id was another key. Only who has the versions can tell; no signature
// counts by an id, so clients do not ask.
absl::Status CheckIdWasNoOthers(const std::vector<AcceptedCharter>& chain,
                                const GovernanceKey& key);

}  // namespace amparo::committee

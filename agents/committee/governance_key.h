#pragma once

#include <string>

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

}  // namespace amparo::committee

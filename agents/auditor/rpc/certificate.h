#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agents/auditor/profile.h"
#include "base/clock.h"
#include "crypto/digest.h"
#include "crypto/note.h"

namespace amparo::auditor {

// What an auditor's client certificate is kept alive by: the log's keys and the
// network's id, as a replay proved them.
struct ProvenNetwork {
  Digest network_id;
  std::vector<NoteVerifier> log_keys;
};

// Follows the network's CA as it changes, and renews the certificate when two
// thirds of its life are over or its CA is going: ca.pem, ca.note, cert.pem of
// the profile. Call when the broker answers anyway. Whether the certificate is
// another one afterwards.
absl::StatusOr<bool> KeepCertificate(const Profile& profile,
                                     const std::string& folder,
                                     const ProvenNetwork& network,
                                     const Clock& clock);

}  // namespace amparo::auditor

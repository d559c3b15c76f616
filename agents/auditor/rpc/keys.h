#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "crypto/x509.h"

namespace amparo::auditor {

// The keys of an auditor's profile, in files of its folder: identity.key under
// the generated passphrase of identity.pass, key.pem for TLS. The join request
// names the first two; a committee that replaces this auditor compares their
// words.
struct Keys {
  SigningKey identity;
  SigningKey witness;
};

// Those that are there, for a join that was cut off or long ago; else made now.
absl::StatusOr<Keys> PrepareKeys(const std::string& folder);
absl::StatusOr<TlsKeyPair> PrepareTls(const std::string& folder);

}  // namespace amparo::auditor

#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"

// Certificates by which programs of an institution are known to its agent.
// Their owners make them with tools of their own; nobody vouches for them, and
// nothing in them is believed but the key: they are pinned by their hash.

namespace amparo {

struct ClientCertificate {
  Digest hash;       // SHA-256 of its DER
  absl::Time from;   // not before
  absl::Time until;  // not after

  bool IsInItsTime(absl::Time now) const { return from <= now && now <= until; }
};

// Reads one certificate in PEM. INVALID_ARGUMENT when it is none, when there is
// a second one or a private key beside it; PERMISSION_DENIED when its key is
// not P-256, P-384, Ed25519 or RSA of 2048 to 8192 bits, or not for TLS
// clients. Its time is the caller's to check.
absl::StatusOr<ClientCertificate> ReadClientCertificate(absl::string_view pem);

// OK when `key_pem` is the private key of the first certificate in
// `certificate_pem`; INVALID_ARGUMENT when either cannot be read;
// PERMISSION_DENIED when it is another's.
absl::Status CheckKeyOfCertificate(absl::string_view key_pem,
                                   absl::string_view certificate_pem);

}  // namespace amparo

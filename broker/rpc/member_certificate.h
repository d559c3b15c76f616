#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/x509.h"
#include "proto/network/member.h"

namespace amparo::broker {

// The certificate with which `member` comes to the members' port, for 730 days
// from `now` on. Its name is `member`'s, whatever the CSR says.
// INVALID_ARGUMENT or PERMISSION_DENIED for a CSR that is too large or not
// good.
absl::StatusOr<std::string> CertifyMember(const TlsKeyPair& ca,
                                          absl::string_view csr_pem,
                                          absl::string_view network,
                                          const MemberId& member,
                                          absl::Time now);

}  // namespace amparo::broker

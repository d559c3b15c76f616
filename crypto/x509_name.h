#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/openssl.h"

// The names in the certificates of crypto/x509.h.

namespace amparo {

// One entry of subjectAltName.
struct AlternativeName {
  int type;  // GEN_URI, GEN_DNS, GEN_IPADD
  std::string value;
};

// INVALID_ARGUMENT unless each is [a-z][a-z0-9-]{0,31}: network and member
// names become parts of a URI.
absl::Status CheckNames(std::initializer_list<absl::string_view> names);

// spiffe://NETWORK/member/MEMBER, both checked before.
AlternativeName NameOfMember(absl::string_view network,
                             absl::string_view member);
// An address when it reads as one, else a DNS name; INVALID_ARGUMENT for what
// is neither. No wildcards.
absl::StatusOr<AlternativeName> NameOfHost(const std::string& host);

absl::StatusOr<ExtensionPtr> SubjectAltName(
    const std::vector<AlternativeName>& names);

// The member that `certificate` names, which has that one name and no other;
// else PERMISSION_DENIED.
absl::StatusOr<std::string> MemberIn(const X509& certificate,
                                     absl::string_view network);

}  // namespace amparo

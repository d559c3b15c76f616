#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "proto/network/member.h"

namespace amparo {

// With which a member asks for a certificate again: JWS by its identity key,
// about one CSR (docs/PROTOCOL.md, Joining). Who holds a key of the network's
// CA can make certificates of that CA, but no such request, and so does not get
// one of the CA that takes its place.
inline constexpr char kCertificateRequestTyp[] =
    "amparo-certificate-request+jwt";
struct CertificateRequest {
  Digest net;
  MemberId member;
  Digest csr;  // SHA-256 of the CSR's PEM
  absl::Time at;
};
std::string SignCertificateRequest(const CertificateRequest& request,
                                   const SigningKey& identity);
// PERMISSION_DENIED unless `identity` signed it; what it says is the caller's
// to compare.
absl::StatusOr<CertificateRequest> VerifyCertificateRequest(
    absl::string_view document, const VerifyKey& identity);

// Whether a certificate is what was asked for: of the CA `ca_pem`, for this
// member of this network and this private key. PERMISSION_DENIED (code
// "verification_failed"): with another one nobody could come back.
absl::Status CheckMemberCertificate(absl::string_view certificate_pem,
                                    absl::string_view ca_pem,
                                    absl::string_view network,
                                    const MemberId& member, ByteView key_pem);

}  // namespace amparo

#include "proto/network/certificate_request.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/client_certificate.h"
#include "crypto/jws.h"
#include "crypto/x509.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

constexpr size_t kBytesMax = 4096;

}  // namespace

std::string SignCertificateRequest(const CertificateRequest& request,
                                   const SigningKey& identity) {
  Json payload = Json::object();
  payload["net"] = request.net.ToString();
  payload["member"] = request.member.text();
  payload["csr"] = request.csr.ToString();
  payload["at"] = FormatUtc(request.at);
  return SignJws(identity, kCertificateRequestTyp, payload);
}

absl::StatusOr<CertificateRequest> VerifyCertificateRequest(
    absl::string_view document, const VerifyKey& identity) {
  const auto lookup = [&](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    if (kid == identity.Thumbprint()) return identity;
    return absl::PermissionDeniedError("not the member's identity key");
  };
  ASSIGN_OR_RETURN(
      const VerifiedJws verified,
      VerifyJws(document, kCertificateRequestTyp, lookup, kBytesMax));
  Fields fields(verified.payload);
  const Digest net = fields.Hash("net");
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const Digest csr = fields.Hash("csr");
  const absl::Time at = fields.Time("at");
  RETURN_IF_ERROR(fields.Finish());
  return CertificateRequest{net, *member, csr, at};
}

absl::Status CheckMemberCertificate(absl::string_view certificate_pem,
                                    absl::string_view ca_pem,
                                    absl::string_view network,
                                    const MemberId& member, ByteView key_pem) {
  const auto named = MemberOfCertificate(certificate_pem, network);
  if (named.ok() && *named == member.text() &&
      CheckIssuedBy(certificate_pem, ca_pem).ok() &&
      CheckKeyOfCertificate(AsText(key_pem), certificate_pem).ok())
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kPermissionDenied,
                   "the broker sent another certificate than was asked for",
                   {.code = "verification_failed"});
}

}  // namespace amparo

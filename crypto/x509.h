#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/secret.h"

// The network's own certificate authority for TLS (RFC 5280): ECDSA P-256,
// because gRPC offers no Ed25519. Nothing of the protocol's security rests on
// these certificates; they keep strangers off the ports.

namespace amparo {

struct TlsKeyPair {
  SecretBuffer private_key_pem;  // PKCS #8
  std::string certificate_pem;   // empty until there is one
};

// A CA: self-signed, CN "Amparo NAME CA", path length 0. `name`: of the
// network, or of the member for its agent's own port.
absl::StatusOr<TlsKeyPair> MakeCa(absl::string_view name, absl::Time from,
                                  absl::Time until);

// A private key without certificate.
absl::StatusOr<TlsKeyPair> MakeTlsKey();

// PKCS #10 request (RFC 2986), PEM, for the name "spiffe://NETWORK/member/ID".
absl::StatusOr<std::string> MakeCsr(const TlsKeyPair& key,
                                    absl::string_view network,
                                    absl::string_view member);

// SHA-256 of the key that a CSR names (DER, SubjectPublicKeyInfo): the same for
// every CSR of one key. Its self-signature must be good.
absl::StatusOr<Digest> CsrKeyHash(absl::string_view csr_pem);

// A client certificate for `member`, from a CSR whose self-signature is good.
// The name comes from `member`, never from the request. CN = member, URI SAN =
// spiffe://NETWORK/member/MEMBER, extended key usage clientAuth.
absl::StatusOr<std::string> IssueMemberCertificate(
    const TlsKeyPair& ca, absl::string_view csr_pem, absl::string_view network,
    absl::string_view member, absl::Time from, absl::Time until);

// A server's certificate, with a key of its own. `hosts`: DNS names and IP
// addresses for subjectAltName; extended key usage serverAuth.
absl::StatusOr<TlsKeyPair> IssueServerCertificate(
    const TlsKeyPair& ca, const std::vector<std::string>& hosts,
    absl::Time from, absl::Time until);

// Whether a certificate can name this host: a DNS name or an IP address, no
// wildcard. INVALID_ARGUMENT.
absl::Status CheckHost(const std::string& host);

// Member id in a certificate's URI SAN for `network`. PERMISSION_DENIED when
// there is none. The chain was checked by TLS.
absl::StatusOr<std::string> MemberOfCertificate(
    absl::string_view certificate_pem, absl::string_view network);

// OK when the certificate bears the signature of `ca_pem`'s key and names it as
// its issuer. PERMISSION_DENIED when not; INVALID_ARGUMENT for what is none.
absl::Status CheckIssuedBy(absl::string_view certificate_pem,
                           absl::string_view ca_pem);

// SHA-256 of a certificate's DER; its beginning and end; DER <-> PEM.
absl::StatusOr<Digest> CertificateHash(absl::string_view certificate_pem);
absl::StatusOr<absl::Time> CertificateStart(absl::string_view certificate_pem);
absl::StatusOr<absl::Time> CertificateEnd(absl::string_view certificate_pem);
absl::StatusOr<Bytes> CertificateDer(absl::string_view certificate_pem);
absl::StatusOr<std::string> CertificatePem(ByteView der);

}  // namespace amparo

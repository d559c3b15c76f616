#include "crypto/client_certificate.h"

#include <openssl/core_names.h>

#include <array>
#include <ctime>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "base/status.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"

namespace amparo {
namespace {

constexpr absl::string_view kBegin = "-----BEGIN ";
constexpr int kRsaBitsMin = 2048;
constexpr int kRsaBitsMax = 8192;

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  std::tm parts;
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return CertificateMalformed("a certificate whose time cannot be read");
  return absl::FromTM(parts, absl::UTCTimeZone());
}

bool IsOfNamedCurve(const EVP_PKEY& key) {
  std::array<char, 32> group;
  int spelled_out = 0;
  if (EVP_PKEY_get_int_param(&key,
                             OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                             &spelled_out) != 1 ||
      spelled_out != 0 ||
      EVP_PKEY_get_group_name(&key, group.data(), group.size(), nullptr) != 1)
    return false;
  const absl::string_view name(group.data());
  return name == SN_X9_62_prime256v1 || name == SN_secp384r1;
}

bool IsStrong(const EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "ED25519") == 1) return true;
  if (EVP_PKEY_is_a(&key, "EC") == 1) return IsOfNamedCurve(key);
  const int bits = EVP_PKEY_get_bits(&key);
  return EVP_PKEY_is_a(&key, "RSA") == 1 && bits >= kRsaBitsMin &&
         bits <= kRsaBitsMax;
}

// Else one reader could take the first, another the last.
absl::Status CheckIsAlone(absl::string_view pem) {
  if (absl::StrContains(pem, "PRIVATE KEY"))
    return CertificateMalformed("a private key stands in the file");
  const size_t first = pem.find(kBegin);
  if (first != absl::string_view::npos &&
      pem.find(kBegin, first + 1) != absl::string_view::npos)
    return CertificateMalformed("the file holds more than one certificate");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ClientCertificate> ReadClientCertificate(absl::string_view pem) {
  const ErrorQueue errors;
  RETURN_IF_ERROR(CheckIsAlone(pem));
  ASSIGN_OR_RETURN(const CertificatePtr certificate, ReadCertificate(pem));
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  if (key == nullptr || !IsStrong(*key))
    return CertificateRefused(
        "the certificate's key is not P-256, P-384, Ed25519 or RSA of 2048 to "
        "8192 bits");
  if (X509_check_purpose(certificate.get(), X509_PURPOSE_SSL_CLIENT, 0) != 1)
    return CertificateRefused("the certificate is not for TLS clients");
  ASSIGN_OR_RETURN(const absl::Time from,
                   TimeOf(X509_get0_notBefore(certificate.get())));
  ASSIGN_OR_RETURN(const absl::Time until,
                   TimeOf(X509_get0_notAfter(certificate.get())));
  ASSIGN_OR_RETURN(const Digest hash, CertificateHash(pem));
  return ClientCertificate{hash, from, until};
}

absl::Status CheckKeyOfCertificate(absl::string_view key_pem,
                                   absl::string_view certificate_pem) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(certificate_pem));
  ASSIGN_OR_RETURN(const KeyPtr key, ReadKey(AsBytes(key_pem)));
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return CertificateRefused("the private key is not the certificate's");
  return absl::OkStatus();
}

}  // namespace amparo

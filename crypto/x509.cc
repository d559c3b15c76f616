#include "crypto/x509.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "crypto/openssl.h"
#include "crypto/random.h"
#include "crypto/x509_name.h"

namespace amparo {
namespace {

constexpr size_t kSerialSize = 16;

absl::Status SetCommonName(X509_NAME* name, absl::string_view text) {
  if (name == nullptr ||
      X509_NAME_add_entry_by_NID(
          name, NID_commonName, MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(text.data()),
          static_cast<int>(text.size()), -1, 0) != 1)
    return OpensslFailed();
  return absl::OkStatus();
}

// ---- keys and requests

absl::StatusOr<KeyPtr> GenerateKey() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpensslFailed();
  return key;
}

// P-256 by name. A curve spelled out in parameters is another curve.
bool IsP256(const EVP_PKEY& key) {
  std::array<char, 32> group;
  int spelled_out = 0;
  return EVP_PKEY_is_a(&key, "EC") == 1 &&
         EVP_PKEY_get_int_param(&key,
                                OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                &spelled_out) == 1 &&
         spelled_out == 0 &&
         EVP_PKEY_get_group_name(&key, group.data(), group.size(), nullptr) ==
             1 &&
         absl::string_view(group.data()) == SN_X9_62_prime256v1;
}

// The request, when whoever made it holds the key that it names.
absl::StatusOr<RequestPtr> ReadGoodRequest(absl::string_view pem) {
  ASSIGN_OR_RETURN(RequestPtr request, ReadRequest(pem));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || !IsP256(*key))
    return CertificateMalformed("the request's key is not of P-256");
  if (X509_REQ_get_signature_nid(request.get()) != NID_ecdsa_with_SHA256 ||
      X509_REQ_verify(request.get(), key) != 1)
    return CertificateRefused("the request's signature does not fit its key");
  return request;
}

// ---- certificates

struct Contents {
  std::string common_name;
  std::vector<AlternativeName> names;
  bool is_ca = false;
  const char* extended_usage = nullptr;
  absl::Time from, until;
};

absl::Status SetTimes(X509& certificate, absl::Time from, absl::Time until) {
  if (from >= until)
    return absl::InvalidArgumentError("a certificate must end after it begins");
  if (ASN1_TIME_set(X509_getm_notBefore(&certificate), absl::ToTimeT(from)) ==
          nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(&certificate), absl::ToTimeT(until)) ==
          nullptr)
    return absl::InvalidArgumentError("a time that no certificate can hold");
  return absl::OkStatus();
}

absl::Status SetSerial(X509& certificate) {
  const Bytes serial = RandomBytes(kSerialSize);
  const NumberPtr number(
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) ==
          nullptr)
    return OpensslFailed();
  return absl::OkStatus();
}

absl::Status AddExtension(X509& certificate, X509& issuer, int nid,
                          const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr ||
      X509_add_ext(&certificate, extension.get(), -1) != 1)
    return OpensslFailed();
  return absl::OkStatus();
}

absl::Status AddExtensions(X509& certificate, X509& issuer,
                           const Contents& contents) {
  const auto add = [&](int nid, const char* value) {
    return AddExtension(certificate, issuer, nid, value);
  };
  RETURN_IF_ERROR(add(NID_basic_constraints, contents.is_ca
                                                 ? "critical,CA:TRUE,pathlen:0"
                                                 : "critical,CA:FALSE"));
  RETURN_IF_ERROR(add(NID_key_usage, contents.is_ca
                                         ? "critical,keyCertSign,cRLSign"
                                         : "critical,digitalSignature"));
  if (contents.extended_usage != nullptr)
    RETURN_IF_ERROR(add(NID_ext_key_usage, contents.extended_usage));
  RETURN_IF_ERROR(add(NID_subject_key_identifier, "hash"));
  RETURN_IF_ERROR(add(NID_authority_key_identifier, "keyid:always"));
  if (contents.names.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ExtensionPtr names, SubjectAltName(contents.names));
  return X509_add_ext(&certificate, names.get(), -1) == 1 ? absl::OkStatus()
                                                          : OpensslFailed();
}

// A certificate for `key`; self-signed when `issuer` is null.
absl::StatusOr<std::string> Certify(const Contents& contents, EVP_PKEY& key,
                                    X509* issuer, EVP_PKEY& issuer_key) {
  const CertificatePtr certificate(X509_new());
  if (certificate == nullptr ||
      X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(certificate.get(), &key) != 1)
    return OpensslFailed();
  RETURN_IF_ERROR(SetSerial(*certificate));
  RETURN_IF_ERROR(SetTimes(*certificate, contents.from, contents.until));
  RETURN_IF_ERROR(SetCommonName(X509_get_subject_name(certificate.get()),
                                contents.common_name));
  X509& signer = issuer == nullptr ? *certificate : *issuer;
  if (X509_set_issuer_name(certificate.get(), X509_get_subject_name(&signer)) !=
      1)
    return OpensslFailed();
  RETURN_IF_ERROR(AddExtensions(*certificate, signer, contents));
  if (X509_sign(certificate.get(), &issuer_key, EVP_sha256()) <= 0)
    return OpensslFailed();
  return WriteCertificate(*certificate);
}

absl::StatusOr<std::string> CertifyBy(const TlsKeyPair& ca, EVP_PKEY& key,
                                      const Contents& contents) {
  ASSIGN_OR_RETURN(const CertificatePtr issuer,
                   ReadCertificate(ca.certificate_pem));
  ASSIGN_OR_RETURN(const KeyPtr issuer_key, ReadKey(ca.private_key_pem));
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1)
    return absl::InvalidArgumentError("the ca's key and certificate differ");
  return Certify(contents, key, issuer.get(), *issuer_key);
}

absl::StatusOr<Bytes> DerOf(X509& certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(&certificate, &der);
  if (size <= 0) return OpensslFailed();
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME& time) {
  std::tm parts;
  if (ASN1_TIME_to_tm(&time, &parts) != 1)
    return CertificateMalformed("a certificate without its times");
  return absl::FromTM(parts, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<TlsKeyPair> MakeTlsKey() {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const KeyPtr key, GenerateKey());
  ASSIGN_OR_RETURN(SecretBuffer pem, WriteKey(*key));
  return TlsKeyPair{std::move(pem), ""};
}

absl::StatusOr<TlsKeyPair> MakeCa(absl::string_view name, absl::Time from,
                                  absl::Time until) {
  const ErrorQueue errors;
  RETURN_IF_ERROR(CheckNames({name}));
  ASSIGN_OR_RETURN(const KeyPtr key, GenerateKey());
  ASSIGN_OR_RETURN(std::string certificate,
                   Certify({.common_name = absl::StrCat("Amparo ", name, " CA"),
                            .is_ca = true,
                            .from = from,
                            .until = until},
                           *key, nullptr, *key));
  ASSIGN_OR_RETURN(SecretBuffer pem, WriteKey(*key));
  return TlsKeyPair{std::move(pem), std::move(certificate)};
}

absl::StatusOr<std::string> MakeCsr(const TlsKeyPair& key,
                                    absl::string_view network,
                                    absl::string_view member) {
  const ErrorQueue errors;
  RETURN_IF_ERROR(CheckNames({network, member}));
  ASSIGN_OR_RETURN(const KeyPtr private_key, ReadKey(key.private_key_pem));
  const RequestPtr request(X509_REQ_new());
  const ExtensionsPtr extensions(sk_X509_EXTENSION_new_null());
  if (request == nullptr || extensions == nullptr ||
      X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), private_key.get()) != 1)
    return OpensslFailed();
  RETURN_IF_ERROR(
      SetCommonName(X509_REQ_get_subject_name(request.get()), member));
  ASSIGN_OR_RETURN(ExtensionPtr name,
                   SubjectAltName({NameOfMember(network, member)}));
  if (sk_X509_EXTENSION_push(extensions.get(), name.get()) <= 0)
    return OpensslFailed();
  name.release();
  if (X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
      X509_REQ_sign(request.get(), private_key.get(), EVP_sha256()) <= 0)
    return OpensslFailed();
  return WriteRequest(*request);
}

absl::StatusOr<Digest> CsrKeyHash(absl::string_view csr_pem) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const RequestPtr request, ReadGoodRequest(csr_pem));
  uint8_t* der = nullptr;
  const int size = i2d_PUBKEY(X509_REQ_get0_pubkey(request.get()), &der);
  if (size <= 0) return OpensslFailed();
  const Digest hash = Sha256(ByteView(der, static_cast<size_t>(size)));
  OPENSSL_free(der);
  return hash;
}

absl::StatusOr<std::string> IssueMemberCertificate(
    const TlsKeyPair& ca, absl::string_view csr_pem, absl::string_view network,
    absl::string_view member, absl::Time from, absl::Time until) {
  const ErrorQueue errors;
  RETURN_IF_ERROR(CheckNames({network, member}));
  ASSIGN_OR_RETURN(const RequestPtr request, ReadGoodRequest(csr_pem));
  return CertifyBy(ca, *X509_REQ_get0_pubkey(request.get()),
                   {.common_name = std::string(member),
                    .names = {NameOfMember(network, member)},
                    .extended_usage = "clientAuth",
                    .from = from,
                    .until = until});
}

absl::StatusOr<TlsKeyPair> IssueServerCertificate(
    const TlsKeyPair& ca, const std::vector<std::string>& hosts,
    absl::Time from, absl::Time until) {
  const ErrorQueue errors;
  if (hosts.empty()) return absl::InvalidArgumentError("no host");
  Contents contents{.common_name = "amparo",
                    .extended_usage = "serverAuth",
                    .from = from,
                    .until = until};
  for (const std::string& host : hosts) {
    ASSIGN_OR_RETURN(AlternativeName name, NameOfHost(host));
    contents.names.push_back(std::move(name));
  }
  ASSIGN_OR_RETURN(const KeyPtr key, GenerateKey());
  ASSIGN_OR_RETURN(std::string certificate, CertifyBy(ca, *key, contents));
  ASSIGN_OR_RETURN(SecretBuffer pem, WriteKey(*key));
  return TlsKeyPair{std::move(pem), std::move(certificate)};
}

absl::Status CheckHost(const std::string& host) {
  return NameOfHost(host).status();
}

absl::StatusOr<std::string> MemberOfCertificate(
    absl::string_view certificate_pem, absl::string_view network) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(certificate_pem));
  return MemberIn(*certificate, network);
}

absl::StatusOr<Digest> CertificateHash(absl::string_view certificate_pem) {
  ASSIGN_OR_RETURN(const Bytes der, CertificateDer(certificate_pem));
  return Sha256(der);
}

absl::Status CheckIssuedBy(absl::string_view certificate_pem,
                           absl::string_view ca_pem) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(certificate_pem));
  ASSIGN_OR_RETURN(const CertificatePtr ca, ReadCertificate(ca_pem));
  if (X509_check_issued(ca.get(), certificate.get()) != X509_V_OK ||
      X509_verify(certificate.get(), X509_get0_pubkey(ca.get())) != 1)
    return CertificateRefused("the certificate is not this authority's");
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> CertificateStart(absl::string_view certificate_pem) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(certificate_pem));
  return TimeOf(*X509_get0_notBefore(certificate.get()));
}

absl::StatusOr<absl::Time> CertificateEnd(absl::string_view certificate_pem) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(certificate_pem));
  return TimeOf(*X509_get0_notAfter(certificate.get()));
}

absl::StatusOr<Bytes> CertificateDer(absl::string_view certificate_pem) {
  const ErrorQueue errors;
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(certificate_pem));
  return DerOf(*certificate);
}

absl::StatusOr<std::string> CertificatePem(ByteView der) {
  const ErrorQueue errors;
  if (der.size() > kX509BytesMax)
    return CertificateMalformed("certificate too large");
  const unsigned char* next = der.data();
  const CertificatePtr certificate(
      d2i_X509(nullptr, &next, static_cast<long>(der.size())));
  if (certificate == nullptr || next != der.data() + der.size())
    return CertificateMalformed("not a certificate");
  ASSIGN_OR_RETURN(const Bytes canonical, DerOf(*certificate));
  if (!Equal(canonical, der)) return CertificateMalformed("not der");
  return WriteCertificate(*certificate);
}

}  // namespace amparo

#include "crypto/openssl.h"

#include <openssl/pem.h>

#include <utility>

#include "base/error.h"

namespace amparo {
namespace {

BioPtr ReadingBio(ByteView bytes) {
  // OpenSSL takes a null pointer for an error, not for no bytes.
  return BioPtr(BIO_new_mem_buf(bytes.empty() ? "" : AsText(bytes).data(),
                                static_cast<int>(bytes.size())));
}

std::string TextOf(BIO& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(&bio, &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : "";
}

// Instead of OpenSSL's own, which would ask at the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

absl::Status CertificateMalformed(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, what,
                   {.code = "verification_failed"});
}

absl::Status CertificateRefused(absl::string_view what) {
  return MakeError(absl::StatusCode::kPermissionDenied, what,
                   {.code = "verification_failed"});
}

absl::Status OpensslFailed() { return absl::InternalError("openssl failed"); }

absl::StatusOr<KeyPtr> ReadKey(const SecretBuffer& pem) {
  return ReadKey(pem.Expose());
}

absl::StatusOr<KeyPtr> ReadKey(ByteView pem) {
  if (pem.size() > kX509BytesMax)
    return CertificateMalformed("private key too large");
  const BioPtr bio = ReadingBio(pem);
  if (bio == nullptr) return OpensslFailed();
  KeyPtr key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return CertificateMalformed("not a private key");
  return key;
}

absl::StatusOr<SecretBuffer> WriteKey(EVP_PKEY& key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), &key, nullptr, nullptr, 0,
                                    nullptr, nullptr) != 1)
    return OpensslFailed();
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  if (size <= 0) return OpensslFailed();
  return SecretBuffer::CopyOf(
      absl::string_view(data, static_cast<size_t>(size)));
}

absl::StatusOr<CertificatePtr> ReadCertificate(absl::string_view pem) {
  if (pem.size() > kX509BytesMax)
    return CertificateMalformed("certificate too large");
  const BioPtr bio = ReadingBio(AsBytes(pem));
  if (bio == nullptr) return OpensslFailed();
  CertificatePtr certificate(
      PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (certificate == nullptr) return CertificateMalformed("not a certificate");
  return certificate;
}

absl::StatusOr<std::string> WriteCertificate(X509& certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), &certificate) != 1)
    return OpensslFailed();
  return TextOf(*bio);
}

absl::StatusOr<RequestPtr> ReadRequest(absl::string_view pem) {
  if (pem.size() > kX509BytesMax)
    return CertificateMalformed("request too large");
  const BioPtr bio = ReadingBio(AsBytes(pem));
  if (bio == nullptr) return OpensslFailed();
  RequestPtr request(
      PEM_read_bio_X509_REQ(bio.get(), nullptr, NoPassphrase, nullptr));
  if (request == nullptr)
    return CertificateMalformed("not a certificate request");
  return request;
}

absl::StatusOr<std::string> WriteRequest(X509_REQ& request) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509_REQ(bio.get(), &request) != 1)
    return OpensslFailed();
  return TextOf(*bio);
}

}  // namespace amparo

#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/secret.h"

// OpenSSL's objects with an owner, and as PEM. For the sources of crypto/x509.h
// only: whoever includes this sees OpenSSL.

namespace amparo {

template <typename T, void (*Free)(T*)>
struct Freer {
  void operator()(T* object) const { Free(object); }
};
inline void FreeBio(BIO* bio) { BIO_free_all(bio); }
inline void FreeExtensions(STACK_OF(X509_EXTENSION) * extensions) {
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freer<T, Free>>;
using BioPtr = Owned<BIO, FreeBio>;
using KeyPtr = Owned<EVP_PKEY, EVP_PKEY_free>;
using CertificatePtr = Owned<X509, X509_free>;
using RequestPtr = Owned<X509_REQ, X509_REQ_free>;
using ExtensionPtr = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using ExtensionsPtr = Owned<STACK_OF(X509_EXTENSION), FreeExtensions>;
using NamePtr = Owned<GENERAL_NAME, GENERAL_NAME_free>;
using NamesPtr = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using NumberPtr = Owned<BIGNUM, BN_free>;

// OpenSSL keeps errors per thread, and a later TLS call on the thread would
// take ours for its own.
struct ErrorQueue {
  ~ErrorQueue() { ERR_clear_error(); }
};

// INVALID_ARGUMENT, PERMISSION_DENIED, INTERNAL. `what` has no content.
absl::Status CertificateMalformed(absl::string_view what);
absl::Status CertificateRefused(absl::string_view what);
absl::Status OpensslFailed();

// Bytes of PEM or DER that are looked at; more is INVALID_ARGUMENT.
inline constexpr size_t kX509BytesMax = 64 * 1024;

absl::StatusOr<KeyPtr> ReadKey(ByteView pem);
absl::StatusOr<KeyPtr> ReadKey(const SecretBuffer& pem);
absl::StatusOr<SecretBuffer> WriteKey(EVP_PKEY& key);
absl::StatusOr<CertificatePtr> ReadCertificate(absl::string_view pem);
absl::StatusOr<std::string> WriteCertificate(X509& certificate);
// As it stands; its signature is not checked.
absl::StatusOr<RequestPtr> ReadRequest(absl::string_view pem);
absl::StatusOr<std::string> WriteRequest(X509_REQ& request);

}  // namespace amparo

#include "tests/support/system_certificate.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>

namespace amparo {
namespace {

// No test goes on with half a certificate.
template <typename T>
T* Must(T* object) {
  if (object == nullptr) std::abort();
  return object;
}
void Must(bool done) {
  if (!done) std::abort();
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

Key MakeKey(const std::string& kind) {
  if (kind.rfind("RSA-", 0) == 0)
    return Key(
        Must(EVP_RSA_gen(static_cast<unsigned>(std::atoi(kind.c_str() + 4)))),
        EVP_PKEY_free);
  if (kind == "ED25519")
    return Key(Must(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")),
               EVP_PKEY_free);
  return Key(Must(EVP_EC_gen(kind.c_str())), EVP_PKEY_free);
}

std::string Text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}

std::string KeyPem(EVP_PKEY* key) {
  const Bio bio(Must(BIO_new(BIO_s_mem())), BIO_free_all);
  Must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0,
                                     nullptr, nullptr) == 1);
  return Text(bio.get());
}

}  // namespace

SystemCertificate MakeSystemCertificate(
    const SystemCertificateOptions& options) {
  const Key key = MakeKey(options.key);
  const Certificate made(Must(X509_new()), X509_free);
  Must(X509_set_version(made.get(), X509_VERSION_3) == 1);
  Must(ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1) == 1);
  Must(ASN1_TIME_set(X509_getm_notBefore(made.get()),
                     absl::ToTimeT(options.from)));
  Must(ASN1_TIME_set(X509_getm_notAfter(made.get()),
                     absl::ToTimeT(options.until)));
  X509_NAME* name = X509_get_subject_name(made.get());
  Must(X509_NAME_add_entry_by_txt(
           name, "CN", MBSTRING_UTF8,
           reinterpret_cast<const unsigned char*>(options.name.c_str()), -1, -1,
           0) == 1);
  Must(X509_set_issuer_name(made.get(), name) == 1);
  Must(X509_set_pubkey(made.get(), key.get()) == 1);
  if (!options.extended_usage.empty()) {
    X509_EXTENSION* usage = Must(X509V3_EXT_conf_nid(
        nullptr, nullptr, NID_ext_key_usage, options.extended_usage.c_str()));
    Must(X509_add_ext(made.get(), usage, -1) == 1);
    X509_EXTENSION_free(usage);
  }
  const EVP_MD* digest = options.key == "ED25519" ? nullptr : EVP_sha256();
  Must(X509_sign(made.get(), key.get(), digest) > 0);
  const Bio bio(Must(BIO_new(BIO_s_mem())), BIO_free_all);
  Must(PEM_write_bio_X509(bio.get(), made.get()) == 1);
  return {KeyPem(key.get()), Text(bio.get())};
}

std::string KeyOfAThief(const std::string& certificate) {
  const Bio bio(Must(BIO_new_mem_buf(certificate.data(),
                                     static_cast<int>(certificate.size()))),
                BIO_free_all);
  const Certificate stolen(
      Must(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)), X509_free);
  unsigned char point[65];
  size_t size = 0;
  Must(EVP_PKEY_get_octet_string_param(X509_get0_pubkey(stolen.get()),
                                       OSSL_PKEY_PARAM_PUB_KEY, point,
                                       sizeof point, &size) == 1);
  const Key own = MakeKey("P-256");
  BIGNUM* scalar = nullptr;
  Must(EVP_PKEY_get_bn_param(own.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) ==
       1);
  OSSL_PARAM_BLD* builder = Must(OSSL_PARAM_BLD_new());
  Must(OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                       "P-256", 0) == 1);
  Must(OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                        size) == 1);
  Must(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, scalar) == 1);
  OSSL_PARAM* parameters = Must(OSSL_PARAM_BLD_to_param(builder));
  EVP_PKEY_CTX* context =
      Must(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* mixed = nullptr;
  Must(EVP_PKEY_fromdata_init(context) == 1);
  Must(EVP_PKEY_fromdata(context, &mixed, EVP_PKEY_KEYPAIR, parameters) == 1);
  const Key key(Must(mixed), EVP_PKEY_free);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_clear_free(scalar);
  return KeyPem(key.get());
}

}  // namespace amparo

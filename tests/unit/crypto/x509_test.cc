#include "crypto/x509.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

using testing::HasSubstr;
using testing::Not;

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Request = std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

Bio Reading(absl::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
             BIO_free_all);
}
std::string Written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(size));
}
Certificate Read(const std::string& pem) {
  return Certificate(
      PEM_read_bio_X509(Reading(pem).get(), nullptr, nullptr, nullptr),
      X509_free);
}
// As `openssl x509 -text` prints it.
std::string TextOf(const std::string& pem) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free_all);
  X509_print(bio.get(), Read(pem).get());
  return Written(bio.get());
}

// What a TLS library says of `leaf` under `root`: X509_V_OK or the error.
int ChainError(const std::string& root, const std::string& leaf, int purpose,
               absl::Time now, const std::string& middle = "") {
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(
      X509_STORE_new(), X509_STORE_free);
  const Certificate ca = Read(root), certificate = Read(leaf);
  X509_STORE_add_cert(store.get(), ca.get());
  STACK_OF(X509)* between = sk_X509_new_null();
  if (!middle.empty()) sk_X509_push(between, Read(middle).release());
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(
      X509_STORE_CTX_new(), X509_STORE_CTX_free);
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), between);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_STORE_CTX_set_time(context.get(), 0, absl::ToTimeT(now));
  X509_STORE_CTX_set_flags(context.get(), X509_V_FLAG_X509_STRICT);
  X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  sk_X509_pop_free(between, X509_free);
  return error;
}

// A request as a stranger may send it: any key, any name.
std::string RequestOf(EVP_PKEY* key, const EVP_MD* hash, const char* name) {
  const Request request(X509_REQ_new(), X509_REQ_free);
  X509_REQ_set_pubkey(request.get(), key);
  X509_NAME_add_entry_by_txt(
      X509_REQ_get_subject_name(request.get()), "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_REQ_sign(request.get(), key, hash);
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free_all);
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  return Written(bio.get());
}

std::string PemOf(const char* label, const Bytes& der) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free_all);
  PEM_write_bio(bio.get(), label, "", der.data(),
                static_cast<long>(der.size()));
  return Written(bio.get());
}
Bytes DerOf(const std::string& pem) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  PEM_read_bio(Reading(pem).get(), &name, &header, &data, &size);
  Bytes der(data, data + size);
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return der;
}

class X509Test : public testing::Test {
 protected:
  absl::StatusOr<std::string> IssueFor(absl::string_view csr,
                                       absl::string_view member) {
    return IssueMemberCertificate(ca_, csr, "pt-exemplo", member, from_,
                                  until_);
  }
  std::string MemberCertificate(absl::string_view member) {
    const TlsKeyPair key = VALUE_OF(MakeTlsKey());
    return VALUE_OF(
        IssueFor(VALUE_OF(MakeCsr(key, "pt-exemplo", member)), member));
  }

  const absl::Time from_ = TimeFromUnix(1795000000);
  const absl::Time now_ = from_ + absl::Hours(24);
  const absl::Time until_ = from_ + absl::Hours(24 * 365);
  const TlsKeyPair ca_ =
      VALUE_OF(MakeCa("pt-exemplo", from_, from_ + absl::Hours(24 * 3650)));
};

TEST_F(X509Test, AMembersChainVerifiesAsAClientOnly) {
  const std::string leaf = MemberCertificate("uls");
  EXPECT_EQ(
      ChainError(ca_.certificate_pem, leaf, X509_PURPOSE_SSL_CLIENT, now_),
      X509_V_OK);
  EXPECT_EQ(
      ChainError(ca_.certificate_pem, leaf, X509_PURPOSE_SSL_SERVER, now_),
      X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(X509Test, TheBrokersChainVerifiesAsAServerOnly) {
  const TlsKeyPair broker =
      VALUE_OF(IssueServerCertificate(ca_, {"broker.example"}, from_, until_));
  EXPECT_EQ(ChainError(ca_.certificate_pem, broker.certificate_pem,
                       X509_PURPOSE_SSL_SERVER, now_),
            X509_V_OK);
  EXPECT_EQ(ChainError(ca_.certificate_pem, broker.certificate_pem,
                       X509_PURPOSE_SSL_CLIENT, now_),
            X509_V_ERR_INVALID_PURPOSE);
}

TEST_F(X509Test, AChainIsRefusedOutsideItsTimeAndUnderAnotherCa) {
  const std::string leaf = MemberCertificate("uls");
  EXPECT_EQ(ChainError(ca_.certificate_pem, leaf, X509_PURPOSE_SSL_CLIENT,
                       until_ + absl::Seconds(1)),
            X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_EQ(ChainError(ca_.certificate_pem, leaf, X509_PURPOSE_SSL_CLIENT,
                       from_ - absl::Seconds(1)),
            X509_V_ERR_CERT_NOT_YET_VALID);
  const TlsKeyPair same_name = VALUE_OF(MakeCa("pt-exemplo", from_, until_));
  EXPECT_NE(ChainError(same_name.certificate_pem, leaf, X509_PURPOSE_SSL_CLIENT,
                       now_),
            X509_V_OK);
}

TEST_F(X509Test, AMemberCannotIssueForOthers) {
  TlsKeyPair member = VALUE_OF(MakeTlsKey());
  member.certificate_pem =
      VALUE_OF(IssueFor(VALUE_OF(MakeCsr(member, "pt-exemplo", "ong")), "ong"));
  const TlsKeyPair victim = VALUE_OF(MakeTlsKey());
  const std::string forged = VALUE_OF(IssueMemberCertificate(
      member, VALUE_OF(MakeCsr(victim, "pt-exemplo", "uls")), "pt-exemplo",
      "uls", from_, until_));
  EXPECT_NE(ChainError(ca_.certificate_pem, forged, X509_PURPOSE_SSL_CLIENT,
                       now_, member.certificate_pem),
            X509_V_OK);
}

TEST_F(X509Test, TheCaSaysWhatItMayDo) {
  const std::string text = TextOf(ca_.certificate_pem);
  for (const char* part :
       {"Subject: CN=Amparo pt-exemplo CA", "Issuer: CN=Amparo pt-exemplo CA",
        "X509v3 Basic Constraints: critical", "CA:TRUE, pathlen:0",
        "X509v3 Key Usage: critical", "Certificate Sign, CRL Sign",
        "Subject Key Identifier", "Authority Key Identifier",
        "ASN1 OID: prime256v1", "ecdsa-with-SHA256"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(X509Test, AMembersCertificateSaysWhoItIs) {
  const std::string pem = MemberCertificate("uls");
  const std::string text = TextOf(pem);
  for (const char* part :
       {"Subject: CN=uls", "Issuer: CN=Amparo pt-exemplo CA",
        "URI:spiffe://pt-exemplo/member/uls", "TLS Web Client Authentication",
        "Digital Signature", "CA:FALSE", "Subject Key Identifier",
        "Authority Key Identifier"})
    EXPECT_THAT(text, HasSubstr(part));
  EXPECT_EQ(VALUE_OF(MemberOfCertificate(pem, "pt-exemplo")), "uls");
}

TEST_F(X509Test, SerialNumbersAreRandom) {
  std::set<std::string> serials;
  for (int i = 0; i < 8; ++i) {
    const Certificate leaf = Read(MemberCertificate("uls"));
    const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf.get());
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER);  // not negative
    EXPECT_GE(ASN1_STRING_length(serial), 12);
    serials.insert(std::string(
        reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
        static_cast<size_t>(ASN1_STRING_length(serial))));
  }
  EXPECT_EQ(serials.size(), 8u);
}

TEST_F(X509Test, ARequestForAnotherMemberGetsTheMemberThatWasInvited) {
  const TlsKeyPair key = VALUE_OF(MakeTlsKey());
  const std::string pem =
      VALUE_OF(IssueFor(VALUE_OF(MakeCsr(key, "pt-exemplo", "gnr")), "ong"));
  EXPECT_EQ(VALUE_OF(MemberOfCertificate(pem, "pt-exemplo")), "ong");
  EXPECT_THAT(TextOf(pem), Not(HasSubstr("gnr")));
}

TEST_F(X509Test, ATamperedRequestIsRefused) {
  const TlsKeyPair key = VALUE_OF(MakeTlsKey());
  const Bytes der = DerOf(VALUE_OF(MakeCsr(key, "pt-exemplo", "uls")));
  ASSERT_OK(IssueFor(PemOf("CERTIFICATE REQUEST", der), "uls"));
  for (size_t i = 0; i < der.size(); ++i) {
    Bytes tampered = der;
    tampered[i] ^= 1;
    ASSERT_FALSE(IssueFor(PemOf("CERTIFICATE REQUEST", tampered), "uls").ok())
        << i;
  }
}

TEST_F(X509Test, RequestsOfOneKeyHaveOneHash) {
  const TlsKeyPair key = VALUE_OF(MakeTlsKey());
  const std::string first = VALUE_OF(MakeCsr(key, "pt-exemplo", "uls"));
  const std::string second = VALUE_OF(MakeCsr(key, "pt-exemplo", "uls"));
  ASSERT_NE(first, second);
  const Digest hash = VALUE_OF(CsrKeyHash(first));
  EXPECT_EQ(VALUE_OF(CsrKeyHash(second)), hash);
  const std::string other =
      VALUE_OF(MakeCsr(VALUE_OF(MakeTlsKey()), "pt-exemplo", "uls"));
  EXPECT_NE(VALUE_OF(CsrKeyHash(other)), hash);
  EXPECT_FALSE(CsrKeyHash("no request").ok());
}

TEST_F(X509Test, ARequestForAKeyThatItsMakerDoesNotHoldIsRefused) {
  const Key own(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Key foreign(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Request request(X509_REQ_new(), X509_REQ_free);
  X509_REQ_set_pubkey(request.get(), foreign.get());
  X509_REQ_sign(request.get(), own.get(), EVP_sha256());
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free_all);
  PEM_write_bio_X509_REQ(bio.get(), request.get());
  const auto refused = IssueFor(Written(bio.get()), "uls");
  EXPECT_THAT(refused, kDenied);
  EXPECT_EQ(ErrorCodeOf(refused.status()), "verification_failed");
}

TEST_F(X509Test, RequestsOfOtherKeysAreRefused) {
  const Key rsa(EVP_RSA_gen(2048), EVP_PKEY_free);
  const Key p384(EVP_EC_gen("P-384"), EVP_PKEY_free);
  const Key k256(EVP_EC_gen("secp256k1"), EVP_PKEY_free);
  const Key ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                    EVP_PKEY_free);
  const Key p256(EVP_EC_gen("P-256"), EVP_PKEY_free);
  EXPECT_THAT(IssueFor(RequestOf(rsa.get(), EVP_sha256(), "uls"), "uls"),
              kMalformed);
  EXPECT_THAT(IssueFor(RequestOf(p384.get(), EVP_sha256(), "uls"), "uls"),
              kMalformed);
  EXPECT_THAT(IssueFor(RequestOf(k256.get(), EVP_sha256(), "uls"), "uls"),
              kMalformed);
  EXPECT_THAT(IssueFor(RequestOf(ed25519.get(), nullptr, "uls"), "uls"),
              kMalformed);
  EXPECT_THAT(IssueFor(RequestOf(p256.get(), EVP_sha1(), "uls"), "uls"),
              kDenied);
  EXPECT_OK(IssueFor(RequestOf(p256.get(), EVP_sha256(), "uls"), "uls"));
}

TEST_F(X509Test, ACurveSpelledOutInParametersIsRefused) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  ASSERT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), "encoding", "explicit"),
            1);
  EXPECT_THAT(IssueFor(RequestOf(key.get(), EVP_sha256(), "uls"), "uls"),
              kMalformed);
}

TEST_F(X509Test, NamesCannotCarryMoreNames) {
  const TlsKeyPair key = VALUE_OF(MakeTlsKey());
  const std::string csr = VALUE_OF(MakeCsr(key, "pt-exemplo", "uls"));
  for (const std::string& bad :
       {std::string(), std::string("uls,DNS:evil.example"),
        std::string("uls/x"), std::string("../gnr"), std::string("ULS"),
        std::string("uls\n"), std::string("uls\0gnr", 7), std::string("1uls"),
        std::string(33, 'a')}) {
    EXPECT_THAT(IssueFor(csr, bad), kMalformed) << bad;
    EXPECT_THAT(MakeCsr(key, "pt-exemplo", bad), kMalformed) << bad;
    EXPECT_THAT(MakeCsr(key, bad, "uls"), kMalformed) << bad;
    EXPECT_THAT(MakeCa(bad, from_, until_), kMalformed) << bad;
  }
  const std::string longest(32, 'a');
  EXPECT_OK(MakeCa(longest, from_, until_));
  EXPECT_OK(IssueFor(csr, longest));
}

TEST_F(X509Test, ACertificateOfAnotherNetworkIsOfNoMember) {
  const std::string pem = MemberCertificate("uls");
  EXPECT_THAT(MemberOfCertificate(pem, "pt-outra"), kDenied);
  EXPECT_THAT(MemberOfCertificate(pem, "pt-exempl"), kDenied);
  EXPECT_THAT(MemberOfCertificate(pem, ""), kDenied);
  EXPECT_THAT(MemberOfCertificate(ca_.certificate_pem, "pt-exemplo"), kDenied);
  const TlsKeyPair broker =
      VALUE_OF(IssueServerCertificate(ca_, {"uls"}, from_, until_));
  EXPECT_THAT(MemberOfCertificate(broker.certificate_pem, "pt-exemplo"),
              kDenied);
  EXPECT_THAT(MemberOfCertificate("", "pt-exemplo"), kMalformed);
  EXPECT_THAT(MemberOfCertificate("-----BEGIN CERTIFICATE-----", "pt-exemplo"),
              kMalformed);
}

// A certificate with the text `names` as subjectAltName, signed by a stranger.
std::string CertificateNamed(const char* names) {
  const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const Certificate certificate(X509_new(), X509_free);
  X509_set_pubkey(certificate.get(), key.get());
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), 0);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), 1);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names);
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free_all);
  PEM_write_bio_X509(bio.get(), certificate.get());
  return Written(bio.get());
}

TEST_F(X509Test, AMemberHasExactlyOneName) {
  EXPECT_EQ(VALUE_OF(MemberOfCertificate(
                CertificateNamed("URI:spiffe://pt-exemplo/member/uls"),
                "pt-exemplo")),
            "uls");
  for (const char* names :
       {"URI:spiffe://pt-exemplo/member/uls,URI:spiffe://pt-exemplo/member/gnr",
        "URI:spiffe://pt-exemplo/member/uls,DNS:broker.example",
        "URI:spiffe://pt-exemplo/member/",
        "URI:spiffe://pt-exemplo/member/uls/x",
        "URI:spiffe://pt-exemplo/member/ULS", "URI:spiffe://pt-exemplo/uls",
        "URI:https://pt-exemplo/member/uls", "DNS:uls",
        "URI:spiffe://other@pt-exemplo/member/uls", "email:uls@pt-exemplo"})
    EXPECT_THAT(MemberOfCertificate(CertificateNamed(names), "pt-exemplo"),
                kDenied)
        << names;
}

TEST_F(X509Test, HostsAreAddressesOrNames) {
  const TlsKeyPair broker = VALUE_OF(IssueServerCertificate(
      ca_, {"127.0.0.1", "::1", "broker.example", "localhost", "10-0-0-1.x"},
      from_, until_));
  const Certificate certificate = Read(broker.certificate_pem);
  for (const char* address : {"127.0.0.1", "::1", "0:0:0:0:0:0:0:1"})
    EXPECT_EQ(X509_check_ip_asc(certificate.get(), address, 0), 1) << address;
  for (const char* host : {"broker.example", "localhost", "10-0-0-1.x"})
    EXPECT_EQ(X509_check_host(certificate.get(), host, 0,
                              X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr),
              1)
        << host;
  EXPECT_EQ(X509_check_host(certificate.get(), "127.0.0.1", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(certificate.get(), "127.0.0.2", 0), 0);
  EXPECT_THAT(TextOf(broker.certificate_pem),
              HasSubstr("TLS Web Server Authentication"));
}

TEST_F(X509Test, RefusesWhatIsNoHost) {
  for (const std::string& host :
       {std::string(), std::string("*.example"), std::string("a..b"),
        std::string("-a.b"), std::string("a-.b"), std::string("a b"),
        std::string("a,DNS:b"), std::string("a_b"), std::string("256.1.1.1"),
        std::string("127.0.0.1\0.evil.example", 23), std::string("b.example."),
        std::string("broker.example:7443"), std::string("[::1]"),
        std::string(64, 'a'), std::string("é.example")})
    EXPECT_THAT(IssueServerCertificate(ca_, {host}, from_, until_), kMalformed)
        << host;
  EXPECT_THAT(IssueServerCertificate(ca_, {}, from_, until_), kMalformed);
}

TEST_F(X509Test, PrivateKeysArePkcs8AndFitTheirCertificate) {
  const TlsKeyPair broker =
      VALUE_OF(IssueServerCertificate(ca_, {"localhost"}, from_, until_));
  const absl::string_view pem = AsText(broker.private_key_pem.Expose());
  EXPECT_TRUE(absl::StartsWith(pem, "-----BEGIN PRIVATE KEY-----\n"));
  const Key key(
      PEM_read_bio_PrivateKey(Reading(pem).get(), nullptr, nullptr, nullptr),
      EVP_PKEY_free);
  EXPECT_EQ(
      X509_check_private_key(Read(broker.certificate_pem).get(), key.get()), 1);
  EXPECT_TRUE(VALUE_OF(MakeTlsKey()).certificate_pem.empty());
}

TEST_F(X509Test, ACaWhoseKeyAndCertificateDifferIssuesNothing) {
  const TlsKeyPair other = VALUE_OF(MakeCa("pt-exemplo", from_, until_));
  const TlsKeyPair mixed{other.private_key_pem.Copy(), ca_.certificate_pem};
  EXPECT_THAT(IssueServerCertificate(mixed, {"localhost"}, from_, until_),
              kMalformed);
  const TlsKeyPair damaged{SecretBuffer::CopyOf("no key"), ca_.certificate_pem};
  EXPECT_THAT(IssueServerCertificate(damaged, {"localhost"}, from_, until_),
              kMalformed);
  const TlsKeyPair empty{SecretBuffer(), ""};
  EXPECT_THAT(IssueServerCertificate(empty, {"localhost"}, from_, until_),
              kMalformed);
}

TEST_F(X509Test, RefusesTimesThatNoCertificateCanHold) {
  EXPECT_THAT(MakeCa("local", until_, from_), kMalformed);
  EXPECT_THAT(MakeCa("local", from_, from_), kMalformed);
  EXPECT_THAT(MakeCa("local", from_, absl::InfiniteFuture()), kMalformed);
  EXPECT_THAT(MakeCa("local", absl::InfinitePast(), until_), kMalformed);
}

TEST_F(X509Test, TheEndIsToldToTheSecond) {
  EXPECT_EQ(VALUE_OF(CertificateEnd(MemberCertificate("uls"))), until_);
  const absl::Time far = VALUE_OF(ParseUtc("2051-01-02T03:04:05Z"));
  EXPECT_EQ(VALUE_OF(CertificateEnd(
                VALUE_OF(MakeCa("local", from_, far)).certificate_pem)),
            far);
  EXPECT_THAT(CertificateEnd("x"), kMalformed);
}

TEST_F(X509Test, DerAndPemAreTheSameCertificate) {
  const Bytes der = VALUE_OF(CertificateDer(ca_.certificate_pem));
  EXPECT_EQ(VALUE_OF(CertificatePem(der)), ca_.certificate_pem);
  EXPECT_EQ(VALUE_OF(CertificateHash(ca_.certificate_pem)), Sha256(der));
  EXPECT_EQ(der, DerOf(ca_.certificate_pem));
}

TEST_F(X509Test, RefusesDerThatIsNotExactlyOneCertificate) {
  const Bytes der = VALUE_OF(CertificateDer(ca_.certificate_pem));
  Bytes longer = der;
  longer.push_back(0);
  EXPECT_THAT(CertificatePem(longer), kMalformed);
  EXPECT_THAT(CertificatePem(ByteView(der).first(der.size() - 1)), kMalformed);
  EXPECT_THAT(CertificatePem({}), kMalformed);
  EXPECT_THAT(CertificatePem(Bytes(100000, 0x30)), kMalformed);
  // The outer length in one byte more than it needs: BER, not DER.
  ASSERT_EQ(der[1], 0x82);
  Bytes ber(der.size() + 1);
  ber[0] = 0x30;
  ber[1] = 0x83;
  std::copy(der.begin() + 2, der.end(), ber.begin() + 3);
  EXPECT_THAT(CertificatePem(ber), kMalformed);
}

TEST_F(X509Test, FailuresLeaveNothingForTheNextTlsCallOnTheThread) {
  EXPECT_FALSE(CertificateDer("x").ok());
  EXPECT_FALSE(CertificatePem(Bytes{1}).ok());
  EXPECT_FALSE(IssueFor("x", "uls").ok());
  EXPECT_FALSE(MemberOfCertificate("x", "local").ok());
  EXPECT_EQ(ERR_peek_error(), 0u);
}

}  // namespace
}  // namespace amparo

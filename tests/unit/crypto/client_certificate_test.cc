#include "crypto/client_certificate.h"

#include "base/clock.h"
#include "crypto/x509.h"
#include "tests/support/status_matchers.h"
#include "tests/support/system_certificate.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

SystemCertificate WithKey(const std::string& kind) {
  SystemCertificateOptions options;
  options.key = kind;
  return MakeSystemCertificate(options);
}

TEST(ClientCertificateTest, IsReadWithItsTimeAndItsHash) {
  SystemCertificateOptions options;
  options.from = absl::FromUnixSeconds(1795000000);
  options.until = absl::FromUnixSeconds(1796000000);
  const std::string pem = MakeSystemCertificate(options).certificate;
  const ClientCertificate read = VALUE_OF(ReadClientCertificate(pem));
  EXPECT_EQ(read.hash, VALUE_OF(CertificateHash(pem)));
  EXPECT_EQ(read.from, options.from);
  EXPECT_EQ(read.until, options.until);
}

TEST(ClientCertificateTest, IsInItsTimeFromItsFirstSecondToItsLast) {
  const ClientCertificate certificate{Digest(), absl::FromUnixSeconds(10),
                                      absl::FromUnixSeconds(20)};
  EXPECT_FALSE(certificate.IsInItsTime(absl::FromUnixSeconds(9)));
  EXPECT_TRUE(certificate.IsInItsTime(absl::FromUnixSeconds(10)));
  EXPECT_TRUE(certificate.IsInItsTime(absl::FromUnixSeconds(20)));
  EXPECT_FALSE(certificate.IsInItsTime(absl::FromUnixSeconds(21)));
}

TEST(ClientCertificateTest, MayHaveEachOfTheStrongKeys) {
  for (const char* kind : {"P-256", "P-384", "ED25519", "RSA-2048"})
    EXPECT_OK(ReadClientCertificate(WithKey(kind).certificate)) << kind;
}

TEST(ClientCertificateTest, IsRefusedWithAWeakKeyOrAnUnusualOne) {
  for (const char* kind : {"RSA-1024", "P-224", "secp256k1", "P-521"})
    EXPECT_THAT(ReadClientCertificate(WithKey(kind).certificate), kDenied)
        << kind;
}

TEST(ClientCertificateTest, IsRefusedWhenItIsForServersOnly) {
  SystemCertificateOptions options;
  options.extended_usage = "serverAuth";
  EXPECT_THAT(ReadClientCertificate(MakeSystemCertificate(options).certificate),
              kDenied);
  options.extended_usage = "clientAuth";
  EXPECT_OK(ReadClientCertificate(MakeSystemCertificate(options).certificate));
}

TEST(ClientCertificateTest, StandsAloneInItsFile) {
  const SystemCertificate one = MakeSystemCertificate();
  const SystemCertificate other = MakeSystemCertificate();
  EXPECT_THAT(ReadClientCertificate(one.certificate + other.certificate),
              kMalformed);
  EXPECT_THAT(ReadClientCertificate(one.key + one.certificate), kMalformed);
  EXPECT_THAT(ReadClientCertificate(one.certificate + one.key), kMalformed);
}

TEST(ClientCertificateTest, IsRefusedWhenItIsNone) {
  const std::string pem = MakeSystemCertificate().certificate;
  EXPECT_THAT(ReadClientCertificate(""), kMalformed);
  EXPECT_THAT(ReadClientCertificate("certificate"), kMalformed);
  EXPECT_THAT(ReadClientCertificate(pem.substr(0, pem.size() / 2)), kMalformed);
  EXPECT_THAT(ReadClientCertificate(std::string(100000, 'A')), kMalformed);
}

TEST(KeyOfCertificate, FitsItsOwnCertificateAlone) {
  for (const char* kind : {"P-256", "ED25519", "RSA-2048"}) {
    const SystemCertificate one = WithKey(kind);
    const SystemCertificate other = WithKey(kind);
    EXPECT_OK(CheckKeyOfCertificate(one.key, one.certificate)) << kind;
    EXPECT_THAT(CheckKeyOfCertificate(other.key, one.certificate), kDenied);
    EXPECT_THAT(CheckKeyOfCertificate(one.certificate, one.key), kMalformed);
    EXPECT_THAT(CheckKeyOfCertificate("", one.certificate), kMalformed);
  }
}

}  // namespace
}  // namespace amparo

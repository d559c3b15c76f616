#include "proto/network/ca_note.h"

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "crypto/checkpoint.h"
#include "crypto/x509.h"
#include "proto/network/certificate_request.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

constexpr char kNetwork[] = "pt-exemplo";
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);
const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);

Bytes NewCa() {
  return VALUE_OF(
      CertificateDer(VALUE_OF(MakeCa(kNetwork, kNoon, kNoon + absl::Hours(1)))
                         .certificate_pem));
}

NoteVerifier VerifierOf(const SigningKey& key,
                        absl::string_view name = kNetwork) {
  return VALUE_OF(
      NoteVerifier::Create(name, NoteKeyType::kEd25519, key.verify_key()));
}

class CaNoteTest : public testing::Test {
 protected:
  absl::StatusOr<CaNote> Verify(absl::string_view text) {
    return VerifyCaNote(text, kNetwork, {VerifierOf(log_key_)}, kNoon);
  }
  // Any text under a good signature.
  std::string Signed(const std::string& text) {
    Note note{text, {}};
    EXPECT_OK(SignNote(note, kNetwork, log_key_));
    return FormatNote(note);
  }

  const SigningKey log_key_ = SigningKey::Generate();
  const CaNote sample_{kNetwork, 7, NewCa(), NewCa()};
};

TEST_F(CaNoteTest, IsReadBackAsSigned) {
  CaNote told = VALUE_OF(Verify(VALUE_OF(SignCaNote(sample_, {&log_key_}))));
  EXPECT_EQ(told.network, kNetwork);
  EXPECT_EQ(told.number, 7u);
  EXPECT_EQ(told.ca_der, sample_.ca_der);
  EXPECT_EQ(told.next_ca_der, sample_.next_ca_der);
  told = VALUE_OF(Verify(VALUE_OF(
      SignCaNote({kNetwork, 1, sample_.ca_der, std::nullopt}, {&log_key_}))));
  EXPECT_EQ(told.next_ca_der, std::nullopt);
}

TEST_F(CaNoteTest, OneOfTwoLogKeysIsEnough) {
  const SigningKey next = SigningKey::Generate();
  EXPECT_OK(Verify(VALUE_OF(SignCaNote(sample_, {&next, &log_key_}))));
  EXPECT_OK(VerifyCaNote(VALUE_OF(SignCaNote(sample_, {&log_key_})), kNetwork,
                         {VerifierOf(next), VerifierOf(log_key_)}, kNoon));
}

TEST_F(CaNoteTest, AttackNobodyButTheLogsKeyNamesACa) {
  const SigningKey thief = SigningKey::Generate();
  const std::string forged = VALUE_OF(SignCaNote(sample_, {&thief}));
  EXPECT_THAT(Verify(forged), kDenied);
  EXPECT_THAT(VerifyCaNote(forged, kNetwork, {}, kNoon), kDenied);
  // The good signature under another text.
  std::string good = VALUE_OF(SignCaNote(sample_, {&log_key_}));
  Note note = VALUE_OF(ParseNote(good));
  note.text = VALUE_OF(ParseNote(forged)).text;
  note.text.replace(note.text.find("\n7\n"), 3, "\n8\n");
  EXPECT_THAT(Verify(FormatNote(note)), kDenied);
}

// Whoever took it could follow no later one, and no file could hold it.
TEST_F(CaNoteTest, AttackANumberOfATimeToComeIsRefused) {
  const uint64_t tomorrow =
      static_cast<uint64_t>(absl::ToUnixSeconds(kNoon + absl::Hours(24)));
  const auto with = [&](const std::string& number) {
    return Verify(
        Signed(absl::StrCat("amparo/v1/ca\npt-exemplo\n", number, "\n",
                            ToBase64Url(sample_.ca_der), "\n")));
  };
  EXPECT_OK(with(absl::StrCat(tomorrow)));
  EXPECT_THAT(with(absl::StrCat(tomorrow + 1)), kDenied);
  EXPECT_THAT(with("253402300799"), kDenied);
  for (const char* number :
       {"253402300800", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "18446744073709551616"})
    EXPECT_THAT(with(number), kMalformed) << number;
}

TEST_F(CaNoteTest, WhatWasKeptIsReadWithoutItsSignature) {
  const std::string note = VALUE_OF(SignCaNote(sample_, {&log_key_}));
  EXPECT_EQ(VALUE_OF(ParseCaNote(note)).number, 7u);
  EXPECT_THAT(ParseCaNote("no note"), kMalformed);
}

TEST_F(CaNoteTest, OfAnotherNetworkIsRefused) {
  CaNote other = sample_;
  other.network = "pt-outro";
  EXPECT_FALSE(Verify(VALUE_OF(SignCaNote(other, {&log_key_}))).ok());
  // The log's own name on it, another network inside.
  EXPECT_THAT(Verify(Signed(absl::StrCat("amparo/v1/ca\npt-outro\n1\n",
                                         ToBase64Url(sample_.ca_der), "\n"))),
              kDenied);
}

TEST_F(CaNoteTest, ACheckpointIsNone) {
  EXPECT_THAT(Verify(Signed(absl::StrCat(kNetwork, "\n1\n",
                                         ToBase64Url(Bytes(32, 1)), "\n"))),
              kMalformed);
}

TEST_F(CaNoteTest, WhatIsMalformedIsRefused) {
  const std::string ca = ToBase64Url(sample_.ca_der);
  for (const std::string& body :
       {absl::StrCat("0\n", ca, "\n"), absl::StrCat("01\n", ca, "\n"),
        absl::StrCat("x\n", ca, "\n"), std::string("1\n"),
        std::string("1\nAA\n"), absl::StrCat("1\n", ca, "\nAA\n"),
        absl::StrCat("1\n", ca, "\n", ca, "\n", ca, "\n")})
    EXPECT_THAT(
        Verify(Signed(absl::StrCat("amparo/v1/ca\npt-exemplo\n", body))),
        kMalformed)
        << body;
  EXPECT_THAT(Verify(""), kMalformed);
  EXPECT_THAT(Verify(std::string(20000, 'a')), kMalformed);
}

TEST(CertificateRequestTest, IsTheIdentitysAlone) {
  const SigningKey identity = SigningKey::Generate();
  const CertificateRequest request{Fill(1), Id("ong"), Fill(2), kNoon};
  const std::string document = SignCertificateRequest(request, identity);
  const CertificateRequest back =
      VALUE_OF(VerifyCertificateRequest(document, identity.verify_key()));
  EXPECT_EQ(back.net, request.net);
  EXPECT_EQ(back.member, request.member);
  EXPECT_EQ(back.csr, request.csr);
  EXPECT_EQ(back.at, request.at);
  EXPECT_THAT(
      VerifyCertificateRequest(document, SigningKey::Generate().verify_key()),
      kDenied);
  EXPECT_FALSE(VerifyCertificateRequest("", identity.verify_key()).ok());
}

}  // namespace
}  // namespace amparo

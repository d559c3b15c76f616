#include "crypto/keys.h"

#include "base/encoding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

SecretKeyBytes Secret(absl::string_view hex) {
  return SecretKeyBytes::CopyOf(VALUE_OF(FromHex(hex)));
}

// RFC 8037, appendix A: the key of RFC 8032 section 7.1, test 1.
constexpr char kSeed[] =
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr char kPublicText[] =
    "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

TEST(SigningKey, DerivesThePublicHalfOfRfc8037) {
  const SigningKey key = VALUE_OF(SigningKey::FromSeed(Secret(kSeed)));
  EXPECT_EQ(key.verify_key().ToString(), kPublicText);
  EXPECT_EQ(ToHex(key.seed().Expose()), kSeed);
  EXPECT_EQ(key.Copy().verify_key(), key.verify_key());
}

TEST(SigningKey, NeedsASeedOf32Bytes) {
  for (size_t size : {0, 31, 33, 64})
    EXPECT_THAT(SigningKey::FromSeed(SecretKeyBytes(size)),
                StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SigningKey, IsAnotherOneEveryTimeItIsGenerated) {
  EXPECT_NE(SigningKey::Generate().verify_key(),
            SigningKey::Generate().verify_key());
}

TEST(VerifyKey, ParsesWhatItPrintsAndNothingElse) {
  EXPECT_EQ(VALUE_OF(VerifyKey::Parse(kPublicText)).ToString(), kPublicText);
  const std::string text = kPublicText;
  for (const std::string& bad :
       {std::string(), text.substr(8), text + "=", text.substr(0, 50),
        "Ed25519:" + text.substr(8),
        // The same bytes in a second spelling: filling bits that are not zero.
        text.substr(0, text.size() - 1) + "p"})
    EXPECT_THAT(VerifyKey::Parse(bad),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
}

// RFC 8037, appendix A.3.
TEST(VerifyKey, HasTheThumbprintOfRfc8037) {
  EXPECT_EQ(
      ToBase64Url(VALUE_OF(VerifyKey::Parse(kPublicText)).Thumbprint().bytes()),
      "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(VerifyKey, RefusesPointsThatVerifiersDisagreeOn) {
  struct {
    const char* name;
    const char* key;
  } const bad[] = {
      {"identity",
       "0100000000000000000000000000000000000000000000000000000000000000"},
      {"order 2",
       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"order 4",
       "0000000000000000000000000000000000000000000000000000000000000000"},
      {"order 8",
       "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
      {"identity, not canonical",
       "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"order 2L (CVE-2025-69277)",
       "9599999999999999999999999999999999999999999999999999999999999999"},
      {"not on the curve",
       "0200000000000000000000000000000000000000000000000000000000000000"},
  };
  for (const auto& c : bad)
    EXPECT_THAT(VerifyKey::FromBytes(VALUE_OF(FromHex(c.key))),
                StatusIs(absl::StatusCode::kPermissionDenied))
        << c.name;
  for (size_t size : {0, 31, 33})
    EXPECT_THAT(VerifyKey::FromBytes(Bytes(size, 7)),
                StatusIs(absl::StatusCode::kInvalidArgument));
}

// RFC 7748, section 6.1.
TEST(OpeningKey, DerivesThePublicHalfOfRfc7748) {
  const OpeningKey alice = VALUE_OF(OpeningKey::FromSecret(Secret(
      "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")));
  EXPECT_EQ(ToHex(alice.sealing_key().bytes()),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
}

TEST(OpeningKey, NeedsASecretOf32Bytes) {
  for (size_t size : {0, 31, 33})
    EXPECT_THAT(OpeningKey::FromSecret(SecretKeyBytes(size)),
                StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SealingKey, IsNamedByItsLabelledHash) {
  const SealingKey key = OpeningKey::Generate().sealing_key();
  EXPECT_EQ(key.Id(),
            LabelledHash("amparo/v1/prekey").Fixed(key.bytes()).Finish());
  EXPECT_EQ(VALUE_OF(SealingKey::FromBytes(key.bytes())), key);
  EXPECT_THAT(SealingKey::FromBytes(Bytes(31)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace amparo

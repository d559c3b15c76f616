#include "crypto/sign.h"

#include "base/encoding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

constexpr char kLabel[] = "amparo/v1/test";

Bytes Hex(const std::string& hex) { return VALUE_OF(FromHex(hex)); }
SigningKey KeyOf(const std::string& seed_hex) {
  return VALUE_OF(SigningKey::FromSeed(SecretKeyBytes::CopyOf(Hex(seed_hex))));
}

// What an outsider does with the bytes of a key, a message and a signature.
bool Accepts(const Bytes& key_bytes, ByteView message, ByteView signature) {
  const auto key = VerifyKey::FromBytes(key_bytes);
  return key.ok() && VerifyStrictRaw(*key, message, signature).ok();
}

TEST(Sign, MakesTheSignaturesOfRfc8032) {
  struct {
    const char *seed, *key, *message, *signature;
  } const tests[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821"
       "590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e"
       "43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
       "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b5"
       "38d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
  };
  for (const auto& t : tests) {
    const SigningKey key = KeyOf(t.seed);
    EXPECT_EQ(ToHex(key.verify_key().bytes()), t.key);
    const Signature signature = SignRaw(key, Hex(t.message));
    EXPECT_EQ(ToHex(signature), t.signature);
    EXPECT_OK(VerifyStrictRaw(key.verify_key(), Hex(t.message), signature));
  }
}

TEST(Sign, PutsLabelAndAZeroByteInFront) {
  const SigningKey key = SigningKey::Generate();
  const Bytes message = ToBytes("message");
  const Signature signature = Sign(key, kLabel, message);
  Bytes whole = ToBytes("amparo/v1/test");
  whole.push_back(0);
  Append(whole, message);
  EXPECT_OK(VerifyStrictRaw(key.verify_key(), whole, signature));
  EXPECT_OK(VerifyStrict(key.verify_key(), kLabel, message, signature));
}

TEST(VerifyStrict, RefusesAnotherLabelMessageOrKey) {
  const SigningKey key = SigningKey::Generate();
  const Bytes message = ToBytes("message");
  const Signature signature = Sign(key, kLabel, message);
  const auto denied = StatusIs(absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(
      VerifyStrict(key.verify_key(), "amparo/v1/tes", message, signature),
      denied);
  EXPECT_THAT(VerifyStrictRaw(key.verify_key(), message, signature), denied);
  EXPECT_THAT(
      VerifyStrict(key.verify_key(), kLabel, AsBytes("massage"), signature),
      denied);
  EXPECT_THAT(VerifyStrict(SigningKey::Generate().verify_key(), kLabel, message,
                           signature),
              denied);
}

TEST(VerifyStrict, RefusesASignatureWithAnyByteChangedOrOfAnotherSize) {
  const SigningKey key = SigningKey::Generate();
  const Bytes message = ToBytes("message");
  const Signature signature = SignRaw(key, message);
  const auto denied = StatusIs(absl::StatusCode::kPermissionDenied);
  for (size_t i = 0; i < signature.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      Signature changed = signature;
      changed[i] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_THAT(VerifyStrictRaw(key.verify_key(), message, changed), denied);
    }
  EXPECT_THAT(VerifyStrictRaw(key.verify_key(), message, {}), denied);
  EXPECT_THAT(
      VerifyStrictRaw(key.verify_key(), message, ByteView(signature).first(63)),
      denied);
  Bytes longer = ToBytes(ByteView(signature));
  longer.push_back(0);
  EXPECT_THAT(VerifyStrictRaw(key.verify_key(), message, longer), denied);
}

// S + L instead of S: the same equation, another text.
TEST(VerifyStrict, RefusesTheSecondSpellingOfASignature) {
  const SigningKey key = SigningKey::Generate();
  Signature signature = SignRaw(key, AsBytes("message"));
  const Bytes order =
      Hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  int carry = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const int sum = signature[32 + i] + order[i] + carry;
    signature[32 + i] = static_cast<uint8_t>(sum);
    carry = sum >> 8;
  }
  EXPECT_THAT(VerifyStrictRaw(key.verify_key(), AsBytes("message"), signature),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

// With the identity for a key, R = the identity and S = 0 "sign" everything.
TEST(VerifyStrict, RefusesTheKeyUnderWhichEverythingIsSigned) {
  Bytes identity(32, 0);
  identity[0] = 1;
  Bytes signature = identity;
  Append(signature, Bytes(32, 0));
  EXPECT_FALSE(Accepts(identity, AsBytes("any message"), signature));
}

TEST(SelfTestSign, PassesWithTheLibsodiumWeAreMadeFor) {
  EXPECT_OK(SelfTestSign());
}

TEST(SignVectors, SignaturesOfRfc8032) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("rfc8032/ed25519-sign.json");
  for (const Json& v : file["vectors"]) {
    const SigningKey key = KeyOf(v["seed"]);
    const Bytes message = Hex(v["message"]);
    EXPECT_EQ(ToHex(key.verify_key().bytes()), v["public"].get<std::string>());
    EXPECT_EQ(ToHex(SignRaw(key, message)), v["signature"].get<std::string>());
    EXPECT_TRUE(Accepts(Hex(v["public"]), message, Hex(v["signature"])));
  }
}

TEST(SignVectors, WycheproofEd25519) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("wycheproof/ed25519_test.json");
  for (const Json& group : file["testGroups"])
    for (const Json& t : group["tests"])
      EXPECT_EQ(
          Accepts(Hex(group["publicKey"]["pk"]), Hex(t["msg"]), Hex(t["sig"])),
          t["result"] == "valid")
          << t["tcId"];
}

TEST(SignVectors, EdgeCasesAreAcceptedOnlyByTheStrictRule) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("ed25519-edge/cctv-ed25519-edge-cases.json");
  size_t accepted = 0;
  for (const Json& v : file["vectors"]) {
    const bool accepts = Accepts(
        Hex(v["key"]), AsBytes(v["msg"].get<std::string>()), Hex(v["sig"]));
    EXPECT_EQ(accepts, v["verify_strict"].get<bool>()) << v["number"];
    accepted += accepts ? 1 : 0;
  }
  EXPECT_EQ(accepted, 1u);  // the honest one
}

}  // namespace
}  // namespace amparo

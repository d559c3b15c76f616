#include "crypto/hpke.h"

#include "base/encoding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

Bytes Hex(const std::string& hex) { return VALUE_OF(FromHex(hex)); }
OpeningKey KeyOf(const std::string& hex) {
  return VALUE_OF(OpeningKey::FromSecret(SecretKeyBytes::CopyOf(Hex(hex))));
}
SealingKey SealingKeyOf(const std::string& hex) {
  return VALUE_OF(SealingKey::FromBytes(Hex(hex)));
}

const auto kRefused = StatusIs(absl::StatusCode::kPermissionDenied);
constexpr absl::string_view kInfo = "amparo/v1/seal header";

class Hpke : public testing::Test {
 protected:
  Hpke()
      : key_(OpeningKey::Generate()),
        sealed_(VALUE_OF(
            Seal(key_.sealing_key(), AsBytes(kInfo), AsBytes("text")))) {}
  absl::StatusOr<SecretBuffer> OpenHere(ByteView enc, ByteView ciphertext) {
    return Open(key_, AsBytes(kInfo), enc, ciphertext);
  }
  const OpeningKey key_;
  const Sealed sealed_;
};

TEST_F(Hpke, OpensWhatWasSealedToTheKey) {
  EXPECT_EQ(sealed_.enc.size(), 32u);
  EXPECT_EQ(sealed_.ciphertext.size(), 4u + 16u);
  EXPECT_EQ(
      AsText(VALUE_OF(OpenHere(sealed_.enc, sealed_.ciphertext)).Expose()),
      "text");
}

TEST_F(Hpke, SealsEmptyAndLargePlaintexts) {
  for (size_t size : {0, 1, 1 << 20}) {
    const Bytes text(size, 0x5a);
    const Sealed sealed = VALUE_OF(Seal(key_.sealing_key(), {}, text));
    EXPECT_TRUE(EqualSecret(
        VALUE_OF(Open(key_, {}, sealed.enc, sealed.ciphertext)).Expose(),
        text));
  }
}

TEST_F(Hpke, TwoSealingsShareNoByteString) {
  const Sealed again =
      VALUE_OF(Seal(key_.sealing_key(), AsBytes(kInfo), AsBytes("text")));
  EXPECT_NE(again.enc, sealed_.enc);
  EXPECT_NE(again.ciphertext, sealed_.ciphertext);
}

TEST_F(Hpke, AnotherKeyDoesNotOpen) {
  EXPECT_THAT(Open(OpeningKey::Generate(), AsBytes(kInfo), sealed_.enc,
                   sealed_.ciphertext),
              kRefused);
}

TEST_F(Hpke, AnotherHeaderDoesNotOpen) {
  EXPECT_THAT(Open(key_, AsBytes("amparo/v1/seal heaver"), sealed_.enc,
                   sealed_.ciphertext),
              kRefused);
  EXPECT_THAT(Open(key_, {}, sealed_.enc, sealed_.ciphertext), kRefused);
}

TEST_F(Hpke, AnyChangedByteDoesNotOpen) {
  for (size_t i = 0; i < sealed_.enc.size(); ++i) {
    Bytes enc = sealed_.enc;
    enc[i] ^= 1;
    EXPECT_THAT(OpenHere(enc, sealed_.ciphertext), kRefused) << i;
  }
  for (size_t i = 0; i < sealed_.ciphertext.size(); ++i) {
    Bytes ciphertext = sealed_.ciphertext;
    ciphertext[i] ^= 1;
    EXPECT_THAT(OpenHere(sealed_.enc, ciphertext), kRefused) << i;
  }
}

// X25519 ignores enc's top bit; the key schedule does not.
TEST_F(Hpke, ASecondSpellingOfTheEncapsulatedKeyDoesNotOpen) {
  Bytes enc = sealed_.enc;
  enc[31] ^= 0x80;
  EXPECT_THAT(OpenHere(enc, sealed_.ciphertext), kRefused);
}

TEST_F(Hpke, AnyOtherSizeDoesNotOpen) {
  for (size_t size : {0, 31})
    EXPECT_THAT(OpenHere(ByteView(sealed_.enc).first(size), sealed_.ciphertext),
                kRefused);
  Bytes enc = sealed_.enc;
  enc.push_back(0);
  EXPECT_THAT(OpenHere(enc, sealed_.ciphertext), kRefused);
  for (size_t size = 0; size < sealed_.ciphertext.size(); ++size)
    EXPECT_THAT(OpenHere(sealed_.enc, ByteView(sealed_.ciphertext).first(size)),
                kRefused);
}

// A peer that gives a point of small order would know the shared secret.
TEST_F(Hpke, PointsOfSmallOrderAreRefusedOnBothSides) {
  for (const char* point :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"}) {
    EXPECT_THAT(Seal(SealingKeyOf(point), {}, AsBytes("text")), kRefused)
        << point;
    EXPECT_THAT(OpenHere(Hex(point), sealed_.ciphertext), kRefused) << point;
  }
}

// RFC 9180, appendix A.2.1: mode Base, the setup and sequence numbers 0, 2 and
// 256.
TEST(HpkeRfc9180, FitsAppendixA2) {
  const OpeningKey recipient = VALUE_OF(DeriveOpeningKeyForTest(
      Hex("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df")));
  const OpeningKey ephemeral = VALUE_OF(DeriveOpeningKeyForTest(
      Hex("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b")));
  EXPECT_EQ(ToHex(recipient.secret().Expose()),
            "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
  EXPECT_EQ(ToHex(recipient.sealing_key().bytes()),
            "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
  const Bytes info = ToBytes("Ode on a Grecian Urn");
  const Bytes plaintext = ToBytes("Beauty is truth, truth beauty");
  struct {
    uint64_t sequence;
    const char *aad, *ciphertext;
  } const cases[] = {
      {0, "Count-0",
       "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c6"
       "2ce81883d2dd1b51a28"},
      {2, "Count-2",
       "71146bd6795ccc9c49ce25dda112a48f202ad220559502cef1f34271e0cb4b02b4f10ec"
       "ac6f48c32f878fae86b"},
      {256, "Count-256",
       "7a4a13e9ef23978e2c520fd4d2e757514ae160cd0cd05e556ef692370ca53076214c0c4"
       "0d4c728d6ed9e727a5b"},
  };
  for (const auto& c : cases) {
    const Sealed sealed =
        VALUE_OF(SealForTest(recipient.sealing_key(), info, AsBytes(c.aad),
                             plaintext, c.sequence, ephemeral));
    EXPECT_EQ(
        ToHex(sealed.enc),
        "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");
    EXPECT_EQ(ToHex(sealed.ciphertext), c.ciphertext);
    EXPECT_EQ(
        AsText(VALUE_OF(OpenForTest(recipient, info, AsBytes(c.aad), sealed.enc,
                                    sealed.ciphertext, c.sequence))
                   .Expose()),
        AsText(plaintext));
  }
}

// RFC 7748, section 6.1.
TEST(X25519, FitsRfc7748) {
  const OpeningKey alice =
      KeyOf("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const SealingKey bob = SealingKeyOf(
      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(ToHex(VALUE_OF(X25519ForTest(alice, bob)).Expose()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(HpkeVectors, EverySealOfRfc9180InModeBase) {
  NEEDS_VECTORS();
  const Json file = ReadVectors(
      "hpke/rfc9180-dhkem-x25519-hkdf-sha256--chacha20poly1305.json");
  size_t seals = 0;
  for (const Json& v : file["vectors"]) {
    if (v["mode"] != 0) continue;  // we have no other
    const OpeningKey recipient =
        VALUE_OF(DeriveOpeningKeyForTest(Hex(v["ikmR"])));
    const OpeningKey ephemeral =
        VALUE_OF(DeriveOpeningKeyForTest(Hex(v["ikmE"])));
    EXPECT_EQ(ToHex(recipient.secret().Expose()), v["skRm"].get<std::string>());
    EXPECT_EQ(ToHex(ephemeral.secret().Expose()), v["skEm"].get<std::string>());
    EXPECT_EQ(ToHex(recipient.sealing_key().bytes()),
              v["pkRm"].get<std::string>());
    const Bytes info = Hex(v["info"]);
    for (const Json& e : v["encryptions"]) {
      const uint64_t sequence = e["seq"].get<uint64_t>();
      const Sealed sealed =
          VALUE_OF(SealForTest(recipient.sealing_key(), info, Hex(e["aad"]),
                               Hex(e["pt"]), sequence, ephemeral));
      EXPECT_EQ(ToHex(sealed.enc), v["enc"].get<std::string>());
      EXPECT_EQ(ToHex(sealed.ciphertext), e["ct"].get<std::string>());
      EXPECT_EQ(
          ToHex(VALUE_OF(OpenForTest(recipient, info, Hex(e["aad"]),
                                     Hex(v["enc"]), Hex(e["ct"]), sequence))
                    .Expose()),
          e["pt"].get<std::string>());
      ++seals;
    }
  }
  EXPECT_GT(seals, 0u);
}

TEST(HpkeVectors, SingleShotWithItsRefusals) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("derived/hpke-single-shot.json");
  size_t opened_count = 0, refused_count = 0;
  for (const Json& c : file["cases"]) {
    if (c["mode"] != 0) continue;  // we have no other
    const auto opened =
        OpenForTest(KeyOf(c["skRm"]), Hex(c["info"]), Hex(c["aad"]),
                    Hex(c["enc"]), Hex(c["ct"]), 0);
    if (!c["open_ok"].get<bool>()) {
      EXPECT_THAT(opened, kRefused) << c.value("comment", "");
      ++refused_count;
      continue;
    }
    ASSERT_OK(opened);
    EXPECT_EQ(ToHex(opened->Expose()), c["pt"].get<std::string>());
    const Sealed sealed =
        VALUE_OF(SealForTest(SealingKeyOf(c["pkRm"]), Hex(c["info"]),
                             Hex(c["aad"]), Hex(c["pt"]), 0, KeyOf(c["skEm"])));
    EXPECT_EQ(ToHex(sealed.enc), c["enc"].get<std::string>());
    EXPECT_EQ(ToHex(sealed.ciphertext), c["ct"].get<std::string>());
    ++opened_count;
  }
  EXPECT_GT(opened_count, 0u);
  EXPECT_GT(refused_count, 0u);
}

TEST(X25519Vectors, Wycheproof) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("wycheproof/x25519_test.json");
  for (const Json& group : file["testGroups"])
    for (const Json& t : group["tests"]) {
      const auto shared =
          X25519ForTest(KeyOf(t["private"]), SealingKeyOf(t["public"]));
      bool zero = false;
      for (const Json& flag : t["flags"]) zero |= flag == "ZeroSharedSecret";
      if (zero) {
        EXPECT_THAT(shared, kRefused) << t["tcId"];
      } else {
        ASSERT_OK(shared) << t["tcId"];
        EXPECT_EQ(ToHex(shared->Expose()), t["shared"].get<std::string>())
            << t["tcId"];
      }
    }
}

TEST(X25519Vectors, Rfc7748WithAThousandRounds) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("rfc7748/x25519.json");
  for (const Json& v : file["kat"])
    EXPECT_EQ(ToHex(VALUE_OF(X25519ForTest(KeyOf(v["scalar"]),
                                           SealingKeyOf(v["input"])))
                        .Expose()),
              v["output"].get<std::string>());
  for (const Json& v : file["iterated"]) {
    std::string k = "09" + std::string(62, '0'), u = k;
    for (int i = 0; i < v["times"].get<int>(); ++i) {
      const std::string next =
          ToHex(VALUE_OF(X25519ForTest(KeyOf(k), SealingKeyOf(u))).Expose());
      u = k;
      k = next;
    }
    EXPECT_EQ(k, v["key"].get<std::string>()) << v["times"];
  }
}

TEST(AeadVectors, WycheproofChaCha20Poly1305) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("wycheproof/chacha20_poly1305_test.json");
  for (const Json& group : file["testGroups"])
    for (const Json& t : group["tests"]) {
      const SecretKeyBytes key = SecretKeyBytes::CopyOf(Hex(t["key"]));
      const Bytes nonce = Hex(t["iv"]), aad = Hex(t["aad"]);
      Bytes ciphertext = Hex(t["ct"]);
      Append(ciphertext, Hex(t["tag"]));
      const auto opened = AeadOpenForTest(key, nonce, aad, ciphertext);
      ASSERT_EQ(opened.ok(), t["result"] == "valid") << t["tcId"];
      if (!opened.ok()) continue;
      EXPECT_EQ(ToHex(opened->Expose()), t["msg"].get<std::string>())
          << t["tcId"];
      EXPECT_EQ(AeadSealForTest(key, nonce, aad, Hex(t["msg"])), ciphertext)
          << t["tcId"];
    }
}

}  // namespace
}  // namespace amparo

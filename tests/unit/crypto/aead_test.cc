#include "crypto/aead.h"

#include "base/encoding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

Bytes Hex(const std::string& hex) { return VALUE_OF(FromHex(hex)); }

const auto kRefused = StatusIs(absl::StatusCode::kPermissionDenied);

TEST(SealLocal, OpensWithTheSameKeyAndAssociatedData) {
  const SecretKeyBytes key = SecretKeyBytes::Random(kAeadKeySize);
  for (const char* text : {"", "x", "a plaintext of some length"}) {
    const Bytes sealed = SealLocal(key, AsBytes("place"), AsBytes(text));
    EXPECT_EQ(sealed.size(), std::string(text).size() + kAeadOverhead);
    EXPECT_EQ(
        AsText(VALUE_OF(OpenLocal(key, AsBytes("place"), sealed)).Expose()),
        text);
  }
}

TEST(SealLocal, NeverMakesTheSameBytesTwice) {
  const SecretKeyBytes key = SecretKeyBytes::Random(kAeadKeySize);
  EXPECT_NE(SealLocal(key, {}, AsBytes("text")),
            SealLocal(key, {}, AsBytes("text")));
}

TEST(OpenLocal, RefusesAnotherKeyOrPlace) {
  const SecretKeyBytes key = SecretKeyBytes::Random(kAeadKeySize);
  const Bytes sealed = SealLocal(key, AsBytes("place"), AsBytes("text"));
  EXPECT_THAT(
      OpenLocal(SecretKeyBytes::Random(kAeadKeySize), AsBytes("place"), sealed),
      kRefused);
  EXPECT_THAT(OpenLocal(key, AsBytes("other place"), sealed), kRefused);
  EXPECT_THAT(OpenLocal(key, {}, sealed), kRefused);
}

TEST(OpenLocal, RefusesAnyChangedByteAndAnyOtherSize) {
  const SecretKeyBytes key = SecretKeyBytes::Random(kAeadKeySize);
  const Bytes sealed = SealLocal(key, AsBytes("place"), AsBytes("text"));
  for (size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_THAT(OpenLocal(key, AsBytes("place"), changed), kRefused) << i;
  }
  for (size_t size = 0; size < sealed.size(); ++size)
    EXPECT_THAT(OpenLocal(key, AsBytes("place"), ByteView(sealed).first(size)),
                kRefused)
        << size;
  Bytes longer = sealed;
  longer.push_back(0);
  EXPECT_THAT(OpenLocal(key, AsBytes("place"), longer), kRefused);
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(SealLocal, FitsThePublishedXChaCha20Poly1305) {
  const SecretKeyBytes key = SecretKeyBytes::CopyOf(
      Hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  const Bytes sealed = SealLocalForTest(
      key, Hex("404142434445464748494a4b4c4d4e4f5051525354555657"),
      Hex("50515253c0c1c2c3c4c5c6c7"),
      AsBytes("Ladies and Gentlemen of the class of '99: If I could offer you "
              "only one tip for the future, sunscreen would be it."));
  EXPECT_EQ(ToHex(ByteView(sealed).subspan(24)),
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
            "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
            "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
            "21f9664c97637da9768812f615c68b13b52e"
            "c0875924c1c7987947deafd8780acf49");
}

TEST(AeadVectors, WycheproofXChaCha20Poly1305) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("wycheproof/xchacha20_poly1305_test.json");
  for (const Json& group : file["testGroups"])
    for (const Json& t : group["tests"]) {
      const SecretKeyBytes key = SecretKeyBytes::CopyOf(Hex(t["key"]));
      const Bytes nonce = Hex(t["iv"]), aad = Hex(t["aad"]);
      Bytes sealed = nonce;
      Append(sealed, Hex(t["ct"]));
      Append(sealed, Hex(t["tag"]));
      const auto opened = OpenLocal(key, aad, sealed);
      ASSERT_EQ(opened.ok(), t["result"] == "valid") << t["tcId"];
      if (!opened.ok()) continue;
      EXPECT_EQ(ToHex(opened->Expose()), t["msg"].get<std::string>())
          << t["tcId"];
      EXPECT_EQ(SealLocalForTest(key, nonce, aad, Hex(t["msg"])), sealed)
          << t["tcId"];
    }
}

}  // namespace
}  // namespace amparo

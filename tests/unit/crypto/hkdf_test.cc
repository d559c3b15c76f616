#include "crypto/hkdf.h"

#include "base/encoding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/vectors.h"

namespace amparo {
namespace {

Bytes Hex(const std::string& hex) { return VALUE_OF(FromHex(hex)); }

// RFC 5869, appendix A.1.
TEST(Hkdf, FitsTheFirstCaseOfRfc5869) {
  const SecretKeyBytes prk =
      HkdfExtract(Hex("000102030405060708090a0b0c"), Bytes(22, 0x0b));
  EXPECT_EQ(ToHex(prk.Expose()),
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const SecretKeyBytes okm =
      VALUE_OF(HkdfExpand(prk, Hex("f0f1f2f3f4f5f6f7f8f9"), 42));
  EXPECT_EQ(ToHex(okm.Expose()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34"
            "007208d5b887185865");
}

// RFC 5869, appendix A.3: no salt, no info.
TEST(Hkdf, TakesAnEmptySaltForZeros) {
  const SecretKeyBytes prk = HkdfExtract({}, Bytes(22, 0x0b));
  EXPECT_EQ(ToHex(prk.Expose()),
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  EXPECT_TRUE(EqualSecret(prk.Expose(),
                          HkdfExtract(Bytes(32, 0), Bytes(22, 0x0b)).Expose()));
}

TEST(Hkdf, GivesNoMoreThan255Blocks) {
  const SecretKeyBytes prk = HkdfExtract({}, AsBytes("key"));
  EXPECT_EQ(VALUE_OF(HkdfExpand(prk, {}, 255 * 32)).size(), 255u * 32u);
  EXPECT_THAT(HkdfExpand(prk, {}, 255 * 32 + 1),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(VALUE_OF(HkdfExpand(prk, {}, 0)).size(), 0u);
}

TEST(HkdfVectors, Wycheproof) {
  NEEDS_VECTORS();
  const Json file = ReadVectors("wycheproof/hkdf_sha256_test.json");
  for (const Json& group : file["testGroups"])
    for (const Json& t : group["tests"]) {
      const auto okm = HkdfExpand(HkdfExtract(Hex(t["salt"]), Hex(t["ikm"])),
                                  Hex(t["info"]), t["size"].get<size_t>());
      ASSERT_EQ(okm.ok(), t["result"] == "valid") << t["tcId"];
      if (okm.ok()) {
        EXPECT_EQ(ToHex(okm->Expose()), t["okm"].get<std::string>())
            << t["tcId"];
      }
    }
}

}  // namespace
}  // namespace amparo

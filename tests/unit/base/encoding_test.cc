#include "base/encoding.h"

#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

// RFC 4648 section 10.
TEST(Encoding, GivesThePublishedVectors) {
  EXPECT_EQ(ToBase64(AsBytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(ToBase64(AsBytes("foob")), "Zm9vYg==");
  EXPECT_EQ(ToBase64Url(AsBytes("foob")), "Zm9vYg");
  EXPECT_EQ(ToBase32(AsBytes("foob")), "mzxw6yq");
  EXPECT_EQ(ToHex(AsBytes("foob")), "666f6f62");
}

TEST(Encoding, RoundTripsEveryLength) {
  for (size_t size = 0; size < 70; ++size) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 37 + size);
    EXPECT_EQ(VALUE_OF(FromHex(ToHex(bytes))), bytes);
    EXPECT_EQ(VALUE_OF(FromBase64(ToBase64(bytes))), bytes);
    EXPECT_EQ(VALUE_OF(FromBase64Url(ToBase64Url(bytes))), bytes);
    EXPECT_EQ(VALUE_OF(FromBase32(ToBase32(bytes))), bytes);
  }
}

TEST(Encoding, RefusesASecondSpelling) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(FromHex("6F"), refused);
  EXPECT_THAT(FromHex("6"), refused);
  EXPECT_THAT(FromBase64Url("Zm9vYg=="), refused);
  EXPECT_THAT(FromBase64Url("Zm9vYh"), refused);  // filling bits set
  EXPECT_THAT(FromBase64Url("Z"), refused);
  EXPECT_THAT(FromBase64Url("Zm9v\n"), refused);
  EXPECT_THAT(FromBase64("Zm9vYg"), refused);
  EXPECT_THAT(FromBase64("Zm9vYh=="), refused);
  EXPECT_THAT(FromBase64("Zm9v===="), refused);
  EXPECT_THAT(FromBase32("mzxw6yr"), refused);
  EXPECT_THAT(FromBase32("MZXW6YQ"), refused);
}

}  // namespace
}  // namespace amparo

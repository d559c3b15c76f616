#include "proto/envelope/anchor.h"

#include "tests/unit/proto/envelope/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

class AnchorTest : public testing::Test {
 protected:
  SigningKey key_ = SigningKey::Generate();
  SignedAnchor anchor_ = SignAnchor(
      {Fill(1), Id("ong"), key_.verify_key().Thumbprint(), kNoon, Fill(2)},
      key_);
};

TEST_F(AnchorTest, IsAcceptedAsItsMemberSignedIt) {
  EXPECT_OK(VerifyAnchor(anchor_, key_.verify_key()));
  const SignedAnchor again =
      VALUE_OF(MakeSignedAnchor(anchor_.anchor_bytes, anchor_.signature));
  EXPECT_EQ(again.anchor, anchor_.anchor);
  EXPECT_OK(VerifyAnchor(again, key_.verify_key()));
}

TEST_F(AnchorTest, NoByteOfItCanBeFlipped) {
  for (size_t i = 0; i < anchor_.anchor_bytes.size(); ++i) {
    Bytes flipped = anchor_.anchor_bytes;
    flipped[i] ^= 0x01;
    const auto decoded = MakeSignedAnchor(flipped, anchor_.signature);
    if (!decoded.ok()) continue;
    EXPECT_THAT(VerifyAnchor(*decoded, key_.verify_key()), kDenied)
        << "byte " << i;
  }
}

TEST_F(AnchorTest, AnotherKeyIsRefusedEvenIfItSigned) {
  const SigningKey other = SigningKey::Generate();
  EXPECT_THAT(VerifyAnchor(anchor_, other.verify_key()), kDenied);
  const SignedAnchor foreign = SignAnchor(anchor_.anchor, other);
  EXPECT_THAT(VerifyAnchor(foreign, other.verify_key()), kDenied);
  EXPECT_THAT(VerifyAnchor(foreign, key_.verify_key()), kDenied);
}

TEST_F(AnchorTest, AnEnvelopesSignatureIsNoAnchors) {
  SignedAnchor confused = anchor_;
  confused.signature = SignEnvelope(key_, Sha256(anchor_.anchor_bytes));
  EXPECT_THAT(VerifyAnchor(confused, key_.verify_key()), kDenied);
}

TEST_F(AnchorTest, UnknownFieldsAndCutBytesAreRefused) {
  Bytes unknown_field = anchor_.anchor_bytes;
  Append(unknown_field, Bytes{0xf8, 0x01, 0x01});
  EXPECT_THAT(MakeSignedAnchor(unknown_field, anchor_.signature), kMalformed);
  Bytes cut = anchor_.anchor_bytes;
  cut.pop_back();
  EXPECT_THAT(MakeSignedAnchor(cut, anchor_.signature), kMalformed);
  EXPECT_THAT(MakeSignedAnchor({}, anchor_.signature), kMalformed);
  EXPECT_THAT(MakeSignedAnchor(anchor_.anchor_bytes, Bytes(63)), kMalformed);
}

TEST(AnchorDigest, DependsOnEachPart) {
  const Bytes salt(32, 1);
  const Digest base = AnchorDigest(salt, Fill(2), Fill(3));
  EXPECT_NE(AnchorDigest(Bytes(32, 9), Fill(2), Fill(3)), base);
  EXPECT_NE(AnchorDigest(salt, Fill(9), Fill(3)), base);
  EXPECT_NE(AnchorDigest(salt, Fill(2), Digest()), base);
  EXPECT_NE(AnchorDigest(salt, Fill(3), Fill(2)), base);
}

TEST(AnchorDigest, IsTheHashThatTheProtocolWritesDown) {
  Bytes bytes{16};
  Append(bytes, AsBytes("amparo/v1/anchor"));
  Append(bytes, Bytes(32, 1));
  Append(bytes, Fill(2).bytes());
  Append(bytes, Fill(3).bytes());
  EXPECT_EQ(AnchorDigest(Bytes(32, 1), Fill(2), Fill(3)), Sha256(bytes));
}

TEST(ManifestDigest, ADisclosureCannotMoveToTheGrantsOrBeCutInTwo) {
  const Bytes salt(32, 1);
  const Digest base = ManifestDigest(salt, {"ab", "c"}, {"d"});
  EXPECT_NE(ManifestDigest(salt, {"ab"}, {"c", "d"}), base);
  EXPECT_NE(ManifestDigest(salt, {"a", "bc"}, {"d"}), base);
  EXPECT_NE(ManifestDigest(salt, {"c", "ab"}, {"d"}), base);
  EXPECT_NE(ManifestDigest(salt, {"ab", "c", "d"}, {}), base);
  EXPECT_EQ(ManifestDigest(salt, {"ab", "c"}, {"d"}), base);
}

TEST(AnchorDeathTest, ASaltOfAnotherSizeIsABug) {
  EXPECT_DEATH(AnchorDigest(Bytes(31, 1), Fill(2), Fill(3)), "");
}

}  // namespace
}  // namespace amparo

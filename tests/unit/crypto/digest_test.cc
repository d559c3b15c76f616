#include "crypto/digest.h"

#include "base/encoding.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

constexpr char kOfAbc[] =
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, FitsTheValuesOfFips180) {
  EXPECT_EQ(Sha256("abc").ToString(), kOfAbc);
  EXPECT_EQ(Sha256("").ToString(),
            "sha256:"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                .ToString(),
            "sha256:"
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Digest, ParsesWhatItPrintsAndNothingElse) {
  EXPECT_EQ(VALUE_OF(Digest::Parse(kOfAbc)), Sha256("abc"));
  const std::string text = kOfAbc;
  for (const std::string& bad :
       {std::string(), text.substr(7), text + "0", text.substr(0, 69),
        "SHA256:" + text.substr(7), "sha256:BA" + text.substr(9), text + "\n"})
    EXPECT_THAT(Digest::Parse(bad),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << bad;
}

TEST(Digest, HasExactly32Bytes) {
  EXPECT_OK(Digest::FromBytes(Bytes(32, 1)));
  for (size_t size : {0, 31, 33, 64})
    EXPECT_THAT(Digest::FromBytes(Bytes(size, 1)),
                StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Digest, OfZerosMeansNone) {
  EXPECT_TRUE(Digest().IsZero());
  EXPECT_FALSE(Sha256("").IsZero());
}

// H(label; fields): the bytes that are hashed, spelled out.
TEST(LabelledHash, HashesLabelAndFieldsAsTheProtocolSays) {
  const Digest fixed = Sha256("fixed");
  Bytes input = {2, 'h', 'i'};
  Append(input, fixed.bytes());
  AppendU64(input, 3);
  Append(input, AsBytes("abc"));
  AppendU64(input, 2);
  AppendU64(input, 0);
  AppendU64(input, 1);
  input.push_back('x');
  EXPECT_EQ(LabelledHash("hi")
                .Fixed(fixed)
                .Variable("abc")
                .List(2)
                .Variable("")
                .Variable("x")
                .Finish(),
            Sha256(input));
}

TEST(LabelledHash, MovingABorderBetweenFieldsChangesTheHash) {
  const auto of = [](absl::string_view a, absl::string_view b) {
    return LabelledHash("amparo/v1/test").Variable(a).Variable(b).Finish();
  };
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
  EXPECT_NE(of("abc", ""), of("", "abc"));
  EXPECT_NE(LabelledHash("label").Finish(),
            LabelledHash("lab").Fixed(AsBytes("el")).Finish());
}

TEST(LabelledHashDeathTest, RefusesALabelThatCouldLookLikeATreeNode) {
  EXPECT_DEATH(LabelledHash(""), "");
  EXPECT_DEATH(LabelledHash("x"), "");
  EXPECT_DEATH(LabelledHash(std::string(256, 'x')), "");
  EXPECT_OK(
      Digest::FromBytes(LabelledHash(std::string(255, 'x')).Finish().bytes()));
}

}  // namespace
}  // namespace amparo

#include "proto/envelope/erasure.h"

#include <functional>

#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

class ErasureTest : public testing::Test {
 protected:
  absl::StatusOr<VerifiedErasure> Verify(absl::string_view token) {
    return VerifyErasure(token, keys_);
  }
  // A good erasure's payload, changed and signed again.
  absl::StatusOr<VerifiedErasure> Changed(
      const std::function<void(Json&)>& change) {
    Json payload =
        VALUE_OF(PeekJwsPayload(SignErasure(erasure_, key_), kErasureBytesMax));
    change(payload);
    return Verify(SignJws(key_, kErasureTyp, payload));
  }

  SigningKey key_ = SigningKey::Generate();
  Erasure erasure_{Fill(1),
                   Id("ong"),
                   kNoon,
                   ErasureAuthority::kParty,
                   {LeafIndex(0), LeafIndex(7), LeafIndex(1000000)}};
  KeyLookup keys_ = [this](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    if (kid == key_.verify_key().Thumbprint()) return key_.verify_key();
    return absl::PermissionDeniedError("unknown key");
  };
};

TEST_F(ErasureTest, IsReadBackAsSigned) {
  for (const auto authority :
       {ErasureAuthority::kParty, ErasureAuthority::kCaseOpener}) {
    erasure_.authority = authority;
    const std::string token = SignErasure(erasure_, key_);
    const VerifiedErasure verified = VALUE_OF(Verify(token));
    EXPECT_EQ(verified.erasure, erasure_);
    EXPECT_EQ(verified.kid, key_.verify_key().Thumbprint());
    EXPECT_EQ(VALUE_OF(PeekErasure(token)), erasure_);
  }
}

TEST_F(ErasureTest, ByAnotherKeyIsRefused) {
  EXPECT_THAT(Verify(SignErasure(erasure_, SigningKey::Generate())),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ErasureTest, OfAnotherTypIsRefused) {
  const Json payload =
      VALUE_OF(PeekJwsPayload(SignErasure(erasure_, key_), kErasureBytesMax));
  EXPECT_FALSE(Verify(SignJws(key_, "amparo-recall+jwt", payload)).ok());
}

TEST_F(ErasureTest, ThatIsMalformedIsRefused) {
  const std::function<void(Json&)> changes[] = {
      [](Json& p) { p["leaves"] = Json::array(); },
      [](Json& p) {
        p["leaves"] = {7, 7};
      },
      [](Json& p) {
        p["leaves"] = {8, 7};
      },
      [](Json& p) { p["leaves"] = {-1}; },
      [](Json& p) { p["leaves"] = {1.5}; },
      [](Json& p) { p["leaves"] = {"1"}; },
      [](Json& p) { p["leaves"] = 7; },
      [](Json& p) { p["authority"] = "broker"; },
      [](Json& p) { p["iss"] = "ONG"; },
      [](Json& p) { p["net"] = "sha256:00"; },
      [](Json& p) { p["iat"] = -5; },
      [](Json& p) { p["extra"] = 1; },
      [](Json& p) { p.erase("authority"); },
  };
  ASSERT_OK(Changed([](Json&) {}));
  for (const auto& change : changes)
    EXPECT_THAT(Changed(change), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ErasureTest, OverItsSizeIsRefused) {
  while (erasure_.leaves.size() < 600)
    erasure_.leaves.push_back(LeafIndex(erasure_.leaves.back().value() + 1));
  EXPECT_THAT(Verify(SignErasure(erasure_, key_)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace amparo

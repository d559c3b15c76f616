#include "proto/network/invitation.h"

#include <functional>

#include "base/encoding.h"
#include "base/error.h"
#include "crypto/jws.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);
const auto kDenied = StatusIs(absl::StatusCode::kPermissionDenied);

Invitation Sample() {
  return {"pt-exemplo",  Id("ong"), "broker.example:7444",
          Bytes(300, 1), Fill(2),   Bytes(16, 3),
          kNoon};
}

// The JSON of a good invitation, changed, with check digits that fit.
absl::StatusOr<Invitation> Changed(const std::function<void(Json&)>& change) {
  const std::string line = FormatInvitation(Sample());
  const size_t first = line.find('.');
  const size_t second = line.find('.', first + 1);
  Json json = VALUE_OF(ParseJson(AsText(
      VALUE_OF(FromBase64Url(line.substr(first + 1, second - first - 1))))));
  change(json);
  const std::string text = DumpJson(json);
  return ParseInvitation("amparo1." + ToBase64Url(AsBytes(text)) + "." +
                         ToHex(Sha256(text).bytes()).substr(0, 8));
}

TEST(Invitation, IsReadBackAsWritten) {
  const Invitation again =
      VALUE_OF(ParseInvitation(FormatInvitation(Sample())));
  EXPECT_EQ(again.network, "pt-exemplo");
  EXPECT_EQ(again.member, Id("ong"));
  EXPECT_EQ(again.enrol, "broker.example:7444");
  EXPECT_EQ(again.ca_der, Bytes(300, 1));
  EXPECT_EQ(again.root, Fill(2));
  EXPECT_EQ(again.token, Bytes(16, 3));
  EXPECT_EQ(again.until, kNoon);
  EXPECT_OK(ParseInvitation(" " + FormatInvitation(Sample()) + "\r\n"));
}

TEST(Invitation, NamesTheNextCaWhileItChanges) {
  Invitation invitation = Sample();
  invitation.next_ca_der = Bytes(310, 9);
  const Invitation again =
      VALUE_OF(ParseInvitation(FormatInvitation(invitation)));
  EXPECT_EQ(again.ca_der, invitation.ca_der);
  EXPECT_EQ(again.next_ca_der, invitation.next_ca_der);
}

TEST(Invitation, NoCharacterCanBeMistyped) {
  const std::string line = FormatInvitation(Sample());
  for (size_t i = 0; i < line.size(); ++i) {
    std::string mistyped = line;
    mistyped[i] = mistyped[i] == 'x' ? 'y' : 'x';
    const auto parsed = ParseInvitation(mistyped);
    EXPECT_THAT(parsed, kMalformed) << i;
    EXPECT_EQ(ErrorCodeOf(parsed.status()), "invalid_invitation");
  }
}

TEST(Invitation, AnyCutOfItIsRefused) {
  const std::string line = FormatInvitation(Sample());
  for (size_t size = 0; size < line.size(); ++size)
    EXPECT_THAT(ParseInvitation(line.substr(0, size)), kMalformed);
  EXPECT_THAT(ParseInvitation(line + "0"), kMalformed);
  EXPECT_THAT(ParseInvitation(line + ".0"), kMalformed);
  EXPECT_THAT(ParseInvitation(std::string(100000, 'a')), kMalformed);
}

TEST(Invitation, AWrongPartIsNamed) {
  const struct {
    const char* part;
    std::function<void(Json&)> change;
  } cases[] = {
      {"network", [](Json& i) { i["network"] = ""; }},
      {"network", [](Json& i) { i["network"] = "pt.exemplo"; }},
      {"member", [](Json& i) { i["member"] = "ONG"; }},
      {"enrol", [](Json& i) { i["enrol"] = "broker.example"; }},
      {"enrol", [](Json& i) { i["enrol"] = ":7444"; }},
      {"enrol", [](Json& i) { i["enrol"] = "broker.example:"; }},
      {"enrol", [](Json& i) { i["enrol"] = "broker.example:+80"; }},
      {"enrol", [](Json& i) { i["enrol"] = "broker.example:65536"; }},
      {"enrol", [](Json& i) { i["enrol"] = "unix:/run/x:1"; }},
      {"enrol", [](Json& i) { i["enrol"] = "a:b:1"; }},
      {"ca", [](Json& i) { i["ca"] = ""; }},
      {"ca", [](Json& i) { i["ca"] = "a+b"; }},
      {"root", [](Json& i) { i["root"] = std::string(64, 'a'); }},
      {"token", [](Json& i) { i["token"] = "AAAA"; }},
      {"until", [](Json& i) { i["until"] = "tomorrow"; }},
      {"until", [](Json& i) { i.erase("until"); }},
      {"content", [](Json& i) { i["x"] = 1; }},
      {"content", [](Json& i) { i = Json::array(); }},
  };
  for (const auto& c : cases) {
    const auto parsed = Changed(c.change);
    EXPECT_THAT(parsed, kMalformed) << c.part;
    const auto detail = DetailOf(parsed.status());
    ASSERT_TRUE(detail.has_value()) << c.part;
    EXPECT_EQ(detail->code, "invalid_invitation");
    EXPECT_EQ(detail->field, c.part);
  }
  EXPECT_OK(Changed([](Json& i) { i["enrol"] = "[::1]:7444"; }));
  EXPECT_OK(Changed([](Json& i) { i["enrol"] = "127.0.0.1:1"; }));
}

class JoinRequestTest : public testing::Test {
 protected:
  SigningKey identity_ = SigningKey::Generate();
  SigningKey witness_ = SigningKey::Generate();
  JoinRequest request_{Fill(1), Id("ong"), identity_.verify_key(),
                       witness_.verify_key(), kNoon};
};

TEST_F(JoinRequestTest, IsReadBackAsSigned) {
  const JoinRequest again =
      VALUE_OF(VerifyJoinRequest(SignJoinRequest(request_, identity_)));
  EXPECT_EQ(again.net, Fill(1));
  EXPECT_EQ(again.member, Id("ong"));
  EXPECT_EQ(again.identity_key, identity_.verify_key());
  EXPECT_EQ(again.witness_key, witness_.verify_key());
  EXPECT_EQ(again.at, kNoon);
}

TEST_F(JoinRequestTest, NobodyAsksInTheNameOfAKeyItDoesNotHold) {
  const SigningKey thief = SigningKey::Generate();
  EXPECT_THAT(VerifyJoinRequest(SignJoinRequest(request_, thief)), kDenied);
  EXPECT_THAT(VerifyJoinRequest(SignJoinRequest(request_, witness_)), kDenied);
}

TEST_F(JoinRequestTest, AnotherTypAndAKeyOfTwoUsesAreRefused) {
  const Json payload =
      VALUE_OF(PeekJwsPayload(SignJoinRequest(request_, identity_), 4096));
  EXPECT_THAT(VerifyJoinRequest(SignJws(identity_, "jwt", payload)), kDenied);
  request_.witness_key = request_.identity_key;
  EXPECT_THAT(VerifyJoinRequest(SignJoinRequest(request_, identity_)),
              kMalformed);
  EXPECT_THAT(VerifyJoinRequest("a.b.c"), kMalformed);
}

}  // namespace
}  // namespace amparo

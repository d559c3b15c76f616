#include "proto/network/network_file.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"

namespace amparo {
namespace {

NetworkFile Sample() {
  const SigningKey key = SigningKey::Generate();
  return {"pt-exemplo",
          VALUE_OF(NoteVerifier::Create("pt-exemplo", NoteKeyType::kEd25519,
                                        key.verify_key())),
          {0x30, 0x82, 0x01},
          "broker.example:7443",
          "broker.example:7444",
          Bytes(kFoundingTokenBytes, 7)};
}

std::string With(absl::string_view from, absl::string_view to) {
  return absl::StrReplaceAll(FormatNetworkFile(Sample()), {{from, to}});
}

TEST(NetworkFile, ReadsWhatItWrites) {
  const NetworkFile file = Sample();
  const NetworkFile back = VALUE_OF(ParseNetworkFile(FormatNetworkFile(file)));
  EXPECT_EQ(back.network, file.network);
  EXPECT_EQ(back.log_key.ToString(), file.log_key.ToString());
  EXPECT_EQ(back.ca_der, file.ca_der);
  EXPECT_EQ(back.members, file.members);
  EXPECT_EQ(back.enrol, file.enrol);
  EXPECT_EQ(back.founding_token, file.founding_token);
}

TEST(NetworkFile, MayBeWithoutAFoundingToken) {
  NetworkFile file = Sample();
  file.founding_token.reset();
  const std::string text = FormatNetworkFile(file);
  EXPECT_EQ(text.find("founding_token"), std::string::npos);
  EXPECT_EQ(VALUE_OF(ParseNetworkFile(text)).founding_token, std::nullopt);
}

TEST(NetworkFile, NamesTheNextCaWhileItChanges) {
  NetworkFile file = Sample();
  EXPECT_EQ(FormatNetworkFile(file).find("ca_n"), std::string::npos);
  file.next_ca_der = Bytes{0x30, 0x82, 0x02};
  file.ca_number = 2;
  const std::string text = FormatNetworkFile(file);
  const NetworkFile back = VALUE_OF(ParseNetworkFile(text));
  EXPECT_EQ(back.ca_der, file.ca_der);
  EXPECT_EQ(back.next_ca_der, file.next_ca_der);
  EXPECT_EQ(back.ca_number, 2u);
  for (const char* wrong : {"-1", "\"2\"", "2.5"})
    EXPECT_FALSE(
        ParseNetworkFile(absl::StrReplaceAll(
                             text, {{"\"ca_number\":2",
                                     absl::StrCat("\"ca_number\":", wrong)}}))
            .ok());
}

TEST(NetworkFile, RefusesWhatIsNone) {
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ParseNetworkFile(""), refused);
  EXPECT_THAT(ParseNetworkFile("{}"), refused);
  EXPECT_THAT(ParseNetworkFile(With("network/1", "network/2")), refused);
  EXPECT_THAT(ParseNetworkFile(With("\"ca\"", "\"cb\"")), refused);
  EXPECT_THAT(ParseNetworkFile(With("\"members\"", "\"extra\":1,\"members\"")),
              refused);
  EXPECT_THAT(ParseNetworkFile(With("BwcHBw", "")), refused);  // a short token
}

TEST(NetworkFile, RefusesALogKeyOfAnotherName) {
  EXPECT_THAT(ParseNetworkFile(With("\"network\":\"pt-exemplo\"",
                                    "\"network\":\"pt-outro\"")),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace amparo

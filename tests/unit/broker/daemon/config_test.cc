#include "broker/daemon/config.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "base/json.h"
#include "tests/support/status_matchers.h"

namespace amparo::broker {
namespace {

const BrokerConfig::Ports kListen = {"0.0.0.0:7443", "0.0.0.0:7444"};
const BrokerConfig::Ports kPublic = {"broker.example:7443",
                                     "broker.example:7444"};

std::string Written() {
  return WriteBrokerConfig("pt-exemplo", kListen, kPublic);
}
absl::StatusOr<BrokerConfig> With(absl::string_view from,
                                  absl::string_view to) {
  const std::string text = absl::StrReplaceAll(Written(), {{from, to}});
  EXPECT_NE(text, Written()) << from;
  return ParseBrokerConfig(text, "broker.toml");
}
std::string FieldOf(const absl::StatusOr<BrokerConfig>& config) {
  const auto detail = DetailOf(config.status());
  EXPECT_EQ(ErrorCodeOf(config.status()), "config");
  return detail ? detail->field : "";
}

TEST(BrokerConfig, ReadsWhatInitWrites) {
  const BrokerConfig config =
      VALUE_OF(ParseBrokerConfig(Written(), "broker.toml"));
  EXPECT_EQ(config.network, "pt-exemplo");
  EXPECT_EQ(config.listen.members, kListen.members);
  EXPECT_EQ(config.announced.enrol, kPublic.enrol);
  EXPECT_EQ(config.envelope_bytes_max, 1179648u);
  EXPECT_EQ(config.member_rate_per_s, 500u);
  EXPECT_EQ(config.message_life, absl::Hours(14 * 24));
  EXPECT_EQ(config.invitation_life, absl::Hours(72));
}

// A key that is left out has the value that init writes.
TEST(BrokerConfig, HasTheDefaultsThatTheFileDocuments) {
  const std::string least =
      absl::StrCat("network = \"pt-exemplo\"\n[public]\nmembers = \"",
                   kPublic.members, "\"\nenrol = \"", kPublic.enrol, "\"\n");
  EXPECT_EQ(
      DescribeBrokerConfig(VALUE_OF(ParseBrokerConfig(least, "broker.toml"))),
      DescribeBrokerConfig(
          VALUE_OF(ParseBrokerConfig(Written(), "broker.toml"))));
}

TEST(BrokerConfig, DocumentsEveryKeyWithAComment) {
  const std::string text = Written();
  bool after_comment = false;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\n', start);
    const std::string line = text.substr(start, end - start);
    start = end + 1;
    const bool is_key = line.find(" = ") != std::string::npos && line[0] != '#';
    // Keys of one sentence may share its comment.
    EXPECT_TRUE(!is_key || after_comment) << line;
    if (line.empty() || line[0] == '[') after_comment = false;
    if (!line.empty() && line[0] == '#') after_comment = true;
  }
}

TEST(BrokerConfig, RefusesAnUnknownKey) {
  EXPECT_EQ(FieldOf(With("member_rate_per_s", "member_rate")),
            "limits.member_rate");
}

TEST(BrokerConfig, RefusesValuesOutOfTheirRange) {
  EXPECT_EQ(FieldOf(With("envelope_bytes_max = 1179648",
                         "envelope_bytes_max = 1179649")),
            "limits.envelope_bytes_max");
  EXPECT_EQ(FieldOf(With("life_h = 72", "life_h = 0")), "invitations.life_h");
  EXPECT_EQ(FieldOf(With("\"rocksdb\"", "\"mongo\"")), "store");
  EXPECT_EQ(FieldOf(With("\"info\"", "\"loud\"")), "journal.level");
  EXPECT_EQ(FieldOf(With("\"pt-exemplo\"", "\"PT exemplo\"")), "network");
  EXPECT_EQ(FieldOf(With("broker.example:7443", "broker.example")),
            "public.members");
}

TEST(BrokerConfig, NamesWitnessesFromOutside) {
  const auto outside = [](absl::string_view list) {
    return With("outside = []", absl::StrCat("outside = [", list, "]"));
  };
  const BrokerConfig config =
      VALUE_OF(outside("\"audit.example/w1 https://audit.example:8443/a/\","
                       "\"two.example http://10.0.0.7\""));
  ASSERT_EQ(config.outside_witnesses.size(), 2u);
  EXPECT_EQ(config.outside_witnesses[0].name, "audit.example/w1");
  EXPECT_EQ(config.outside_witnesses[0].url, "https://audit.example:8443/a");
  EXPECT_EQ(config.outside_witnesses[1].url, "http://10.0.0.7");
  for (const char* bad :
       {"\"\"", "\"one\"", "\"one \"", "\" http://x\"", "\"one  http://x\"",
        "\"one ftp://x\"", "\"one http://\"", "\"one http:///x\"",
        "\"one http://x y\"", "\"one http://u@x\"", "\"one http://x?y\"",
        "\"one http://x#y\"", "\"one http://x\",\"one http://y\"", "7"})
    EXPECT_EQ(FieldOf(outside(bad)), "witness.outside") << bad;
  EXPECT_EQ(FieldOf(With("ca_file = \"\"", "ca_file = \"/nowhere.pem\"")),
            "witness.ca_file");
}

TEST(BrokerConfig, ServesMetricsOnLoopbackOnly) {
  EXPECT_EQ(FieldOf(With("127.0.0.1:0", "0.0.0.0:9100")), "metrics.listen");
  EXPECT_OK(With("127.0.0.1:0", "[::1]:9100"));
  EXPECT_OK(With("\"127.0.0.1:0\"", "\"\""));
}

}  // namespace
}  // namespace amparo::broker

#include <functional>

#include "base/error.h"
#include "proto/network/charter.h"
#include "tests/unit/proto/network/samples.h"

namespace amparo {
namespace {

const auto kMalformed = StatusIs(absl::StatusCode::kInvalidArgument);

Json Sample() {
  TestNetwork network;
  network.Activate("ong");
  network.InDraft("ong").witness_key = SigningKey::Generate().verify_key();
  network.InDraft("gnr").parent = Id("ong");
  network.draft.outside_witnesses = {
      VALUE_OF(NoteVerifier::Create("outsider", NoteKeyType::kCosignatureV1,
                                    SigningKey::Generate().verify_key()))};
  network.draft.witness_faulty = 0;
  network.draft.witness_quorum = 2;
  network.draft.version = 2;
  network.draft.net = Fill(1);
  network.draft.prev_hash = Fill(2);
  return EncodeCharter(network.draft);
}

TEST(CharterJson, GivesBackWhatWasEncoded) {
  const Json json = Sample();
  const Charter charter = VALUE_OF(DecodeCharter(json));
  EXPECT_EQ(DumpJson(EncodeCharter(charter)), DumpJson(json));
  EXPECT_EQ(charter.net, Fill(1));
  EXPECT_EQ(charter.prev_hash, Fill(2));
  EXPECT_EQ(charter.deadlines.at("immediate").acknowledge, absl::Minutes(15));
  EXPECT_EQ(charter.deadlines.at("immediate").decide, absl::Hours(2));
  EXPECT_EQ(charter.deadlines.at("urgent").decide, std::nullopt);
  EXPECT_EQ(charter.matrix.at(MemberKind::kPolice).at("narrative"), '-');
  EXPECT_EQ(charter.Find(Id("gnr"))->parent, Id("ong"));
}

TEST(CharterJson, ADraftMayLeaveOutWhatHasADefault) {
  Json json = Sample();
  for (const char* key :
       {"title", "timezone", "jurisdiction", "trust_delay_h", "purposes",
        "bases", "reason_codes", "deadlines", "matrix"})
    json.erase(key);
  json["witness"].erase("faulty");
  json["witness"].erase("quorum");
  const Charter charter = VALUE_OF(DecodeCharter(json));
  EXPECT_EQ(charter.trust_delay, absl::Hours(24));
  EXPECT_EQ(charter.timezone, "UTC");
  EXPECT_EQ(charter.witness_faulty, 0u);
  EXPECT_EQ(charter.witness_quorum, 2u);  // of two witnesses
  json.erase("witness");
  EXPECT_EQ(VALUE_OF(DecodeCharter(json)).witness_quorum, 1u);
}

TEST(CharterJson, RefusesWhatIsWrongAndNamesTheField) {
  const std::string key = SigningKey::Generate().verify_key().ToString();
  const struct {
    const char* name;
    const char* field;
    std::function<void(Json&)> change;
  } cases[] = {
      {"unknown key", "", [](Json& c) { c["founder"] = "x"; }},
      {"unknown key of a member", "/member/0",
       [](Json& c) { c["member"][0]["x"] = 1; }},
      {"no version", "/version", [](Json& c) { c.erase("version"); }},
      {"version 0", "/version", [](Json& c) { c["version"] = 0; }},
      {"version as text", "/version", [](Json& c) { c["version"] = "2"; }},
      {"version 1 with net", "", [](Json& c) { c["version"] = 1; }},
      {"version 2 without net", "/net", [](Json& c) { c.erase("net"); }},
      {"network with a space", "/network",
       [](Json& c) { c["network"] = "pt exemplo"; }},
      {"network that no certificate could name", "/network",
       [](Json& c) { c["network"] = "pt.exemplo"; }},
      {"a local time", "/expires",
       [](Json& c) { c["expires"] = "2027-01-01T00:00:00+01:00"; }},
      {"member twice", "/member/1/id",
       [](Json& c) { c["member"][1]["id"] = c["member"][0]["id"]; }},
      {"member id", "/member/0/id",
       [](Json& c) { c["member"][0]["id"] = "Gnr"; }},
      {"unknown kind", "/member/0/kind",
       [](Json& c) { c["member"][0]["kind"] = "ngo"; }},
      {"unknown status", "/member/0/status",
       [](Json& c) { c["member"][0]["status"] = "founder"; }},
      {"invited with a key", "/member/0/identity_key",
       [&](Json& c) { c["member"][0]["identity_key"] = key; }},
      {"active without a key", "/member/1/identity_key",
       [](Json& c) { c["member"][1]["identity_key"] = ""; }},
      {"a key that is none", "/member/1/identity_key",
       [](Json& c) { c["member"][1]["identity_key"] = "ed25519:AAAA"; }},
      {"identity and witness key the same", "/member/1/witness_key",
       [](Json& c) {
         c["member"][1]["witness_key"] = c["member"][1]["identity_key"];
       }},
      {"a parent that is no member", "/member",
       [](Json& c) { c["member"][0]["parent"] = "nobody"; }},
      {"its own parent", "/member",
       [](Json& c) { c["member"][0]["parent"] = "gnr"; }},
      {"parents in a circle", "/member",
       [](Json& c) { c["member"][1]["parent"] = "gnr"; }},
      {"threshold 0", "/governance/threshold",
       [](Json& c) { c["governance"]["threshold"] = 0; }},
      {"threshold over the number of institutions", "/governance/threshold",
       [](Json& c) { c["governance"]["threshold"] = 5; }},
      {"one governance key for two institutions", "/governance/keys/3/key",
       [](Json& c) {
         c["governance"]["keys"][3]["key"] = c["governance"]["keys"][2]["key"];
       }},
      {"governance id twice", "/governance/keys/1/id",
       [](Json& c) { c["governance"]["keys"][1]["id"] = "G1"; }},
      {"no log key", "/log/keys",
       [](Json& c) { c["log"]["keys"] = Json::array(); }},
      {"log key of another name", "/log/keys",
       [](Json& c) {
         c["log"]["keys"][0] =
             NoteVerifier::Create("other", NoteKeyType::kEd25519,
                                  SigningKey::Generate().verify_key())
                 ->ToString();
       }},
      {"no suite", "/suites/allowed",
       [](Json& c) { c["suites"]["allowed"] = Json::array(); }},
      {"no suite that is strong enough", "/suites/allowed",
       [](Json& c) { c["suites"]["min"] = 2; }},
      {"quorum over the number of witnesses", "/witness/quorum",
       [](Json& c) { c["witness"]["quorum"] = 3; }},
      {"unknown priority", "/deadlines",
       [](Json& c) { c["deadlines"]["soon"] = Json::object(); }},
      {"a deadline twice", "/deadlines/urgent/acknowledge_min",
       [](Json& c) { c["deadlines"]["urgent"]["acknowledge_min"] = 5; }},
      {"a deadline of nothing", "/deadlines/urgent/acknowledge_h",
       [](Json& c) { c["deadlines"]["urgent"]["acknowledge_h"] = 0; }},
      {"unknown view", "/matrix/police",
       [](Json& c) { c["matrix"]["police"]["identity"] = "A"; }},
      {"unknown kind in the matrix", "/matrix",
       [](Json& c) { c["matrix"]["press"]["identity"] = "F"; }},
      {"negative delay", "/trust_delay_h",
       [](Json& c) { c["trust_delay_h"] = -1; }},
  };
  for (const auto& c : cases) {
    Json json = Sample();
    c.change(json);
    const auto charter = DecodeCharter(json);
    EXPECT_THAT(charter, kMalformed) << c.name;
    const auto detail = DetailOf(charter.status());
    ASSERT_TRUE(detail.has_value()) << c.name;
    EXPECT_EQ(detail->field, c.field) << c.name;
  }
}

TEST(CharterJson, RefusesWhatIsNoObject) {
  EXPECT_THAT(DecodeCharter(Json::array()), kMalformed);
  EXPECT_THAT(DecodeCharter(Json()), kMalformed);
}

TEST(CharterJson, DoesNotRepeatUnknownKeysInItsError) {
  Json json = Sample();
  json["Marta EXEMPLO"] = 1;
  EXPECT_EQ(DecodeCharter(json).status().message().find("Marta"),
            absl::string_view::npos);
}

}  // namespace
}  // namespace amparo

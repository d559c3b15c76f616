#include "agents/committee/draft.h"

#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

std::string Payload(const Charter& charter) {
  return DumpJson(EncodeCharter(charter));
}

// The sample with `from` replaced, read as version 1.
absl::StatusOr<Charter> Edited(const std::string& from, const std::string& to) {
  const std::string draft = FormatDraft(SampleCharter());
  EXPECT_NE(draft.find(from), std::string::npos) << from;
  return ParseDraft(absl::StrReplaceAll(draft, {{from, to}}), std::nullopt);
}

TEST(Draft, SaysWhatTheCharterSays) {
  Charter charter = SampleCharter();
  charter.title = "Ação \"comum\" \\ linha\tnova";
  charter.matrix[MemberKind::kPolice] = {{"identity", 'F'}, {"children", 'S'}};
  charter.outside_witnesses = {VALUE_OF(
      NoteVerifier::Create("witness.example", NoteKeyType::kCosignatureV1,
                           SigningKey::Generate().verify_key()))};
  charter.members[1].parent = Id("gnr");
  charter.members[1].territory = {"PT-13", "PT-03"};
  const Charter read = VALUE_OF(ParseDraft(FormatDraft(charter), std::nullopt));
  EXPECT_EQ(Payload(read), Payload(charter));
}

TEST(Draft, IsTheSuccessorOfWhatWasPublished) {
  const AcceptedCharter before = Published(SampleCharter());
  const Charter next =
      VALUE_OF(ParseDraft(FormatDraft(before.charter), before));
  EXPECT_EQ(next.version, 2u);
  EXPECT_EQ(next.prev_hash, before.hash);
  EXPECT_EQ(next.net, before.network_id);
  EXPECT_EQ(Payload(VALUE_OF(ParseDraft(FormatDraft(next), before))),
            Payload(next));
}

TEST(Draft, ReadsTimesWithAnyOffsetAsOneInstant) {
  const Charter charter = VALUE_OF(Edited(
      "expires = 2027-11-21T12:00:00Z", "expires = 2027-11-21T13:30:00+01:30"));
  EXPECT_EQ(charter.expires, VALUE_OF(ParseUtc("2027-11-21T12:00:00Z")));
}

TEST(Draft, NamesTheKeyThatIsWrong) {
  const struct {
    const char* from;
    const char* to;
    const char* field;
  } cases[] = {
      {"timezone =", "time_zone =", "/time_zone"},
      {"faulty =", "faults =", "/witness/faults"},
      {"contact =", "kontact =", "/member/0/kontact"},
      {"version = 1", "\"x~y/z\" = 1", "/x~y/z"},
      {"threshold = 2", "threshold = \"two\"", "/governance/threshold"},
      {"threshold = 2", "threshold = 4", "/governance/threshold"},
      {"kind = \"health\"", "kind = \"hospital\"", "/member/2/kind"},
      {"id = \"ong\"", "id = \"ONG\"", "/member/1/id"},
      {"2027-11-21T12:00:00Z", "2027-11-21", "/expires"},
      {"2027-11-21T12:00:00Z", "2027-11-21T12:00:00", "/expires"},
      {"2027-11-21T12:00:00Z", "2027-11-21T12:00:00.5Z", "/expires"},
      {"jurisdiction = \"PT\"", "jurisdiction = true", "/jurisdiction"},
      {"version = 1", "net = \"sha256:00\"", "net"},
      {"trust_delay_h = 24", "trust_delay_h = 24.5", "/trust_delay_h"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<Charter> read = Edited(c.from, c.to);
    ASSERT_THAT(read.status(), StatusIs(absl::StatusCode::kInvalidArgument))
        << c.to;
    EXPECT_EQ(DetailOf(read.status()).value_or(ErrorDetail{}).field, c.field)
        << c.to << ": " << read.status();
  }
}

TEST(Draft, NamesTheLineThatIsNoToml) {
  const absl::Status status =
      ParseDraft("network = \"a\"\nversion = = 2\n", std::nullopt).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(DetailOf(status)->field, "line 2");
}

TEST(Draft, RefusesAKeyTwiceAndBytesThatAreNoText) {
  EXPECT_THAT(Edited("timezone =", "title = \"x\"\ntimezone ="),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Edited("Protocolo", "Prot\xff"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Draft, LeavesTheQuorumToTheRuleWhereItIsNotSaid) {
  const Charter charter = VALUE_OF(Edited("quorum = 0\n", ""));
  EXPECT_EQ(charter.witness_quorum, 0u);  // there is no witness yet
}

}  // namespace
}  // namespace amparo::committee

#include "agents/committee/founding.h"

#include "tests/unit/agents/committee/samples.h"

namespace amparo::committee {
namespace {

TEST(Founder, IsReadFromItsText) {
  const Founder plain = VALUE_OF(ParseFounder("ong:victim_support"));
  EXPECT_EQ(plain.id.text(), "ong");
  EXPECT_EQ(plain.kind, MemberKind::kVictimSupport);
  EXPECT_EQ(plain.name, "ong");
  EXPECT_EQ(VALUE_OF(ParseFounder("gnr:police:Guarda: posto")).name,
            "Guarda: posto");
}

TEST(Founder, IsRefusedWithAnIdOrKindThatIsNone) {
  for (const char* text : {"", "ong", "ONG:police", "ong:ngo", ":police"})
    EXPECT_THAT(ParseFounder(text).status(),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(Seats, AreTheFirstFiveMembersThatHaveAMailbox) {
  std::vector<Founder> founders;
  for (const char* text :
       {"auditor:auditor", "a:police", "b:health", "c:prosecutor",
        "stat:statistician", "d:shelter", "e:legal_aid", "f:hotline"})
    founders.push_back(VALUE_OF(ParseFounder(text)));
  std::string seats;
  for (const MemberId& seat : DefaultSeats(founders)) seats += seat.text();
  EXPECT_EQ(seats, "abcde");
}

TEST(Threshold, IsMoreThanHalf) {
  const std::pair<size_t, uint32_t> cases[] = {
      {1, 1}, {2, 2}, {3, 2}, {4, 3}, {5, 3}};
  for (const auto& [seats, threshold] : cases)
    EXPECT_EQ(DefaultThreshold(seats), threshold) << seats;
}

TEST(FoundingCharter, NamesFoundersWithoutKeysAndHasNoWitness) {
  const Charter charter = SampleCharter();
  EXPECT_EQ(charter.version, 1u);
  EXPECT_EQ(charter.witness_quorum, 0u);
  for (const Member& member : charter.members) {
    EXPECT_EQ(member.status, MemberStatus::kInvited);
    EXPECT_FALSE(member.identity_key.has_value());
  }
  EXPECT_LE(charter.expires - FakeClock().Now(), absl::Hours(400 * 24));
  EXPECT_EQ(charter.deadlines.at("immediate").acknowledge, absl::Minutes(15));
  // In working days, as what a charter leaves out has it.
  EXPECT_FALSE(charter.deadlines.contains("routine"));
}

TEST(FoundingCharter, IsOneThatEverybodyCanRead) {
  const Charter charter = SampleCharter();
  EXPECT_OK(DecodeCharter(EncodeCharter(charter)));
}

}  // namespace
}  // namespace amparo::committee

#include "proto/content/consent_form.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(ConsentForm, ReadsTheExample) {
  const ConsentForm form = VALUE_OF(ParseConsentForm(kExampleConsentForm));
  EXPECT_EQ(form.case_id, std::nullopt);
  EXPECT_EQ(form.agreement, Agreement::kGiven);
  ASSERT_THAT(form.permits, SizeIs(2));
  EXPECT_THAT(form.permits[0].sections, SizeIs(7));
  EXPECT_EQ(form.permits[0].direction, Direction::kBoth);
  EXPECT_TRUE(form.permits[1].all_sections);
  EXPECT_EQ(form.permits[1].until, std::nullopt);
  ASSERT_THAT(form.denials, SizeIs(1));
  EXPECT_EQ(form.denials[0].recipients[0], RecipientRule(MemberKind::kPolice));
  ASSERT_THAT(form.exclusions, SizeIs(2));
  EXPECT_TRUE(form.exclusions[0].ShutsOutMember());
  EXPECT_EQ(form.exclusions[1].person, "Cabo EXEMPLO");
  EXPECT_FALSE(form.exclusions[1].ShutsOutMember());
  EXPECT_EQ(form.retention, "P5Y");
}

TEST(ConsentForm, IsStoredAndReadBackTheSame) {
  const ConsentForm form = VALUE_OF(ParseConsentForm(kExampleConsentForm));
  const Json json = EncodeConsentForm(form);
  EXPECT_EQ(EncodeConsentForm(VALUE_OF(DecodeConsentForm(json))), json);
  EXPECT_OK(ParseConsentForm(DumpJson(json)));
}

TEST(ConsentForm, WithdrawalsAreStoredButNotTakenFromOutside) {
  const Charter charter = MakeCharter();
  const ConsentForm form =
      Without(VALUE_OF(ParseConsentForm(kExampleConsentForm)),
              {Section::kRisk, kGnr, "safety"}, charter);
  const Json json = EncodeConsentForm(form);
  const ConsentForm stored = VALUE_OF(DecodeConsentForm(json));
  ASSERT_THAT(stored.permits[1].withdrawn, SizeIs(1));
  EXPECT_EQ(stored.permits[1].withdrawn[0], form.permits[1].withdrawn[0]);
  EXPECT_THAT(ParseConsentForm(DumpJson(json)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

struct Fault {
  const char* name;
  const char* from;
  const char* to;
  const char* field;
  const char* expected;
};

class ConsentFormFault : public testing::TestWithParam<Fault> {};

TEST_P(ConsentFormFault, NamesFieldAndWhatIsExpected) {
  const Fault& fault = GetParam();
  const std::string text =
      absl::StrReplaceAll(kExampleConsentForm, {{fault.from, fault.to}});
  ASSERT_NE(text, kExampleConsentForm);
  const auto form = ParseConsentForm(text);
  ASSERT_THAT(form, StatusIs(absl::StatusCode::kInvalidArgument));
  const auto detail = DetailOf(form.status());
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->code, "invalid_form");
  EXPECT_EQ(detail->field, fault.field);
  EXPECT_THAT(detail->expected, HasSubstr(fault.expected));
  EXPECT_THAT(form.status().ToString(), Not(HasSubstr("SECRET")));
}

INSTANTIATE_TEST_SUITE_P(
    Form, ConsentFormFault,
    testing::Values(
        Fault{"Schema", "consent_form/1", "grant/1", "/schema",
              "consent_form/1"},
        Fault{"Case", "\"case\":null", "\"case\":\"c-SECRET\"", "/case",
              "case id"},
        Fault{"Agreement", "\"agreement\":\"given\"",
              "\"agreement\":\"SECRET\"", "/agreement", "partial"},
        Fault{"PermitWithoutAgreement", "\"agreement\":\"given\"",
              "\"agreement\":\"refused\"", "/provisions", "no permit unless"},
        Fault{"PermitNotSought", "\"agreement\":\"given\"",
              "\"agreement\":\"not_sought\"", "/provisions", "basis"},
        Fault{"NobodyAgreed",
              "[{\"party\":\"subject\",\"capacity\":\"full\",\"method\":"
              "\"signed_paper\","
              "\n  \"at\":\"2026-11-20T09:00:00Z\"}]",
              "[]", "/expressed_by", "who agreed"},
        Fault{"Effect", "\"effect\":\"deny\"", "\"effect\":\"SECRET\"",
              "/provisions/2/effect", "permit deny"},
        Fault{"Section", "\"health\",", "\"SECRET\",",
              "/provisions/0/sections/4", "name of a section"},
        Fault{"StarBesideOthers", "[\"*\"]", "[\"*\",\"risk\"]",
              "/provisions/1/sections/0", "\"*\" alone"},
        Fault{"NoSection", "[\"*\"]", "[]", "/provisions/1/sections",
              "at least one"},
        Fault{"NoRecipient", "[{\"member\":\"uls\"}]", "[]",
              "/provisions/0/recipients", "at least one"},
        Fault{"RecipientKind", "\"kind\":\"police\"", "\"kind\":\"auditor\"",
              "/provisions/1/recipients/0/kind", "receives referrals"},
        Fault{"RecipientBoth", "{\"member\":\"uls\"}",
              "{\"member\":\"uls\",\"kind\":\"health\"}",
              "/provisions/0/recipients/0/kind", "not both"},
        Fault{"RecipientRole", "{\"member\":\"uls\"}", "{\"role\":\"SECRET\"}",
              "/provisions/0/recipients/0", "member kind"},
        Fault{"Purpose", "\"health_care\"", "\"SECRET\"",
              "/provisions/0/purposes/0", "support"},
        Fault{"Direction", "\"both\"", "\"SECRET\"", "/provisions/0/direction",
              "send return both"},
        Fault{"NoBasis", "[\"LED-8\"]", "[]", "/provisions/1/legal_basis",
              "at least one"},
        Fault{"UntilNotATime", "\"2027-05-20T00:00:00Z\"", "\"2027-05-20\"",
              "/provisions/0/until", "2026-11-21T09:30:00Z"},
        Fault{"UntilBeforeFrom", "\"from\":null,\"until\":\"2027",
              "\"from\":\"2028-01-01T00:00:00Z\",\"until\":\"2027",
              "/provisions/0/until", "after from"},
        Fault{"DenialWithoutReason", ",\n   \"reason\":\"fear_of_harm\"}]",
              "}]", "/provisions/2/reason", "fear_of_harm"},
        Fault{"DenialWithPurpose", "\"reason\":\"fear_of_harm\"}]",
              "\"reason\":\"fear_of_harm\",\"purposes\":[\"safety\"]}]",
              "/provisions/2", "no keys but"},
        Fault{"ExclusionMember", "{\"member\":\"cpcj\"",
              "{\"member\":\"SECRET\"", "/exclusions/0/member", "a member id"},
        Fault{"ExclusionReason", "\"relative_works_there\"", "\"SECRET\"",
              "/exclusions/1/reason", "wants_to_tell_herself"},
        Fault{"ExclusionOfficer", "\"person\":\"Cabo EXEMPLO\"",
              "\"officer\":\"SECRET\"", "/exclusions/1/officer", "o-"},
        Fault{"ChildView", "\"child_view\":null",
              "\"child_view\":{\"age\":13,\"position\":\"SECRET\"}",
              "/child_view/position", "no_objection"},
        Fault{"Statistics", "\"statistics\":\"given\"",
              "\"statistics\":\"SECRET\"", "/statistics", "refused"},
        Fault{"Retention", "\"P5Y\"", "\"5 years\"", "/retention", "P5Y"},
        Fault{"UnknownKey", "\"notice\"", "\"SECRET\"", "", "no keys but"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ConsentForm, ARefusalMayStillDenyAndExclude) {
  const ConsentForm form = VALUE_OF(ParseConsentForm(R"({
    "schema":"consent_form/1","jurisdiction":"PT","agreement":"refused",
    "expressed_by":[],"notice":"n","provisions":[],
    "exclusions":[{"member":"cpcj","reason":"other"}]})"));
  EXPECT_THAT(form.exclusions, SizeIs(1));
  EXPECT_EQ(form.statistics, "not_asked");
}

// ---- extension and withdrawal

TEST(Extending, AddsWhatIsNewAndRepeatsWhatStays) {
  const ConsentForm current = VALUE_OF(ParseConsentForm(kExampleConsentForm));
  ConsentForm added = SimpleConsent();
  added.permits[0].sections = {Section::kNarrative};
  added.exclusions = {{kPsp, std::nullopt, std::nullopt, "other"}};
  const ConsentForm whole = VALUE_OF(Extend(current, added));
  EXPECT_THAT(whole.permits, SizeIs(3));
  EXPECT_THAT(whole.denials, SizeIs(1));
  EXPECT_THAT(whole.exclusions, SizeIs(3));
  EXPECT_THAT(whole.expressed_by, SizeIs(2));
}

TEST(Extending, DoesNotLiftADenial) {
  const ConsentForm current = VALUE_OF(ParseConsentForm(kExampleConsentForm));
  ConsentForm added = SimpleConsent();
  added.permits[0].recipients = {RecipientRule(MemberKind::kPolice)};
  added.permits[0].sections = {Section::kRisk, Section::kSafeContact};
  const auto whole = Extend(current, added);
  EXPECT_THAT(whole, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(ErrorCodeOf(whole.status()), "conflict");
}

TEST(Extending, WordsWithoutAPermitTakeNoAgreementBack) {
  const ConsentForm current = SimpleConsent();
  ConsentForm added = SimpleConsent();
  added.agreement = Agreement::kRefused;
  added.permits.clear();
  added.denials = {{false, {Section::kRisk}, {RecipientRule(kGnr)}, "other"}};
  EXPECT_EQ(VALUE_OF(Extend(current, added)).agreement, Agreement::kGiven);
}

TEST(Withdrawing, AMemberOfAKindNamesTheOthersInItsPlace) {
  ConsentForm form = SimpleConsent();
  form.permits[0].recipients = {RecipientRule(MemberKind::kPolice),
                                RecipientRule(kUls)};
  const ConsentForm left =
      Without(form, {std::nullopt, kGnr, std::nullopt}, MakeCharter());
  EXPECT_THAT(left.permits[0].recipients,
              testing::ElementsAre(RecipientRule(kGnr), RecipientRule(kPsp),
                                   RecipientRule(kUls)));
  EXPECT_THAT(left.permits[0].withdrawn, SizeIs(1));
}

TEST(Withdrawing, LeavesPermitsAloneThatItDoesNotConcern) {
  const ConsentForm form = SimpleConsent();
  const Charter charter = MakeCharter();
  for (const Withdrawal& withdrawal :
       {Withdrawal{Section::kHealth, {}, {}}, Withdrawal{{}, kGnr, {}},
        Withdrawal{{}, {}, "safety"}})
    EXPECT_TRUE(
        Without(form, withdrawal, charter).permits[0].withdrawn.empty());
}

}  // namespace
}  // namespace amparo

#include "proto/content/without_consent.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

WithoutConsent MakeRecord(const ReasonForm& form) {
  return {.net = kNet,
          .issuer = kOng,
          .recipient = kGnr,
          .at = kNoon,
          .expires = kNoon + kWithoutConsentLife,
          .case_id = CaseId::New(),
          .id = WithoutConsentId::New(),
          .reason_code = "imminent_danger_life",
          .sections = form.sections,
          .risk_level = form.risk_level,
          .purpose = form.purpose,
          .legal_basis = form.legal_basis,
          .agreement_sought = form.agreement_sought,
          .informed_answer = form.informed_answer,
          .informed_date = form.informed_date,
          .second_approver = form.second_approver.has_value(),
          .texts = TextsDigest(Fill(9).bytes(), form.texts),
          .token = {}};
}

TEST(ReasonFormTest, ReadsTheExample) {
  const ReasonForm form = VALUE_OF(ParseReasonForm(kExampleReasonForm));
  EXPECT_THAT(form.sections, ElementsAre(Section::kRisk, Section::kIncident));
  EXPECT_EQ(form.purpose, "safety");
  EXPECT_EQ(form.informed_date, "2026-11-22");
  EXPECT_EQ(form.expires, std::nullopt);
}

TEST(WithoutConsentTest, IsReadBackAsSigned) {
  const SigningKey key = SigningKey::Generate();
  const WithoutConsent record = SignWithoutConsent(
      MakeRecord(VALUE_OF(ParseReasonForm(kExampleReasonForm))), key);
  EXPECT_EQ(VALUE_OF(VerifyWithoutConsent(record.token, Only(key))), record);
  EXPECT_EQ(VALUE_OF(LoadWithoutConsent(record.token)), record);
  EXPECT_THAT(VerifyWithoutConsent(record.token, Only(SigningKey::Generate())),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(WithoutConsentTest, TheReasonsInWordsStayWithTheSender) {
  const WithoutConsent record = SignWithoutConsent(
      MakeRecord(VALUE_OF(ParseReasonForm(kExampleReasonForm))),
      SigningKey::Generate());
  const std::string signed_text =
      DumpJson(VALUE_OF(PeekJwsPayload(record.token, 1 << 16)));
  for (const char* canary :
       {"Threatened", "armed", "danger itself", "finding her"})
    EXPECT_FALSE(absl::StrContains(signed_text, canary)) << canary;
}

TEST(WithoutConsentTest, TheSaltHidesTheTexts) {
  const Json texts = {{"facts", "x"}};
  EXPECT_NE(TextsDigest(Fill(1).bytes(), texts),
            TextsDigest(Fill(2).bytes(), texts));
}

TEST(ReasonFormTest, FactsAreFortyCharactersNotBytes) {
  const auto with = [](int characters) {
    std::string facts;
    for (int i = 0; i < characters; ++i) facts += "ã";
    return ParseReasonForm(absl::StrReplaceAll(
        kExampleReasonForm,
        {{"Threatened with death this morning; he is armed and on his way.",
          facts}}));
  };
  EXPECT_OK(with(40));
  EXPECT_THAT(with(39), StatusIs(absl::StatusCode::kInvalidArgument));
}

struct Fault {
  const char* name;
  const char* from;
  const char* to;
  const char* field;
  const char* expected;
};

class ReasonFormFault : public testing::TestWithParam<Fault> {};

TEST_P(ReasonFormFault, NamesFieldAndWhatIsExpected) {
  const Fault& fault = GetParam();
  const std::string text =
      absl::StrReplaceAll(kExampleReasonForm, {{fault.from, fault.to}});
  ASSERT_NE(text, kExampleReasonForm);
  const auto form = ParseReasonForm(text);
  ASSERT_THAT(form, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(DetailOf(form.status())->field, fault.field);
  EXPECT_THAT(DetailOf(form.status())->expected, HasSubstr(fault.expected));
}

INSTANTIATE_TEST_SUITE_P(
    Form, ReasonFormFault,
    testing::Values(
        Fault{"FactsTooShort",
              "Threatened with death this morning; he is armed and on "
              "his way.",
              "She is in danger.", "/facts", "40 characters"},
        Fault{"RiskLevel", "\"extreme\"", "\"huge\"", "/risk_level", "extreme"},
        Fault{"SectionTwice", "\"incident\"", "\"risk\"", "/sections/1/section",
              "once"},
        Fault{"WhyMissing", ",\"why\":\"the danger itself\"", "",
              "/sections/0/why", "text"},
        Fault{"WhyEmpty", "\"the danger itself\"", "\"\"", "/sections/0/why",
              "a text"},
        Fault{"Purpose", "\"safety\"", "\"fun\"", "/purpose", "support"},
        Fault{"NoLegalBasis", "[\"A6-1-d\"]", "[]", "/legal_basis",
              "at least one"},
        Fault{"Sought", "\"agreement_sought\":\"unsafe\"",
              "\"agreement_sought\":\"no\"", "/agreement_sought", "impossible"},
        Fault{"LaterWithoutDate", ",\"date\":\"2026-11-22\"", "",
              "/person_informed/date", "the day"},
        Fault{"UnsafeWithoutWhy",
              "\"answer\":\"later\",\"date\":\"2026-11-22\"",
              "\"answer\":\"unsafe\"", "/person_informed/why", "why"},
        Fault{"Proportionality", "\"Only what finding her needs.\"", "\"\"",
              "/proportionality", "a text"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace amparo

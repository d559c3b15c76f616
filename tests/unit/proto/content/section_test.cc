#include "proto/content/section.h"

#include <string>

#include "absl/strings/match.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "proto/content/codes.h"
#include "proto/content/referral_form.h"
#include "proto/content/summary.h"
#include "tests/support/example_forms.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Json Parsed(const char* text) { return VALUE_OF(ParseJson(text)); }

TEST(Sections, AreTwelveWithEightSummaries) {
  EXPECT_THAT(AllSections(), SizeIs(12));
  EXPECT_THAT(AllSlots(), SizeIs(20));
  EXPECT_THAT(SlotNames(), SizeIs(20));
  for (const Section section : AllSections())
    EXPECT_EQ(VALUE_OF(ParseSection(NameOf(section))), section);
  for (const Slot slot : AllSlots())
    EXPECT_EQ(VALUE_OF(ParseSlot(NameOf(slot))), slot);
}

TEST(Sections, HaveNoOtherNames) {
  for (const char* name :
       {"", "Identity", "scope", "identity ", "risk_summary"})
    EXPECT_THAT(ParseSection(name),
                StatusIs(absl::StatusCode::kInvalidArgument));
  for (const char* name :
       {"health_summary", "_summary", "identity_summary_summary"})
    EXPECT_THAT(ParseSlot(name), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Sections, OnlySafeContactIsMasked) {
  for (const Section section : AllSections())
    EXPECT_EQ(IsMaskedOnScreen(section), section == Section::kSafeContact);
  EXPECT_EQ(SensitivityOf(Section::kSafeContact), 4);
  EXPECT_EQ(SensitivityOf(Section::kNeeds), 1);
}

TEST(Validation, TakesEverySectionOfTheExampleForm) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
  EXPECT_THAT(form.sections, SizeIs(12));
  for (const auto& [section, value] : form.sections)
    EXPECT_OK(ValidateSection(section, value)) << NameOf(section);
}

struct Fault {
  const char* name;
  Section section;
  const char* value;
  const char* field;     // JSON pointer
  const char* expected;  // part of it
};

class SectionFault : public testing::TestWithParam<Fault> {};

TEST_P(SectionFault, NamesFieldAndWhatIsExpectedNeverTheValue) {
  const Fault& fault = GetParam();
  const absl::Status status =
      ValidateSection(fault.section, Parsed(fault.value));
  ASSERT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  const auto detail = DetailOf(status);
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->code, "invalid_form");
  EXPECT_EQ(detail->field, fault.field);
  EXPECT_THAT(detail->expected, HasSubstr(fault.expected));
  EXPECT_THAT(status.ToString(), Not(HasSubstr("SECRET")));
}

INSTANTIATE_TEST_SUITE_P(
    Sections, SectionFault,
    testing::Values(
        Fault{"NotADate", Section::kIncident, R"({"date":"18.11.2026 SECRET"})",
              "/sections/incident/date",
              "YYYY-MM-DD, or {\"absent\":\"unknown\"}"},
        Fault{"NoSuchDay", Section::kIncident, R"({"date":"2026-02-30"})",
              "/sections/incident/date", "YYYY-MM-DD"},
        Fault{"NotACode", Section::kRisk, R"({"level":"SECRET"})",
              "/sections/risk/level", "low medium high extreme"},
        Fault{"NotACodeInAList", Section::kIncident,
              R"({"violence_types":["physical","SECRET"]})",
              "/sections/incident/violence_types", "psychological"},
        Fault{"TextForYesNo", Section::kSafeContact,
              R"({"safe_to_call":"SECRET"})",
              "/sections/safe_contact/safe_to_call", "true or false"},
        Fault{"NumberForText", Section::kIdentity, R"({"given_name":7})",
              "/sections/identity/given_name", "text"},
        Fault{"YearOutOfRange", Section::kPerpetrator, R"({"birth_year":86})",
              "/sections/perpetrator/birth_year", "1900"},
        Fault{"NegativeCount", Section::kHousing, R"({"places":-1})",
              "/sections/housing/places", "from 0"},
        Fault{"FractionForCount", Section::kHousing, R"({"places":1.5})",
              "/sections/housing/places", "whole number"},
        Fault{"LocalTime", Section::kRisk,
              R"({"assessed_at":"2026-11-20T09:30"})",
              "/sections/risk/assessed_at", "2026-11-21T09:30:00Z"},
        Fault{"UnknownAbsence", Section::kHealth,
              R"({"pregnancy":{"absent":"SECRET"}})",
              "/sections/health/pregnancy", "absent"},
        Fault{"AbsenceWithMore", Section::kHealth,
              R"({"pregnancy":{"absent":"unknown","x":"SECRET"}})",
              "/sections/health/pregnancy", "true or false"},
        Fault{"NullIsNoAbsence", Section::kHealth, R"({"pregnancy":null})",
              "/sections/health/pregnancy", "true or false"},
        Fault{"UnknownField", Section::kNeeds, R"({"SECRET":1})",
              "/sections/needs", "services_requested"},
        Fault{"FieldOfAnotherSection", Section::kNeeds, R"({"urgency":"high"})",
              "/sections/needs", "no fields but"},
        Fault{"NotAnObject", Section::kLegal, R"(["SECRET"])",
              "/sections/legal", "an object"},
        Fault{"ChildrenNotAList", Section::kChildren, R"({"pseudonym":"C1"})",
              "/sections/children", "a list"},
        Fault{"InsideAChild", Section::kChildren,
              R"([{"pseudonym":"C1"},{"birth_year":"SECRET"}])",
              "/sections/children/1/birth_year", "a year"},
        Fault{"InsideAnOrder", Section::kLegal, R"({"orders":[{"to":"soon"}]})",
              "/sections/legal/orders/0/to", "YYYY-MM-DD"},
        Fault{"InsideAWindow", Section::kSafeContact,
              R"({"windows":[{"days":["mon"],"from":"25:00"}]})",
              "/sections/safe_contact/windows/0/from", "HH:MM"},
        Fault{"InsideTheOverride", Section::kRisk,
              R"({"override":{"level":"SECRET"}})",
              "/sections/risk/override/level", "extreme"},
        Fault{"EscapeSequence", Section::kNarrative,
              "{\"reason\":\"\\u001b[2J SECRET\"}",
              "/sections/narrative/reason", "without control characters"},
        Fault{"C1Control", Section::kNarrative,
              "{\"reason\":\"\\u009b2J SECRET\"}", "/sections/narrative/reason",
              "without control characters"},
        Fault{"NestedAnswers", Section::kRisk,
              R"({"items":{"1":{"a":{"b":1}}}})", "/sections/risk/items",
              "an object of"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Validation, TakesAnAbsenceInPlaceOfAnyField) {
  for (const absl::string_view reason : AbsentReasons()) {
    const Json absent = {{"absent", std::string(reason)}};
    EXPECT_OK(ValidateSection(Section::kIncident,
                              {{"date", absent}, {"violence_types", absent}}));
    EXPECT_OK(ValidateSection(Section::kLegal, {{"orders", absent}}));
  }
}

TEST(Validation, TakesLineBreaksAndOtherScripts) {
  EXPECT_OK(ValidateSection(Section::kNarrative,
                            {{"reason", "Ação\n\tdenúncia: Ñ, здесь, 今"}}));
}

TEST(Attachments, AreListedInTheirSection) {
  Json value = Json::object();
  const AttachmentInfo scan{"scan.pdf", "application/pdf", 1234,
                            Fill(3).ToString()};
  EXPECT_OK(AddAttachment(Section::kHealth, scan, value));
  EXPECT_OK(AddAttachment(Section::kHealth, scan, value));
  ASSERT_THAT(AttachmentsOf(value), SizeIs(2));
  EXPECT_EQ(AttachmentsOf(value)[0].sha256, scan.sha256);
  EXPECT_EQ(AttachmentsOf(value)[0].size_bytes, 1234u);
}

TEST(Attachments, ChildrenTakesNone) {
  Json value = Json::array();
  EXPECT_THAT(AddAttachment(Section::kChildren,
                            {"a", "b", 1, Fill(3).ToString()}, value),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(Attachments, ANameThatDrivesATerminalIsRefused) {
  Json value = Json::object();
  EXPECT_THAT(AddAttachment(Section::kHealth,
                            {"\x1b[2J", "b", 1, Fill(3).ToString()}, value),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(value, IsEmpty());
}

// ---- summaries

TEST(Summaries, HoldExactlyWhatTheTableSays) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
  const std::map<Slot, Json> values = SlotValues(form.sections, kNoon);
  const auto summary = [&](Section section) {
    return values.at({section, true});
  };
  EXPECT_EQ(DumpJson(summary(Section::kIdentity)),
            R"({"age_band":"35-44","sex":"female","municipality":"Penafiel",)"
            R"("language":"pt","interpreter_needed":false})");
  EXPECT_EQ(
      DumpJson(summary(Section::kRisk)),
      R"({"level":"high","instrument":"RVD-R",)"
      R"("assessed_at":"2026-11-20T09:30:00Z","reassess_due":"2026-11-27"})");
  EXPECT_EQ(
      DumpJson(summary(Section::kIncident)),
      R"({"month":"2026-11","violence_types":["physical","psychological"],)"
      R"("injury":true,"children_present":true})");
  EXPECT_EQ(DumpJson(summary(Section::kPerpetrator)),
            R"({"relationship":"spouse","cohabits":true,"weapons":false,)"
            R"("in_custody":false})");
  EXPECT_EQ(DumpJson(summary(Section::kLegal)),
            R"({"complaint_filed":false,"orders":[],)"
            R"("wants_legal_action":{"absent":"unknown"}})");
  EXPECT_EQ(DumpJson(summary(Section::kChildren)),
            R"({"count":1,"age_bands":["6-11"],"exposure":["witness"]})");
  EXPECT_EQ(DumpJson(summary(Section::kHousing)),
            R"({"can_stay_safely":false,"shelter_needed":true,"places":2})");
  EXPECT_EQ(
      DumpJson(summary(Section::kNeeds)),
      R"({"services_requested":["health","psychosocial","police","shelter"]})");
  EXPECT_THAT(values, SizeIs(20));
}

TEST(Summaries, AreValidValuesOfTheirSlots) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
  for (const auto& [slot, value] : SlotValues(form.sections, kNoon))
    EXPECT_OK(ValidateSlot(slot, value)) << NameOf(slot);
}

TEST(Summaries, NameNobodyAndQuoteNothing) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
  for (const auto& [slot, value] : SlotValues(form.sections, kNoon)) {
    if (!slot.summary) continue;
    for (const char* canary : {"Marta", "EXEMPLO", "1990", "ONG-2026", "C1",
                               "mother", "2026-11-18", "rented", "evening"})
      EXPECT_FALSE(absl::StrContains(DumpJson(value), canary)) << NameOf(slot);
  }
}

TEST(Summaries, OfAnEmptySectionAreEmpty) {
  EXPECT_EQ(DumpJson(*Summarize(Section::kIdentity, Json::object(), kNoon)),
            "{}");
  EXPECT_EQ(DumpJson(*Summarize(Section::kLegal, Json::object(), kNoon)), "{}");
  EXPECT_EQ(Summarize(Section::kHealth, Json::object(), kNoon), std::nullopt);
}

std::string BandOf(const char* birth) {
  const Json identity = {{"birth_date", birth}};
  return (*Summarize(Section::kIdentity, identity, kNoon))
      .value("age_band", "");
}

TEST(Summaries, AgeBandsTurnOnTheBirthday) {  // today: 2026-11-21
  EXPECT_EQ(BandOf("2008-11-21"), "18-24");
  EXPECT_EQ(BandOf("2008-11-22"), "16-17");
  EXPECT_EQ(BandOf("1961-11-21"), "65+");
  EXPECT_EQ(BandOf("1961-11-22"), "55-64");
  EXPECT_EQ(BandOf("2026-11-21"), "0-2");
  EXPECT_EQ(BandOf("2027-01-01"), "0-2");
  EXPECT_EQ(BandOf("2008-02-29"), "18-24");
}

TEST(Summaries, WhoMayBeAMinorIsShownAsOne) {
  const Json identity = {{"birth_year", 2008}};
  EXPECT_EQ((*Summarize(Section::kIdentity, identity, kNoon))["age_band"],
            "16-17");
}

TEST(Summaries, OfOrdersKeepTypeAndEndOnly) {
  const Json legal = {{"orders",
                       {{{"type", "contact_ban"},
                         {"authority", "SECRET"},
                         {"from", "2026-01-01"},
                         {"to", "2027-01-01"},
                         {"terms", "SECRET"}}}}};
  EXPECT_EQ(DumpJson(*Summarize(Section::kLegal, legal, kNoon)),
            R"({"orders":[{"type":"contact_ban","to":"2027-01-01"}]})");
}

}  // namespace
}  // namespace amparo

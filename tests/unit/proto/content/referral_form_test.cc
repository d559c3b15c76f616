#include "proto/content/referral_form.h"

#include <string>

#include "absl/strings/str_replace.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "tests/support/example_forms.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/samples.h"

namespace amparo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(ReferralForm, ReadsTheExample) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
  EXPECT_EQ(form.priority, Priority::kUrgent);
  EXPECT_EQ(form.purpose, "support");
  EXPECT_EQ(form.first_contact, Id("uls"));
  EXPECT_EQ(form.PurposeFor(Id("uls")), "health_care");
  EXPECT_EQ(form.PurposeFor(Id("gnr")), "safety");
  EXPECT_EQ(form.PurposeFor(Id("cpcj")), "support");
  EXPECT_THAT(form.sections, SizeIs(12));
}

TEST(ReferralForm, LeavesPriorityRecipientsAndSectionsOpen) {
  const ReferralForm form = VALUE_OF(ParseReferralForm(
      R"({"schema":"referral_form/1","purpose":"support","sections":{}})"));
  EXPECT_EQ(form.priority, std::nullopt);
  EXPECT_EQ(form.first_contact, std::nullopt);
  EXPECT_TRUE(form.sections.empty());
}

struct Fault {
  const char* name;
  const char* from;  // in the example form
  const char* to;
  const char* field;
  const char* expected;
};

class ReferralFormFault : public testing::TestWithParam<Fault> {};

TEST_P(ReferralFormFault, NamesFieldAndWhatIsExpected) {
  const Fault& fault = GetParam();
  const std::string text =
      absl::StrReplaceAll(kExampleReferralForm, {{fault.from, fault.to}});
  ASSERT_NE(text, kExampleReferralForm);
  const auto form = ParseReferralForm(text);
  ASSERT_THAT(form, StatusIs(absl::StatusCode::kInvalidArgument));
  const auto detail = DetailOf(form.status());
  ASSERT_TRUE(detail.has_value());
  EXPECT_EQ(detail->code, "invalid_form");
  EXPECT_EQ(detail->field, fault.field);
  EXPECT_THAT(detail->expected, HasSubstr(fault.expected));
  EXPECT_THAT(form.status().ToString(), Not(HasSubstr("SECRET")));
}

INSTANTIATE_TEST_SUITE_P(
    Form, ReferralFormFault,
    testing::Values(
        Fault{"Schema", "referral_form/1", "referral_form/2", "/schema",
              "referral_form/1"},
        Fault{"Priority", "\"urgent\"", "\"SECRET\"", "/priority", "immediate"},
        Fault{"Purpose", "\"purpose\":\"support\"", "\"purpose\":\"SECRET\"",
              "/purpose", "health_care"},
        Fault{"PurposeMissing", "\"purpose\":\"support\",", "", "/purpose",
              "health_care"},
        Fault{"FirstContact", "\"first_contact\":\"uls\"",
              "\"first_contact\":\"U L S\"", "/first_contact", "a member id"},
        Fault{"RecipientPurpose", "\"health_care\"", "\"SECRET\"",
              "/recipients/uls/purpose", "health_care"},
        Fault{"RecipientName", "\"gnr\":{", "\"SECRET X\":{", "/recipients",
              "member ids"},
        Fault{"UnknownKey", "\"priority\"", "\"SECRET\"", "", "no keys but"},
        Fault{"UnknownSection", "\"special\":", "\"SECRET\":", "/sections",
              "referral/1"},
        Fault{"SummarySection",
              "\"special\":", "\"risk_summary\":", "/sections", "referral/1"},
        Fault{"InsideASection", "\"2026-11-18\"", "\"SECRET\"",
              "/sections/incident/date", "YYYY-MM-DD"},
        Fault{"KeyTwice", "\"level\":\"high\"",
              "\"level\":\"high\",\"level\":\"low\"", "", "no key twice"},
        Fault{"Attachment", "\"pregnancy\":false",
              "\"attachments\":[{\"name\":\"a\",\"media_type\":\"b\",\"size_"
              "bytes\":1,"
              "\"sha256\":\"sha256:"
              "0303030303030303030303030303030303030303030303030303030303030303"
              "\"}]",
              "/sections/health/attachments", "attach files"}),
    [](const auto& tested) { return tested.param.name; });

TEST(ReferralForm, RefusesWhatIsNoJson) {
  for (const char* text :
       {"", "{", "[]", "null", "{\"schema\":\"referral_form/1\"} x"})
    EXPECT_THAT(ParseReferralForm(text),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << text;
}

TEST(ReferralForm, RefusesDepthBeyondSixteen) {
  const std::string deep = absl::StrReplaceAll(
      kExampleReferralForm,
      {{"\"items\":{}", "\"items\":{\"a\":" + std::string(20, '[') +
                            std::string(20, ']') + "}"}});
  EXPECT_EQ(ErrorCodeOf(ParseReferralForm(deep).status()), "invalid_form");
}

TEST(ReferralForm, OverOneMebibyteIsTooLarge) {
  std::string text(kExampleReferralForm);
  text.append(kFormBytesMax - text.size(), ' ');
  EXPECT_OK(ParseReferralForm(text));
  text += ' ';
  EXPECT_EQ(ErrorCodeOf(ParseReferralForm(text).status()), "too_large");
}

TEST(UpdateForm, ReadsTheExample) {
  const UpdateForm form = VALUE_OF(ParseUpdateForm(kExampleUpdateForm));
  EXPECT_THAT(form.sections, SizeIs(1));
  EXPECT_TRUE(form.sections.contains(Section::kRisk));
}

TEST(UpdateForm, NeedsASectionAndNothingElse) {
  EXPECT_EQ(
      DetailOf(ParseUpdateForm(R"({"schema":"update_form/1","sections":{}})")
                   .status())
          ->field,
      "/sections");
  EXPECT_THAT(
      ParseUpdateForm(
          R"({"schema":"update_form/1","sections":{"special":{}},"priority":"urgent"})"),
      StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseUpdateForm(kExampleReferralForm),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace amparo

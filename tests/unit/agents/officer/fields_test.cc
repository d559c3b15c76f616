#include "agents/officer/fields.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace amparo::officer {
namespace {

TEST(Fields, AreLabelledAndSaidInWords) {
  const Json value = {{"given_name", "Marta"},
                      {"interpreter_needed", false},
                      {"local_refs", {"ONG-2026-17", "X"}},
                      {"other_names", Json::array()},
                      {"household", 3},
                      {"verified_at", "2026-11-20T09:00:00Z"}};
  EXPECT_EQ(FieldsText(value, 2, {}),
            "  Given name:          Marta\n"
            "  Interpreter needed:  no\n"
            "  Local refs:          ONG-2026-17, X\n"
            "  Other names:         none\n"
            "  Household:           3\n"
            "  Verified at:         2026-11-20 09:00 UTC\n");
}

TEST(Fields, SayWhyThereIsNoAnswer) {
  EXPECT_EQ(ValueText(Json{{"absent", "not_asked"}}, {}),
            "no answer (not asked)");
  EXPECT_EQ(FieldsText(Json{{"absent", "refused"}}, 2, {}),
            "  no answer (refused)\n");
}

TEST(Fields, ShowRecordsOnOneLineEach) {
  const Json value = {
      {"windows",
       {{{"days", {"mon", "wed"}}, {"from", "10:00"}, {"to", "12:00"}},
        {{"days", {"fri"}}, {"from", "09:00"}, {"to", "09:30"}}}}};
  EXPECT_EQ(FieldsText(value, 0, {}),
            "Windows:  days: mon, wed; from: 10:00; to: 12:00\n"
            "          days: fri; from: 09:00; to: 09:30\n");
}

TEST(Fields, NumberTheEntriesOfASectionThatIsAList) {
  const Json children = {{{"pseudonym", "C1"}}, {{"pseudonym", "C2"}}};
  EXPECT_EQ(FieldsText(children, 2, {}),
            "  1 of 2\n    Pseudonym:  C1\n  2 of 2\n    Pseudonym:  C2\n");
}

TEST(Fields, KeepTheLinesOfANarrativeAndNothingThatCommands) {
  const Json value = {{"reason", "first\nsecond\x1b[31m"}};
  EXPECT_EQ(FieldsText(value, 0, {}),
            "Reason:  first\n         second\xef\xbf\xbd[31m\n");
}

}  // namespace
}  // namespace amparo::officer

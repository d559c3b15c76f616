#include "agents/officer/text.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace amparo::officer {
namespace {

TextStyle Lisbon() {
  TextStyle style;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Lisbon", &style.zone));
  return style;
}

TEST(Text, LetsNobodyCommandTheTerminal) {
  for (const char* attack : {
           "\x1b[2J\x1b]0;owned\x07",  // clear the screen, set the title
           "\xc2\x9b"
           "31m",  // C1 control sequence introducer
           "safe\xe2\x80\xae"
           "gnp",                  // right-to-left override
           "\xe2\x81\xa6isolate",  // isolate
           "line\rOVERWRITTEN",    // back to the line's start
           "\x08\x08\x7f",         // backspace, delete
           "\xff\xfe\x9b",         // no UTF-8: raw C1 on old terminals
           "\xc0\x9b"
           "overlong",      // overlong escape
           "\xed\xa0\x80",  // surrogate
       }) {
    const std::string text = Printable(attack, /*lines=*/true);
    EXPECT_EQ(text.find_first_of("\x1b\x07\r\x08\x7f"), std::string::npos);
    for (const char* bad : {"\xc2\x9b", "\xe2\x80\xae", "\xe2\x81\xa6"})
      EXPECT_EQ(text.find(bad), std::string::npos);
    EXPECT_NE(text.find("\xef\xbf\xbd"), std::string::npos) << text;
  }
}

TEST(Text, LeavesWhatPeopleWrite) {
  const std::string text =
      "São João, «Ærø» 電話 +351 900 000 000 \xf0\x9f\x93\x9e";
  EXPECT_EQ(Printable(text), text);
  EXPECT_EQ(Printable("two\nlines", /*lines=*/true), "two\nlines");
  EXPECT_EQ(Printable("two\nlines\there"), "two lines here");
}

TEST(Text, MakesLabelsFromNames) {
  EXPECT_EQ(Label("given_name"), "Given name");
  EXPECT_EQ(Label("risk_summary"), "Risk (summary)");
  EXPECT_EQ(Label(""), "");
}

TEST(Text, ShowsEightCharactersOfAnId) {
  EXPECT_EQ(ShortId("r-abcdefghijklmnopqrstuvwxyz"), "r-abcdefgh");
  EXPECT_EQ(ShortId("r-ab"), "r-ab");
  EXPECT_EQ(ShortId(""), "");
}

TEST(Text, TellsTimesWhereThePersonIs) {
  const uint64_t summer = 1782903600;  // 2026-07-01T11:00:00Z
  EXPECT_EQ(TimeText(summer, Lisbon()), "2026-07-01 12:00 WEST");
  EXPECT_EQ(LongTimeText(summer, Lisbon()), "Wednesday 2026-07-01 12:00 WEST");
  EXPECT_EQ(TimeText(0, Lisbon()), "-");
}

TEST(Text, CountsColumnsOfUtf8) {
  EXPECT_EQ(WidthOf("abc"), 3u);
  EXPECT_EQ(WidthOf("S\xc3\xa3o"), 3u);
  EXPECT_EQ(WidthOf("\xff"), 1u);
}

TEST(Text, ColoursOnlyWhenAsked) {
  EXPECT_EQ(Alarming("OVERDUE", {.colour = false}), "OVERDUE");
  EXPECT_THAT(Alarming("OVERDUE", {.colour = true}),
              ::testing::HasSubstr("OVERDUE"));
}

}  // namespace
}  // namespace amparo::officer

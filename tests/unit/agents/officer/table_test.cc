#include "agents/officer/table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace amparo::officer {
namespace {

Table Sample() {
  Table table({"Referral", "Member"});
  table.Add({"r-k3vw", "uls"});
  table.Add({"r-abcdefgh", "gnr"});
  return table;
}

TEST(Table, AlignsItsColumnsOnATerminal) {
  EXPECT_EQ(Sample().Text({.tables = true}),
            "REFERRAL    MEMBER\n"
            "r-k3vw      uls\n"
            "r-abcdefgh  gnr\n");
}

TEST(Table, SaysOneFactPerLineOtherwise) {
  EXPECT_EQ(Sample().Text({}),
            "Referral: r-k3vw\nMember: uls\n\n"
            "Referral: r-abcdefgh\nMember: gnr\n");
}

TEST(Table, AlignsWhatIsNotAscii) {
  Table table({"Name", "Kind"});
  table.Add({"São João", "x"});
  table.Add({"Sao Joao", "y"});
  EXPECT_EQ(table.Text({.tables = true}),
            "NAME      KIND\nSão João  x\nSao Joao  y\n");
}

TEST(Table, IsNothingWhenEmpty) {
  EXPECT_EQ(Table({"A"}).Text({.tables = true}), "");
  EXPECT_EQ(Table({"A"}).Text({}), "");
}

TEST(Table, ACellCannotBreakItsLine) {
  Table table({"Name"});
  table.Add({"a\nFAKE ROW\x1b[1m"});
  EXPECT_EQ(table.Text({.tables = true}), "NAME\na FAKE ROW\xef\xbf\xbd[1m\n");
}

TEST(Facts, LineUpAndKeepLaterLinesUnderTheFirst) {
  Facts facts(2);
  facts.Add("To", "uls");
  facts.Add("Reason", "one\ntwo");
  facts.Add("Nothing", "");
  EXPECT_EQ(facts.Text(), "  To:      uls\n  Reason:  one\n           two\n");
}

}  // namespace
}  // namespace amparo::officer

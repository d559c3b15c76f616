#include "base/printable.h"

#include "gtest/gtest.h"

namespace amparo {
namespace {

TEST(Printable, KeepsLinesAndLettersOfEveryLanguage) {
  EXPECT_EQ(Printable("Proteção à vítima\nnäxt"), "Proteção à vítima\nnäxt");
}

TEST(Printable, LeavesNothingThatSteersATerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\rc\x7f\td"), "a?[2Jb?c??d");
  EXPECT_EQ(Printable("x\xc2\x9by"), "x??y");
  EXPECT_EQ(Printable("cut \xc2"), "cut \xc2");
}

}  // namespace
}  // namespace amparo

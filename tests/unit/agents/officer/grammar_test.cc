#include "agents/officer/grammar.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agents/officer/command_line.h"
#include "agents/officer/help.h"
#include "base/files.h"
#include "proto/content/codes.h"
#include "proto/content/referral_state.h"
#include "tests/support/status_matchers.h"

namespace amparo::officer {
namespace {

using ::testing::HasSubstr;

const Flag& FlagOf(absl::string_view noun, absl::string_view verb,
                   absl::string_view name) {
  for (const Flag& flag : FindVerb(noun, verb)->flags)
    if (flag.name == name) return flag;
  ADD_FAILURE() << name;
  return CommonFlags()[0];
}

std::set<std::string> WordsOf(absl::string_view text) {
  return absl::StrSplit(text, ' ');
}
std::set<std::string> CodesOf(CodeList codes) {
  return {codes.begin(), codes.end()};
}

TEST(Grammar, ListsExactlyTheCodesOfTheProtocol) {
  EXPECT_EQ(WordsOf(FlagOf("referral", "decline", "reason").about),
            CodesOf(DeclineReasons()));
  EXPECT_EQ(WordsOf(FlagOf("referral", "close", "outcome").about),
            CodesOf(Outcomes()));
  std::set<std::string> priorities;
  for (Priority priority : {Priority::kImmediate, Priority::kEmergency,
                            Priority::kUrgent, Priority::kRoutine})
    priorities.emplace(NameOf(priority));
  EXPECT_EQ(WordsOf(FlagOf("referral", "send", "priority").choices),
            priorities);
  for (absl::string_view code : BasisReasons())
    EXPECT_TRUE(
        absl::StrContains(FlagOf("referral", "send", "basis").about, code))
        << code;
}

TEST(Grammar, WaitsForEveryStateAndDelivery) {
  std::set<std::string> stages = {"erased"};
  for (int i = 0; i <= static_cast<int>(ReferralState::kError); ++i)
    stages.emplace(NameOf(static_cast<ReferralState>(i)));
  for (int i = 0; i <= static_cast<int>(Delivery::kFailed); ++i)
    stages.emplace(NameOf(static_cast<Delivery>(i)));
  EXPECT_EQ(WordsOf(FlagOf("referral", "show", "wait").choices), stages);
}

TEST(Grammar, HasNoFlagTwiceInOneCommand) {
  for (const Verb& verb : Verbs()) {
    std::set<absl::string_view> names;
    for (const Flag& flag : CommonFlags()) names.insert(flag.name);
    for (const Flag& flag : verb.flags)
      EXPECT_TRUE(names.insert(flag.name).second)
          << verb.noun << " " << verb.name << " --" << flag.name;
  }
}

TEST(Guide, ShowsOnlyCommandsThatCanBeTyped) {
  const std::string guide =
      VALUE_OF(ReadFile(AMPARO_SOURCE_DIR "/docs/OFFICERS.md", 1 << 20));
  int shown = 0;
  for (absl::string_view line : absl::StrSplit(guide, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (!absl::ConsumePrefix(&line, "amparo ")) continue;
    line = line.substr(0, line.find(" #"));
    EXPECT_OK(ParseCommandLine(absl::StrSplit(line, ' ', absl::SkipEmpty())))
        << line;
    ++shown;
  }
  EXPECT_GE(shown, 10);
}

TEST(Help, ShowsEveryNounAndThreeExamples) {
  const std::string help = HelpText(Command{});
  for (const Noun& noun : Nouns()) {
    EXPECT_THAT(help, HasSubstr("\n  " + std::string(noun.name) + " "));
    EXPECT_THAT(help, HasSubstr(std::string(noun.about)));
  }
  EXPECT_EQ(
      std::vector<std::string>(absl::StrSplit(help, "\n    amparo ")).size(),
      4u);
}

TEST(Help, OfEachVerbNamesItsFlagsAndHasAnExample) {
  for (const Verb& verb : Verbs()) {
    const std::string help = HelpText(Command{.verb = &verb});
    for (const Flag& flag : verb.flags)
      EXPECT_THAT(help, HasSubstr("--" + std::string(flag.name)));
    EXPECT_THAT(help, HasSubstr("Example\n  " + std::string(verb.example)));
    for (absl::string_view line : absl::StrSplit(help, '\n'))
      EXPECT_LE(line.size(), 80u) << line;
  }
}

}  // namespace
}  // namespace amparo::officer

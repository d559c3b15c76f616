#include "agents/officer/help.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"

namespace amparo::officer {
namespace {

constexpr size_t kWidth = 78;

constexpr char kTopExamples[] =
    "Examples\n"
    "  See what waits for you:\n"
    "    amparo inbox\n"
    "  See who would get what, without sending anything:\n"
    "    amparo referral send --to uls --form form.json --consent g-k3vw "
    "--dry-run\n"
    "  Read a referral:\n"
    "    amparo referral show r-k3vw\n";

// `text` in lines that begin at `column`; the first one continues a line.
std::string Wrapped(absl::string_view text, size_t column) {
  std::string out;
  size_t at = column;
  for (absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (at > column && at + 1 + word.size() > kWidth) {
      absl::StrAppend(&out, "\n", std::string(column, ' '));
      at = column;
    }
    absl::StrAppend(&out, at > column ? " " : "", word);
    at += word.size() + (at > column ? 1 : 0);
  }
  return out;
}

std::string Entry(absl::string_view name, absl::string_view about,
                  size_t column) {
  const size_t used = 2 + name.size();
  const std::string gap = used + 2 > column ? "\n" + std::string(column, ' ')
                                            : std::string(column - used, ' ');
  return absl::StrCat("  ", name, gap, Wrapped(about, column), "\n");
}

std::string Typed(const Flag& flag) {
  return absl::StrCat("--", flag.name, flag.value.empty() ? "" : " ",
                      flag.value);
}

std::string FlagList(absl::string_view title, absl::Span<const Flag> flags) {
  if (flags.empty()) return "";
  size_t column = 0;
  for (const Flag& flag : flags)
    column = std::max(column, Typed(flag).size() + 4);
  std::string text = absl::StrCat("\n", title, "\n");
  for (const Flag& flag : flags)
    absl::StrAppend(
        &text,
        Entry(Typed(flag), absl::StrCat(flag.about, flag.choices), column));
  return text;
}

std::string Usage(const Verb& verb) {
  std::string usage = absl::StrCat("amparo ", verb.noun);
  if (!verb.name.empty()) absl::StrAppend(&usage, " ", verb.name);
  if (!verb.id.empty()) absl::StrAppend(&usage, " ", verb.id);
  for (const Flag& flag : verb.flags)
    if (flag.required) absl::StrAppend(&usage, " ", Typed(flag));
  const bool optional =
      std::any_of(verb.flags.begin(), verb.flags.end(),
                  [](const Flag& flag) { return !flag.required; });
  return absl::StrCat(usage, optional ? " [flags]" : "");
}

std::string VerbHelp(const Verb& verb) {
  std::string text = absl::StrCat(Usage(verb), "\n\n", verb.about, "\n");
  if (!verb.more.empty())
    absl::StrAppend(&text, "\n", Wrapped(verb.more, 0), "\n");
  absl::StrAppend(&text, FlagList("Flags", verb.flags),
                  FlagList("Flags of every command", CommonFlags()),
                  "\nExample\n  ", verb.example, "\n");
  return text;
}

std::string NounHelp(const Noun& noun) {
  std::string text =
      absl::StrCat("amparo ", noun.name, " VERB\n\n", noun.about, "\n\n");
  std::string examples;
  for (const Verb& verb : Verbs()) {
    if (verb.noun != noun.name) continue;
    absl::StrAppend(&text, Entry(verb.name, verb.about, 13));
    absl::StrAppend(&examples, "  ", verb.example, "\n");
  }
  return absl::StrCat(text, "\nExamples\n", examples);
}

std::string TopHelp() {
  std::string text =
      "amparo: referrals between the institutions of your protocol\n\n"
      "Usage: amparo [--profile NAME|DIR] NOUN VERB [ID] [flags]\n\n";
  for (const Noun& noun : Nouns())
    absl::StrAppend(&text, Entry(noun.name, noun.about, 14));
  return absl::StrCat(
      text, "\n", kTopExamples,
      "\nAn id can be shortened to its first letters: r-k3vw is enough.\n"
      "Every command explains itself: amparo referral send --help\n");
}

}  // namespace

std::string HelpText(const Command& command) {
  if (command.verb != nullptr) return VerbHelp(*command.verb);
  for (const Noun& noun : Nouns())
    if (noun.name == command.noun) return NounHelp(noun);
  return TopHelp();
}

}  // namespace amparo::officer

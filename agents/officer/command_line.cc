#include "agents/officer/command_line.h"

#include <algorithm>
#include <list>
#include <map>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agents/officer/command_rules.h"
#include "agents/officer/suggest.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

// The grammar as CLI11 wants it. CLI11 sorts words into flags and values; what
// is wrong with them, and how to say it, is decided here and in
// command_rules.cc.
class Parser {
 public:
  Parser() {
    Prepare(app_);
    for (const Flag& flag : CommonFlags()) Add(app_, common_, flag);
    app_.add_flag("--version");
    for (const Noun& noun : Nouns()) {
      CLI::App* parent = app_.add_subcommand(std::string(noun.name));
      Prepare(*parent);
      nouns_[noun.name] = parent;
    }
    for (const Verb& verb : Verbs()) AddVerb(verb);
  }

  absl::StatusOr<Command> Parse(std::vector<std::string> arguments) {
    const bool nothing = arguments.empty();
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    try {
      app_.parse(arguments);
    } catch (const CLI::ParseError& error) {
      return UsageError(error.what(), "see `amparo --help`");
    }
    Command command;
    Find(command);
    RETURN_IF_ERROR(RefuseRest(command));
    ReadCommon(command);
    if (command.kind == Command::Kind::kVersion) return command;
    if (nothing) command.kind = Command::Kind::kHelp;
    if (command.kind == Command::Kind::kHelp) return command;
    if (command.verb == nullptr) return NoVerb(command.noun);
    RETURN_IF_ERROR(CheckCommand(command));
    return command;
  }

 private:
  using Values = std::map<std::string, std::vector<std::string>>;
  struct Entry {
    const Verb* verb;
    CLI::App* app;
    std::vector<std::string> id;
    Values values;
  };

  static void Prepare(CLI::App& app) {
    app.set_help_flag();
    app.allow_extras();
    app.fallthrough();
    // At most one: what follows it may be named like a command.
    app.require_subcommand(0, 1);
  }
  static void Add(CLI::App& app, Values& values, const Flag& flag) {
    const std::string name(flag.name);
    if (flag.value.empty())
      app.add_flag(name == "help" ? "-h,--help" : "--" + name);
    else
      app.add_option("--" + name, values[name])
          ->type_name(std::string(flag.value))
          ->allow_extra_args(false)
          ->take_all();
  }

  void AddVerb(const Verb& verb) {
    CLI::App* app = nouns_[verb.noun];
    if (!verb.name.empty()) {
      app = app->add_subcommand(std::string(verb.name));
      Prepare(*app);
    }
    Entry& entry = entries_.emplace_back(Entry{&verb, app, {}, {}});
    if (!verb.id.empty()) app->add_option("id", entry.id)->expected(0, 1);
    for (const Flag& flag : verb.flags) Add(*app, entry.values, flag);
  }

  // The noun and the verb that were typed, with the verb's flags.
  void Find(Command& command) {
    for (const Noun& noun : Nouns())
      if (nouns_[noun.name]->parsed()) command.noun = noun.name;
    for (Entry& entry : entries_) {
      if (!entry.app->parsed()) continue;
      command.verb = entry.verb;
      if (!entry.id.empty()) command.id = entry.id.front();
      for (const Flag& flag : entry.verb->flags) Read(command, entry, flag);
    }
  }

  static void Read(Command& command, Entry& entry, const Flag& flag) {
    const std::string name(flag.name);
    if (entry.app->count("--" + name) == 0) return;
    std::vector<std::string>& values = command.values[name];
    if (flag.kind == Flag::Kind::kOne) {
      if (!flag.value.empty()) values = entry.values[name];
      return;
    }
    for (const std::string& list : entry.values[name])
      for (absl::string_view item : absl::StrSplit(list, ','))
        values.emplace_back(absl::StripAsciiWhitespace(item));
  }

  void ReadCommon(Command& command) {
    if (app_.count("--version") > 0) command.kind = Command::Kind::kVersion;
    if (app_.count("--help") > 0) command.kind = Command::Kind::kHelp;
    command.json = app_.count("--json") > 0;
    command.plain = app_.count("--plain") > 0;
    command.no_color = app_.count("--no-color") > 0;
    if (!common_["profile"].empty())
      command.profile = common_["profile"].back();
  }

  // Words that the grammar has no place for.
  absl::Status RefuseRest(const Command& command) {
    const std::vector<std::string> rest = app_.remaining(true);
    if (rest.empty()) return absl::OkStatus();
    const auto flag =
        std::find_if(rest.begin(), rest.end(), [](const std::string& word) {
          return word.size() > 1 && word[0] == '-';
        });
    if (flag != rest.end()) return UnknownFlag(command, *flag);
    if (command.verb != nullptr)
      return UsageError(
          absl::StrCat("`", rest.front(), "` is one word too many"),
          absl::StrCat("see `", HelpCommand(*command.verb), "`"));
    return UnknownWord(command, rest.front());
  }

  static absl::Status UnknownFlag(const Command& command, std::string typed) {
    typed = typed.substr(0, typed.find('='));
    std::vector<absl::string_view> names = {"version"};
    for (const Flag& flag : CommonFlags()) names.push_back(flag.name);
    if (command.verb != nullptr)
      for (const Flag& flag : command.verb->flags) names.push_back(flag.name);
    const std::string nearest =
        Nearest(absl::StripPrefix(absl::StripPrefix(typed, "-"), "-"), names);
    const std::string help =
        command.verb == nullptr ? "amparo --help" : HelpCommand(*command.verb);
    return UsageError(absl::StrCat("there is no flag ", typed, " here"),
                      nearest.empty()
                          ? absl::StrCat("see `", help, "`")
                          : absl::StrCat("did you mean --", nearest, "?"));
  }

  static absl::Status UnknownWord(const Command& command,
                                  const std::string& typed) {
    std::vector<absl::string_view> words;
    for (const Noun& noun : Nouns())
      if (command.noun.empty()) words.push_back(noun.name);
    for (const Verb& verb : Verbs())
      if (verb.noun == command.noun) words.push_back(verb.name);
    const std::string before =
        absl::StrCat("amparo ", command.noun, command.noun.empty() ? "" : " ");
    const std::string nearest = Nearest(typed, words);
    return UsageError(absl::StrCat("`", before, typed, "` is not a command"),
                      nearest.empty() ? absl::StrCat("see `", before, "--help`")
                                      : absl::StrCat("did you mean `", before,
                                                     nearest, "`?"));
  }

  static absl::Status NoVerb(absl::string_view noun) {
    if (noun.empty())
      return UsageError("no command was given", "see `amparo --help`");
    std::vector<absl::string_view> verbs;
    for (const Verb& verb : Verbs())
      if (verb.noun == noun) verbs.push_back(verb.name);
    return UsageError(absl::StrCat("`amparo ", noun, "` needs a verb"),
                      absl::StrCat("one of: ", absl::StrJoin(verbs, ", ")));
  }

  CLI::App app_;
  Values common_;
  std::map<absl::string_view, CLI::App*> nouns_;
  std::list<Entry> entries_;  // a list: CLI11 keeps pointers into it
};

}  // namespace

absl::StatusOr<Command> ParseCommandLine(
    const std::vector<std::string>& arguments) {
  return Parser().Parse(arguments);
}

bool WantsJson(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") return false;
    if (argument == "--json") return true;
  }
  return false;
}

}  // namespace amparo::officer

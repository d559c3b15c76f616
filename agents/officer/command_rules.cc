#include "agents/officer/command_rules.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agents/officer/suggest.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

absl::Status CheckFlag(const Command& command, const Flag& flag) {
  const std::string name(flag.name);
  if (!command.Has(name)) {
    if (!flag.required) return absl::OkStatus();
    return UsageError(absl::StrCat("--", name, " ", flag.value, " is missing"),
                      absl::StrCat("see `", HelpCommand(*command.verb), "`"));
  }
  if (flag.value.empty()) return absl::OkStatus();
  const std::vector<std::string> values = command.List(name);
  if (std::any_of(values.begin(), values.end(),
                  [](const std::string& value) { return value.empty(); }))
    return UsageError(absl::StrCat("--", name, " has no value"),
                      absl::StrCat("give it as --", name, " ", flag.value));
  if (flag.kind == Flag::Kind::kOne && values.size() > 1)
    return UsageError(absl::StrCat("--", name, " was given twice"),
                      "give it once");
  if (flag.choices.empty()) return absl::OkStatus();
  const std::vector<absl::string_view> choices =
      absl::StrSplit(flag.choices, ' ');
  const std::string value = command.Value(name);
  if (std::find(choices.begin(), choices.end(), value) != choices.end())
    return absl::OkStatus();
  const std::string nearest = Nearest(value, choices);
  return MakeError(
      absl::StatusCode::kInvalidArgument,
      absl::StrCat("--", name, " does not know that value"),
      {.code = "usage",
       .field = absl::StrCat("--", name),
       .expected = absl::StrCat("one of: ", flag.choices),
       .hint =
           nearest.empty() ? "" : absl::StrCat("did you mean ", nearest, "?")});
}

absl::Status CheckSend(const Command& command) {
  const std::string help =
      absl::StrCat("see `", HelpCommand(*command.verb), "`");
  if (command.Has("consent") == command.Has("basis"))
    return UsageError(
        "a referral needs either --consent or --basis, and not both", help);
  if (command.Has("basis") != command.Has("reason-file"))
    return UsageError("--basis and --reason-file go together", help);
  if (command.Has("case") && command.Has("consent"))
    return UsageError("--case goes with --basis: a consent has its own case",
                      "leave --case away");
  if (command.Value("form") == "-" && command.Value("reason-file") == "-")
    return UsageError("only one file can come from standard input", help);
  return absl::OkStatus();
}

absl::Status CheckAddOfficer(const Command& command) {
  if (command.Has("uid") == command.Has("certificate"))
    return UsageError("an officer is known either by --uid or by --certificate",
                      absl::StrCat("see `", HelpCommand(*command.verb), "`"));
  return absl::OkStatus();
}

}  // namespace

absl::Status UsageError(const std::string& message, const std::string& hint) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage", .hint = hint});
}

std::string HelpCommand(const Verb& verb) {
  return absl::StrCat("amparo ", verb.noun, verb.name.empty() ? "" : " ",
                      verb.name, " --help");
}

absl::Status CheckCommand(const Command& command) {
  const Verb& verb = *command.verb;
  if (!verb.id.empty() && command.id.empty())
    return UsageError(
        absl::StrCat("`amparo ", verb.noun, " ", verb.name, "` needs ",
                     verb.id == "ID" ? "an " : "a ", verb.id),
        absl::StrCat("for example: ", verb.example));
  for (const Flag& flag : verb.flags) RETURN_IF_ERROR(CheckFlag(command, flag));
  if (verb.noun == "referral" && verb.name == "send") return CheckSend(command);
  if (verb.noun == "officer" && verb.name == "add")
    return CheckAddOfficer(command);
  if (verb.noun == "access-log" && command.Has("export") &&
      (command.Has("case") || command.Has("after")))
    return UsageError("--export is always the whole log",
                      "leave --case and --after away");
  if (verb.noun == "access-log" && command.Has("out") && !command.Has("export"))
    return UsageError("--out goes with --export",
                      "add --export, or leave --out away");
  if (command.Has("timeout") && !command.Has("wait"))
    return UsageError("--timeout goes with --wait",
                      "add --wait STAGE, or leave --timeout away");
  return absl::OkStatus();
}

}  // namespace amparo::officer

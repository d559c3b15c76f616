#include "agents/officer/run.h"

#include "absl/strings/str_cat.h"
#include "agents/officer/agent_client.h"
#include "agents/officer/command_line.h"
#include "agents/officer/commands.h"
#include "agents/officer/help.h"
#include "agents/officer/hints.h"
#include "agents/officer/profile.h"
#include "agents/officer/text.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

absl::StatusOr<Answer> Obey(const Command& command,
                            const Surroundings& around) {
  ASSIGN_OR_RETURN(Profile profile, LoadProfile(ProfileDirectory(
                                        command.profile, around.environment)));
  AgentClient client(std::move(profile), around.clock);
  Session session(command, around, client);
  ASSIGN_OR_RETURN(const Answer answer, RunCommand(session));
  RETURN_IF_ERROR(session.Say(answer.output));
  return answer;
}

// People get the code too: it is what they can tell a help desk.
std::string PeoplesText(const absl::Status& error) {
  return Printable(absl::StrCat(ErrorText("amparo", error),
                                "  code: ", ErrorCodeOf(error), "\n"),
                   /*lines=*/true);
}

int Report(const absl::Status& status, bool json, const Surroundings& around) {
  const absl::Status error = WithHint(status);
  around.err << (json ? ErrorJson(error) + "\n" : PeoplesText(error))
             << std::flush;
  return ExitOf(error);
}

}  // namespace

int Run(const std::vector<std::string>& arguments, const Surroundings& around) {
  const auto command = ParseCommandLine(arguments);
  if (!command.ok())
    return Report(command.status(), WantsJson(arguments), around);
  switch (command->kind) {
    case Command::Kind::kHelp:
      around.out << HelpText(*command) << std::flush;
      return 0;
    case Command::Kind::kVersion:
      around.out << "amparo " AMPARO_VERSION "\n" << std::flush;
      return 0;
    case Command::Kind::kRun:
      break;
  }
  const auto answer = Obey(*command, around);
  if (!answer.ok()) return Report(answer.status(), command->json, around);
  return answer->exit;
}

}  // namespace amparo::officer

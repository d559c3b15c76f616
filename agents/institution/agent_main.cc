#include <signal.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "agents/institution/daemon/agent.h"
#include "agents/institution/daemon/backup.h"
#include "agents/institution/daemon/doctor.h"
#include "agents/institution/daemon/join.h"
#include "agents/institution/daemon/key_commands.h"
#include "agents/institution/daemon/mirror.h"
#include "agents/institution/daemon/reconnect.h"
#include "agents/institution/daemon/restore.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/event_log.h"
#include "base/json.h"
#include "base/status.h"
#include "base/version.h"
#include "crypto/init.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/journal.h"

// amparo-agent: an institution's agent. Verbs and exit codes: --help.

namespace amparo::agent {
namespace {

constexpr absl::Duration kDrain = absl::Seconds(10);

bool AskYes(absl::string_view question) {
  std::cerr << question << " [yes/no] " << std::flush;
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

absl::Status RunJoin(const DataDir& data, JoinOptions options, bool json) {
  if (options.invitation == "-") std::getline(std::cin, options.invitation);
  options.confirm_words = [](absl::string_view words) {
    std::cerr << "The network's words are:\n\n    " << words << "\n\n";
    return AskYes("Do the same words stand in the paper protocol?");
  };
  ASSIGN_OR_RETURN(const Joined joined, Join(data, options, SystemClock()));
  if (json) {
    Json result;
    result["schema"] = "join/1";
    result["member"] = joined.member.text();
    result["network"] = joined.network;
    result["network_words"] = joined.network_words;
    result["request_words"] = joined.request_words;
    std::cout << DumpJson(result) << "\n";
    return absl::OkStatus();
  }
  std::cout << joined.member.text() << " has joined " << joined.network
            << " and waits for the committee.\n\n"
            << "Read these words to the committee by phone:\n\n    "
            << joined.request_words << "\n\n"
            << "Then start the agent: amparo-agent run --data DIR\n";
  return absl::OkStatus();
}

absl::Status RunReconnect(const DataDir& data, std::string invitation, bool json) {
  if (invitation == "-") std::getline(std::cin, invitation);
  RETURN_IF_ERROR(Reconnect(data, invitation, SystemClock()));
  if (json)
    std::cout << DumpJson({{"schema", "reconnect/1"}}) << "\n";
  else
    std::cout << "This agent has a new certificate; a running one goes on with it "
                 "within seconds.\n";
  return absl::OkStatus();
}

// Blocks the signals that end the daemon, so that sigwait() gets them.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

absl::Status RunDaemon(const DataDir& data, bool check_only) {
  ASSIGN_OR_RETURN(const AgentConfig config, data.ReadConfig());
  if (check_only) return absl::OkStatus();
  RETURN_IF_ERROR(data.CheckJoined());
  RETURN_IF_ERROR(data.ReadNetwork().status());
  SetEventLevel(config.journal_level);
  ASSIGN_OR_RETURN(AgentSecrets secrets, data.Unlock(config));
  const sigset_t signals = BlockSignals();
  ASSIGN_OR_RETURN(const auto agent,
                   Agent::Start(data, config, std::move(secrets), SystemClock()));
  for (int signal = 0; sigwait(&signals, &signal) == 0 && signal == SIGHUP;) {
    const auto reloaded = data.ReadConfig();
    if (reloaded.ok()) SetEventLevel(reloaded->journal_level);
    LogEvent("configuration_read", {{"ok", reloaded.ok()}});
  }
  LogEvent("agent_stopping");
  agent->Stop(kDrain);
  return absl::OkStatus();
}

// A verb that only prints.
absl::Status Print(const absl::StatusOr<std::string>& text) {
  if (text.ok()) std::cout << *text << std::flush;
  return text.status();
}

// Findings are a result: they go to standard output, whatever the exit status.
int RunDoctor(const DataDir& data, const std::string& officer, bool json) {
  const std::vector<Check> checks = Examine(data, officer, SystemClock());
  std::cout << (json ? ChecksJson(checks) : ChecksText(checks)) << std::flush;
  return AllOk(checks) ? 0 : 1;
}

int Report(const absl::Status& status, bool json) {
  if (status.ok()) return 0;
  std::cerr << (json ? ErrorJson(status) + "\n" : ErrorText("amparo-agent", status));
  return ExitOf(status);
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Holds an institution's keys; sends and receives its referrals.\n\n"
      "  amparo-agent join INVITATION --data DIR   once, with the line you were given\n"
      "  amparo-agent run --data DIR               the daemon itself\n"
      "  amparo-agent rotate-keys --data DIR       new keys now, by the daemon\n"
      "  amparo-agent revoke-key --data DIR        a key was stolen: it ends\n"
      "  amparo-agent keys --data DIR              which keys there were\n"
      "  amparo-agent backup --data DIR --out FILE one file, under a passphrase\n"
      "  amparo-agent restore FILE --data NEWDIR   the agent again, with new keys\n"
      "  amparo-agent export-mirror --data DIR --out DIR  its copy of the log\n"
      "  amparo-agent reconnect INVITATION --data DIR  a new certificate, same keys\n"
      "  amparo-agent doctor --data DIR            what is wrong, and what to do\n");
  app.set_version_flag("--version", std::string("amparo-agent ") + kVersion);
  app.require_subcommand(1);
  std::string data_path;
  bool json = false;
  JoinOptions join_options;
  std::string unlock = "prompt";
  bool check_config = false;
  KeyCommand key_command;
  BackupCommand backup_command;
  MirrorCommand mirror_command;
  int timeout_s = 30;

  CLI::App* join = app.add_subcommand("join", "join a network with an invitation");
  join->add_option("INVITATION", join_options.invitation,
                   "the line of text; - reads it from standard input")
      ->required();
  join->add_option("--data", data_path, "a new directory for this agent")->required();
  join->add_flag("--words-confirmed", join_options.words_confirmed,
                 "the network's words were compared with the paper protocol");
  join->add_option("--unlock", unlock,
                   "how the keystore opens: prompt (asks for a passphrase) or "
                   "key_file (a generated one beside it)")
      ->check(CLI::IsMember({"prompt", "key_file"}));
  join->add_flag("--json", json, "print the result as JSON");
  CLI::App* reconnect = app.add_subcommand(
      "reconnect",
      "with a new invitation, get a new certificate for the keys that this agent "
      "has: when the old one ended, or the network has a new CA");
  reconnect->add_option("INVITATION", join_options.invitation,
                        "the line of text; - reads it from standard input")
      ->required();
  reconnect->add_option("--data", data_path, "the agent's directory")->required();
  reconnect->add_flag("--json", json, "print the result as JSON");
  CLI::App* run = app.add_subcommand("run", "run the agent until SIGTERM");
  run->add_option("--data", data_path, "the agent's directory")->required();
  run->add_flag("--check-config", check_config, "check agent.toml and end");
  run->add_flag("--json", json, "print errors as JSON");
  const auto add_key_verb = [&](const char* name, const char* what) {
    CLI::App* verb = app.add_subcommand(name, what);
    verb->add_option("--data", data_path, "the agent's directory")->required();
    verb->add_option("--officer", key_command.officer,
                     "the handle of an admin with this account (default: admin)");
    verb->add_flag("--json", json, "print the result as JSON");
    return verb;
  };
  CLI::App* keys = add_key_verb("keys", "list this member's signing keys");
  CLI::App* doctor = add_key_verb(
      "doctor",
      "look at directory, keystore, certificate, broker, clock, charter and the "
      "agent; a line for each; exit 0 when all is well");
  CLI::App* rotate = add_key_verb(
      "rotate-keys",
      "make a new signing key, which the old one vouches for, and a new key to "
      "receive under; wait until both are in the log");
  CLI::App* revoke = add_key_verb(
      "revoke-key",
      "end a signing key that others may hold, and make a new one; nobody vouches "
      "for it, so be ready to read its words out by phone");
  revoke->add_option("KID", key_command.kid,
                     "a key id as `keys` lists them, 8 digits will do, or current");
  for (CLI::App* verb : {rotate, revoke})
    verb->add_option("--timeout", timeout_s,
                     "seconds to wait; afterwards the order goes on by itself")
        ->check(CLI::Range(0, 3600));
  CLI::App* backup = add_key_verb(
      "backup",
      "write this agent to one file, beside the running agent or without it; "
      "whoever has file and passphrase has this institution's keys and cases");
  backup->add_option("--out", backup_command.file, "the file, replaced whole")
      ->required();
  CLI::App* restore = app.add_subcommand(
      "restore", "make an agent's directory from a backup, after its disk is lost");
  restore->add_option("FILE", backup_command.file, "what `backup` wrote")->required();
  restore->add_option("--data", data_path, "a new directory")->required();
  restore->add_flag("--json", json, "print the result as JSON");
  for (CLI::App* verb : {backup, restore})
    verb->add_option("--passphrase-file", backup_command.passphrase_file,
                     "its first line is the backup's passphrase (default: asked)");
  CLI::App* mirror = add_key_verb(
      "export-mirror",
      "write this agent's copy of the log to a new directory, from which a lost "
      "broker is rebuilt; beside the running agent or without it");
  mirror->add_option("--out", mirror_command.directory, "the new directory")
      ->required();
  mirror->add_flag("--without-openings", mirror_command.without_openings,
                   "leave out with whom this institution wrote, and when");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    return Report(MakeError(absl::StatusCode::kInvalidArgument, error.what(),
                            {.code = "usage", .hint = "amparo-agent --help"}),
                  json);
  }
  if (const absl::Status ready = InitCrypto(); !ready.ok()) return Report(ready, json);
  if (const absl::Status tls = AllowOnlyTls13(); !tls.ok()) return Report(tls, json);
  run->parsed() ? SendGrpcLinesToJournal() : SilenceGrpc();
  const DataDir data(data_path);
  if (join->parsed()) {
    join_options.unlock = unlock == "key_file" ? Unlock::kKeyFile : Unlock::kPrompt;
    return Report(RunJoin(data, std::move(join_options), json), json);
  }
  if (reconnect->parsed())
    return Report(RunReconnect(data, join_options.invitation, json), json);
  key_command.timeout = absl::Seconds(timeout_s);
  key_command.json = json;
  backup_command.officer = key_command.officer;
  backup_command.json = json;
  if (backup->parsed())
    return Report(Print(MakeBackup(data, backup_command, SystemClock())), json);
  mirror_command.officer = key_command.officer;
  mirror_command.json = json;
  if (mirror->parsed()) return Report(Print(WriteMirror(data, mirror_command)), json);
  if (restore->parsed()) return Report(Print(RestoreBackup(data, backup_command)), json);
  if (doctor->parsed()) return RunDoctor(data, key_command.officer, json);
  if (keys->parsed()) return Report(Print(ShowKeys(data, key_command)), json);
  if (rotate->parsed()) return Report(Print(RotateKeys(data, key_command)), json);
  if (revoke->parsed()) return Report(Print(RevokeKey(data, key_command)), json);
  return Report(RunDaemon(data, check_config), json);
}

}  // namespace
}  // namespace amparo::agent

int main(int argc, char** argv) { return amparo::agent::Main(argc, argv); }

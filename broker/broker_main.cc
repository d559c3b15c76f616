// amparo-broker: the relay and the log of one network.

#include <sys/stat.h>

#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/error_json.h"
#include "broker/daemon/ca_change.h"
#include "broker/daemon/commands.h"
#include "broker/daemon/log_key_change.h"
#include "broker/daemon/rebuild.h"
#include "crypto/init.h"

namespace amparo::broker {
namespace {

constexpr char kProgram[] = "amparo-broker";

constexpr char kFooter[] =
    R"(DIR holds everything the broker owns (docs/OPERATIONS.md):
  broker.toml  network.json  listen.json  metrics.addr  last-checkpoint
  store/  log.key  log-2.key  ca.key.pem  ca.pem  ca-2.key.pem  ca-2.pem
  trusted-ca.pem  server.key.pem  server.pem  admin.sock
  of a backup: backup.json  of a rebuild that was refused: fork-evidence
Exit: 0 done, 1 failed, 2 usage or configuration, 3 not found, 4 refused,
5 not reachable, 6 verification failed.)";

struct Arguments {
  bool json = false;
  bool version = false;
  std::string data;
  Founding founding{
      .network = "",
      .listen = {"0.0.0.0:7443", "0.0.0.0:7444"},
      .announced = {"broker.example:7443", "broker.example:7444"}};
  bool check_config = false;
  bool at_once = false;
  std::string member;
  bool new_identity = false;
  bool qr = false;
  std::string qr_file;
  std::string out;
  RebuildFrom from;
  int wait_s = 0;
};

void AddCommon(CLI::App* verb, Arguments& arguments) {
  verb->add_option("--data", arguments.data, "the broker's directory")
      ->type_name("DIR")
      ->required();
  verb->add_flag("--json", arguments.json, "print the result as JSON");
}

struct Verbs {
  CLI::App* init;
  CLI::App* run;
  CLI::App* invite;
  CLI::App* write_export;
  CLI::App* backup;
  CLI::App* check;
  CLI::App* rebuild;
  CLI::App* new_log_key;
  CLI::App* switch_log_key;
  CLI::App* new_ca;
  CLI::App* switch_ca;
  CLI::App* status;
};

Verbs Describe(CLI::App& app, Arguments& arguments) {
  app.footer(kFooter);
  app.add_flag("--version", arguments.version, "print the version and end");
  app.add_flag("--json", arguments.json, "print the result as JSON");
  Verbs verbs;
  verbs.init = app.add_subcommand("init", "found a network in a new directory");
  AddCommon(verbs.init, arguments);
  verbs.init->add_option("--name", arguments.founding.network, "its name")
      ->type_name("NETWORK")
      ->required();
  const auto address = [&verbs](const char* flag, std::string& value,
                                const char* help) {
    verbs.init->add_option(flag, value, help)
        ->type_name("HOST:PORT")
        ->capture_default_str();
  };
  address("--listen-members", arguments.founding.listen.members,
          "where to listen for members");
  address("--listen-enrol", arguments.founding.listen.enrol,
          "where to listen for who joins");
  address("--public-members", arguments.founding.announced.members,
          "the first one as others reach it");
  address("--public-enrol", arguments.founding.announced.enrol,
          "the second one as others reach it");
  verbs.run = app.add_subcommand("run", "serve until SIGTERM");
  AddCommon(verbs.run, arguments);
  verbs.run->add_flag("--check-config", arguments.check_config,
                      "only check broker.toml and print what it says");
  verbs.invite = app.add_subcommand("invite", "print an invitation, one line");
  AddCommon(verbs.invite, arguments);
  verbs.invite->add_option("MEMBER", arguments.member, "id in the charter")
      ->required();
  verbs.invite->add_flag(
      "--new-identity", arguments.new_identity,
      "for other keys than the charter's, which the committee takes in anew");
  verbs.invite->add_flag("--qr", arguments.qr,
                         "also as a QR code, for a terminal 130 columns wide");
  verbs.invite
      ->add_option("--qr-file", arguments.qr_file,
                   "also as a QR code, a picture (SVG) in FILE")
      ->type_name("FILE");
  verbs.write_export =
      app.add_subcommand("export", "write the log to a new directory");
  AddCommon(verbs.write_export, arguments);
  verbs.write_export->add_option("--out", arguments.out, "the new directory")
      ->type_name("DIR")
      ->required();
  verbs.backup = app.add_subcommand(
      "backup", "write a copy of DIR, keys included, to a new directory");
  AddCommon(verbs.backup, arguments);
  verbs.backup->add_option("--out", arguments.out, "the new directory")
      ->type_name("DIR")
      ->required();
  verbs.check = app.add_subcommand(
      "check", "compare every entry, opening and record with the tree");
  AddCommon(verbs.check, arguments);
  verbs.rebuild = app.add_subcommand(
      "rebuild",
      "bring a backup up to the log, from members' mirrors (broker stopped)");
  AddCommon(verbs.rebuild, arguments);
  verbs.rebuild
      ->add_option("--from", arguments.from.mirrors,
                   "what amparo-agent export-mirror wrote; one for each member")
      ->type_name("MIRROR")
      ->required();
  verbs.rebuild
      ->add_option("--known", arguments.from.known,
                   "a signed checkpoint that the mirrors must reach: what a "
                   "witness from outside has in its state/")
      ->type_name("FILE");
  verbs.rebuild->add_flag(
      "--nothing-since", arguments.from.nothing_since,
      "you vouch for it: the lost broker logged nothing after the backup; "
      "agents that followed more will refuse this log as another one. For "
      "mirrors that all end before the backup");
  verbs.new_log_key = app.add_subcommand(
      "new-log-key", "make the key that the log will be signed with");
  AddCommon(verbs.new_log_key, arguments);
  verbs.switch_log_key = app.add_subcommand(
      "switch-log-key", "let it take the old one's place (broker stopped)");
  AddCommon(verbs.switch_log_key, arguments);
  verbs.switch_log_key->add_flag(
      "--at-once", arguments.at_once,
      "before the charter has named both for a week");
  verbs.new_ca = app.add_subcommand(
      "new-ca", "make the CA that takes the network's CA's place");
  AddCommon(verbs.new_ca, arguments);
  verbs.switch_ca = app.add_subcommand(
      "switch-ca", "let it take that place, once every member has followed");
  AddCommon(verbs.switch_ca, arguments);
  verbs.switch_ca->add_flag("--at-once", arguments.at_once,
                            "shut out those who have not");
  verbs.status = app.add_subcommand("status", "say whether the broker serves");
  AddCommon(verbs.status, arguments);
  verbs.status
      ->add_option("--wait-s", arguments.wait_s,
                   "seconds to wait until it does")
      ->type_name("SECONDS")
      ->check(CLI::Range(0, 3600));
  return verbs;
}

absl::StatusOr<Answer> Version() {
  return Answer{Json{{"schema", "version/1"},
                     {"program", kProgram},
                     {"version", AMPARO_VERSION},
                     {"protocol", 1}},
                absl::StrCat(kProgram, " ", AMPARO_VERSION, "\n")};
}

absl::StatusOr<Answer> Serve(const DataDir& data, const Clock& clock) {
  const absl::Status status = Run(data, clock);
  if (!status.ok()) return status;
  return Answer{};
}

absl::StatusOr<Answer> Dispatch(const Verbs& verbs,
                                const Arguments& arguments) {
  if (const absl::Status ready = InitCrypto(); !ready.ok()) return ready;
  const DataDir data(arguments.data);
  const Clock& clock = SystemClock();
  if (verbs.init->parsed()) return Init(data, arguments.founding, clock);
  if (verbs.invite->parsed()) {
    absl::StatusOr<Answer> invited =
        Invite(data, arguments.member, clock, arguments.new_identity);
    if (!invited.ok() || (!arguments.qr && arguments.qr_file.empty()))
      return invited;
    return ShowAsQrCode(*std::move(invited), arguments.qr, arguments.qr_file);
  }
  if (verbs.write_export->parsed()) return Export(data, arguments.out);
  if (verbs.backup->parsed()) return Backup(data, arguments.out, clock);
  if (verbs.check->parsed()) return Check(data);
  if (verbs.rebuild->parsed()) return Rebuild(data, arguments.from);
  if (verbs.new_log_key->parsed()) return NewLogKey(data);
  if (verbs.switch_log_key->parsed())
    return SwitchLogKey(data, arguments.at_once, clock);
  if (verbs.new_ca->parsed()) return NewCa(data, clock);
  if (verbs.switch_ca->parsed())
    return SwitchCa(data, arguments.at_once, clock);
  if (verbs.status->parsed())
    return Status(data, absl::Seconds(arguments.wait_s));
  if (arguments.check_config) return CheckConfig(data);
  return Serve(data, clock);
}

absl::Status UsageError(const std::string& message) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, message,
      {.code = "usage", .hint = absl::StrCat(kProgram, " --help")});
}

int Finish(const absl::StatusOr<Answer>& answer, bool json) {
  if (!answer.ok()) {
    std::cerr << (json ? ErrorJson(answer.status()) + "\n"
                       : ErrorText(kProgram, answer.status()));
    return ExitOf(answer.status());
  }
  if (json && !answer->json.is_null())
    std::cout << DumpJson(answer->json) << "\n";
  else
    std::cout << answer->text;
  std::cout.flush();
  return std::cout ? 0 : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("The relay and the log of one network", kProgram);
  Arguments arguments;
  const Verbs verbs = Describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Finish(UsageError(error.what()), arguments.json);
  }
  if (arguments.version) return Finish(Version(), arguments.json);
  if (app.get_subcommands().empty())
    return Finish(UsageError("a verb is missing"), arguments.json);
  return Finish(Dispatch(verbs, arguments), arguments.json);
}

}  // namespace
}  // namespace amparo::broker

int main(int argc, char** argv) {
  umask(077);  // whatever the directory says, its files are the owner's alone
  return amparo::broker::Main(argc, argv);
}

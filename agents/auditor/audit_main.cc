// amparo-audit: replays the log of a network and says whether it is what was
// signed, with no trust in the broker.

#include <iostream>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "agents/auditor/rpc/commands.h"
#include "agents/auditor/witness/verbs.h"
#include "base/error_json.h"
#include "base/printable.h"
#include "base/version.h"
#include "crypto/init.h"
#include "proto/grpc/journal.h"

namespace amparo::auditor {
namespace {

constexpr char kFooter[] =
    R"(  amparo-audit replay --export DIR --root sha256:... --html report.html
  amparo-audit replay --broker HOST:PORT --profile DIR
  amparo-audit access-log uls.jsonl --export DIR --section safe_contact
  amparo-audit prove 17 --export DIR --out pack.json
  amparo-audit verify pack.json --root sha256:...
  amparo-audit compare ours.note theirs.note --log-key network.json
  amparo-audit witness init --data DIR --name audit.example/witness
  amparo-audit witness run --data DIR --listen 127.0.0.1:7450
Exit: 0 all that could be checked is right, 6 something is not, 2 usage, 3 not
found, 4 refused, 5 broker not reachable.)";

int Finish(const absl::StatusOr<int>& exit, bool json) {
  if (!exit.ok()) {
    std::cerr << (json ? ErrorJson(exit.status()) + "\n"
                       : Printable(ErrorText(kProgram, exit.status())));
    return ExitOf(exit.status());
  }
  std::cout.flush();
  return std::cout ? *exit : 1;
}

// Every verb has these.
void AddCommon(CLI::App* verb, Arguments& arguments) {
  verb->add_option("--profile", arguments.profile,
                   "directory, or a name below ~/.config/amparo")
      ->type_name("NAME|DIR");
  verb->add_flag("--json", arguments.json, "print the result as JSON");
}

void AddRoot(CLI::App* verb, Arguments& arguments) {
  verb->add_option("--root", arguments.root,
                   "pinned hash of charter version 1 (default: the profile's)")
      ->type_name("HASH");
}

// A network's log, and what pins it.
void AddSource(CLI::App* verb, Arguments& arguments) {
  CLI::Option* broker = verb->add_option("--broker", arguments.broker,
                                         "the broker's port for members");
  broker->type_name("HOST:PORT");
  verb->add_option("--export", arguments.folder, "an exported log")
      ->type_name("DIR")
      ->excludes(broker);
  AddRoot(verb, arguments);
}

CLI::App* AddReplay(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand("replay", "replay the log and judge it");
  AddCommon(verb, arguments);
  AddSource(verb, arguments);
  CLI::Option* since = verb->add_option(
      "--since", arguments.since,
      "an older checkpoint, to be a prefix of; may be repeated");
  since->type_name("FILE");
  CLI::Option* cases = verb->add_option(
      "--case", arguments.cases,
      "a case that one of its parties opened (`amparo case open`): what went "
      "against consent, matrix and revocations; may be repeated");
  cases->type_name("FILE");
  CLI::Option* mirror = verb->add_flag(
      "--mirror", arguments.mirror,
      "the export is one member's mirror, which opens that member's own mail "
      "only: what it does not open is no finding");
  mirror->needs(verb->get_option("--export"));
  verb->add_option("--state", arguments.state,
                   "go on where the replay that wrote FILE ended, and write it "
                   "anew; without the file replay all. Not seen again then: "
                   "tiles, openings and signatures of the entries before. That "
                   "the log still begins with them is proven by the root, and "
                   "what was found in them is told again")
      ->type_name("FILE")
      ->excludes(since)
      ->excludes(cases)
      ->excludes(mirror);
  verb->add_flag("--no-timeline", arguments.no_timeline,
                 "the verdict alone; faster for long logs");
  verb->add_option("--html", arguments.html,
                   "write the report as a page that needs nothing else")
      ->type_name("FILE");
  return verb;
}

CLI::App* AddAccessLog(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "access-log", "check what `amparo access-log --export` wrote");
  AddCommon(verb, arguments);
  AddSource(verb, arguments);
  verb->add_option("FILE", arguments.file, "the exported access log")
      ->required();
  const auto add = [verb](const char* name, std::string& to, const char* text,
                          const char* type) {
    verb->add_option(name, to, text)->type_name(type);
  };
  AccessFilter& filter = arguments.filter;
  add("--case", filter.case_id, "who saw this case", "ID");
  add("--officer", filter.officer, "what this officer did", "ID");
  add("--section", filter.section, "who opened this section", "NAME");
  add("--action", filter.action, "only this action", "ACTION");
  add("--grant", filter.grant, "what was done under this grant or basis", "ID");
  add("--from", arguments.from, "from this time on", "TIME");
  add("--until", arguments.until, "before this time", "TIME");
  verb->add_flag("--without-consent", filter.without_consent,
                 "what was sent or seen on a basis without consent");
  verb->add_flag("--after-revocation", filter.after_revocation,
                 "looks at what a consent allowed that was taken back before");
  verb->add_flag(
      "--late-reviews", filter.late_reviews,
      "disclosures without consent without a review within 72 hours");
  verb->add_flag("--outside-own-cases", filter.outside_own_cases,
                 "looks of --officer at cases in which it did nothing else");
  add("--own-cases", arguments.own_cases,
      "the institution's list of the officer's cases, one id a line", "FILE");
  return verb;
}

CLI::App* AddJoin(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand("join", "join a network as an auditor");
  AddCommon(verb, arguments);
  verb->add_option("INVITATION", arguments.join.invitation,
                   "the line of text; - reads it from standard input")
      ->required();
  verb->add_flag("--words-confirmed", arguments.join.words_confirmed,
                 "the network's words were compared with the paper protocol");
  return verb;
}

CLI::App* AddReconnect(CLI::App& app, Arguments& arguments) {
  CLI::App* verb =
      app.add_subcommand("reconnect",
                         "with a new invitation, get a new certificate for the "
                         "keys of the profile: "
                         "when the old one ended, or the network has a new CA");
  AddCommon(verb, arguments);
  verb->add_option("INVITATION", arguments.join.invitation,
                   "the line of text; - reads it from standard input")
      ->required();
  return verb;
}

// A minus sign would wrap round to a number.
void AddEntry(CLI::App* verb, Arguments& arguments) {
  verb->add_option("ENTRY", arguments.entry, "index of the entry")
      ->required()
      ->check([](const std::string& text) {
        return absl::c_all_of(text, absl::ascii_isdigit)
                   ? std::string()
                   : "expected the number of an entry";
      });
}

CLI::App* AddProve(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "prove", "make a pack of evidence about one entry, for a court");
  AddCommon(verb, arguments);
  AddSource(verb, arguments);
  AddEntry(verb, arguments);
  verb->add_option("--document", arguments.document,
                   "the document that the entry is about, as a party gave it")
      ->type_name("FILE");
  verb->add_option("--out", arguments.out,
                   "where the pack goes; beside it, as C2SP "
                   "tlog-proof, the entry's place in the tree")
      ->type_name("FILE");
  return verb;
}

CLI::App* AddVerify(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "verify", "check a pack of evidence; needs nothing but the root");
  AddCommon(verb, arguments);
  AddRoot(verb, arguments);
  verb->add_option("FILE", arguments.file, "the pack")->required();
  return verb;
}

CLI::App* AddCompare(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "compare", "do two signed checkpoints agree, or prove a second history?");
  AddCommon(verb, arguments);
  verb->add_option("FILE", arguments.notes,
                   "two files with a signed note each, or one with both")
      ->required();
  verb->add_option("--log-key", arguments.log_key,
                   "the log's verifier key, as charter and network.json have "
                   "it, or network.json")
      ->required()
      ->type_name("KEY|FILE");
  verb->add_option("--proof", arguments.proof,
                   "for two sizes: the request that a witness kept beside them")
      ->type_name("FILE");
  CLI::Option* broker = verb->add_option(
      "--broker", arguments.broker, "for two sizes: tiles from the broker");
  broker->type_name("HOST:PORT");
  verb->add_option("--export", arguments.folder,
                   "for two sizes: tiles from an exported log")
      ->type_name("DIR")
      ->excludes(broker);
  return verb;
}

CLI::App* AddShow(CLI::App& app, Arguments& arguments) {
  CLI::App* verb = app.add_subcommand("show", "one entry of the log, readable");
  AddCommon(verb, arguments);
  AddSource(verb, arguments);
  AddEntry(verb, arguments);
  return verb;
}

// The four verbs below `witness`.
struct WitnessVerbs {
  const CLI::App* init;
  const CLI::App* add_log;
  const CLI::App* run;
  const CLI::App* show;
};

WitnessVerbs AddWitness(CLI::App& app, WitnessOptions& options) {
  CLI::App* witness = app.add_subcommand(
      "witness",
      "watch a network's log from outside, and cosign what it grows to");
  witness->require_subcommand(1);
  const auto add = [&](const char* name, const char* text) {
    CLI::App* verb = witness->add_subcommand(name, text);
    verb->add_option("--data", options.folder,
                     "the witness's folder; a copy of it must never run")
        ->required()
        ->type_name("DIR");
    verb->add_flag("--json", options.json, "print the result as JSON");
    return verb;
  };
  CLI::App* init = add("init", "make a key, and print it for the charter");
  init->add_option("--name", options.name,
                   "what the witness is called, best an address of its own "
                   "without a scheme, such as audit.example/witness")
      ->required();
  CLI::App* add_log = add("add-log", "watch a log, or take a log's next key");
  add_log
      ->add_option("KEY", options.key,
                   "the log's verifier key, or network.json")
      ->required()
      ->type_name("KEY|FILE");
  CLI::App* run = add("run", "serve POST /add-checkpoint over HTTP");
  run->add_option("--listen", options.listen,
                  "IP address and port; port 0: any, see DIR/witness.addr")
      ->required()
      ->type_name("HOST:PORT");
  return {init, add_log, run,
          add("show", "what it cosigned, and what accuses a log")};
}

int Main(int argc, char** argv) {
  CLI::App app("Checks the log of a network, with no trust in its broker",
               kProgram);
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat(kProgram, " ", kVersion));
  app.require_subcommand(1);
  Arguments arguments;
  const CLI::App* replay = AddReplay(app, arguments);
  const CLI::App* access_log = AddAccessLog(app, arguments);
  const CLI::App* prove = AddProve(app, arguments);
  const CLI::App* verify = AddVerify(app, arguments);
  const CLI::App* compare = AddCompare(app, arguments);
  const CLI::App* show = AddShow(app, arguments);
  const CLI::App* join = AddJoin(app, arguments);
  const CLI::App* reconnect = AddReconnect(app, arguments);
  WitnessOptions witness_options;
  const WitnessVerbs witness = AddWitness(app, witness_options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Finish(Usage(error.what(), ""),
                  arguments.json || witness_options.json);
  }
  const bool json = arguments.json || witness_options.json;
  if (const absl::Status ready = InitCrypto(); !ready.ok())
    return Finish(ready, json);
  SilenceGrpc();
  absl::StatusOr<int> exit = 0;
  if (replay->parsed()) exit = RunReplay(arguments);
  if (access_log->parsed()) exit = RunAccessLog(arguments);
  if (prove->parsed()) exit = RunProve(arguments);
  if (verify->parsed()) exit = RunVerify(arguments);
  if (compare->parsed()) exit = RunCompare(arguments);
  if (show->parsed()) exit = RunShow(arguments);
  if (join->parsed()) exit = RunJoin(arguments);
  if (witness.init->parsed()) exit = RunWitnessInit(witness_options);
  if (witness.add_log->parsed()) exit = RunWitnessAddLog(witness_options);
  if (witness.run->parsed()) exit = RunWitness(witness_options);
  if (witness.show->parsed()) exit = RunWitnessShow(witness_options);
  if (reconnect->parsed()) exit = RunReconnect(arguments);
  return Finish(exit, json);
}

}  // namespace
}  // namespace amparo::auditor

// The last word: an exception's text may hold content.
int main(int argc, char** argv) try {
  return amparo::auditor::Main(argc, argv);
} catch (...) {
  std::cerr << amparo::auditor::kProgram << ": internal error\n";
  return 1;
}

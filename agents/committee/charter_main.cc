// amparo-charter: what the steering committee decides, drafted, signed and
// published.

#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/dialog.h"
#include "agents/committee/rpc/broker_enrolment.h"
#include "agents/committee/verbs.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/printable.h"
#include "base/status.h"
#include "base/version.h"
#include "crypto/init.h"
#include "proto/grpc/credentials.h"

namespace amparo::committee {
namespace {

constexpr char kProgram[] = "amparo-charter";

constexpr char kFooter[] =
    R"(DIR holds:
  draft.toml              what the next version will say; edit it
  keys/G1.key ...         governance keys, under a passphrase each; keep offline
  charter-N.pending.json  version N while it is being signed
  charter-N.json          version N as published
  network.json            where the broker is, from amparo-broker init
Order: init, sign by as many members as the charter asks, publish; then for each
member that has joined: add-member, sign, publish.
Exit: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 broker not reachable,
6 verification failed.)";

struct Arguments {
  bool json = false;
  std::string folder = ".";
  InitOptions init;
  uint32_t threshold = 0;
  AddMemberOptions add;
  SignOptions sign;
  std::string broker;
  std::string founding_token;
  std::string merge_file;
  uint64_t version = 0, from = 0, to = 0;
  bool draft = false;
  std::string root;
};

struct Verbs {
  CLI::App *init, *add, *sign, *merge, *publish, *show, *diff, *verify;
};

CLI::App* AddVerb(CLI::App& app, Arguments& arguments, const char* name,
                  const char* help) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("--dir", arguments.folder, "the committee's directory")
      ->type_name("DIR")
      ->capture_default_str();
  verb->add_flag("--json", arguments.json, "print the result as JSON");
  return verb;
}

void DescribeInit(CLI::App& verb, Arguments& arguments) {
  InitOptions& init = arguments.init;
  init.title = "Local protocol";
  init.timezone = "Europe/Lisbon";
  init.jurisdiction = "PT";
  verb.add_option("--network", init.network_file,
                  "network.json of amparo-broker init")
      ->type_name("FILE")
      ->required();
  verb.add_option("--member", init.members, "a founding member; repeat it")
      ->type_name("ID:KIND[:NAME]")
      ->required();
  verb.add_flag("--local", init.local,
                "for trying out: makes the passphrases, trusts keys at once");
  verb.add_option("--governance", init.seats,
                  "members that hold a governance key (default: the first 5)")
      ->type_name("ID,ID...")
      ->delimiter(',');
  verb.add_option("--threshold", arguments.threshold,
                  "how many of them sign a version (default: more than half)")
      ->check(CLI::Range(1, 32));
  verb.add_option("--title", init.title, "")->capture_default_str();
  verb.add_option("--timezone", init.timezone, "")->capture_default_str();
  verb.add_option("--jurisdiction", init.jurisdiction, "")
      ->capture_default_str();
}

Verbs Describe(CLI::App& app, Arguments& arguments) {
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat(kProgram, " ", kVersion));
  app.require_subcommand(1);
  Verbs verbs;
  const auto verb = [&](const char* name, const char* help) {
    return AddVerb(app, arguments, name, help);
  };
  verbs.init = verb("init", "draft version 1 and make the governance keys");
  DescribeInit(*verbs.init, arguments);
  verbs.add = verb("add-member", "take a member's keys into the draft");
  verbs.add->add_option("MEMBER", arguments.add.member, "id in the draft")
      ->required();
  verbs.add->add_flag("--words-confirmed", arguments.add.words_confirmed,
                      "the request's words were compared with the member's");
  verbs.sign = verb("sign", "show what changes, and sign it with one key");
  verbs.sign
      ->add_option("--key", arguments.sign.key_id,
                   "governance key (default: the next that has not "
                   "signed)")
      ->type_name("ID");
  verbs.sign
      ->add_option("--pass-file", arguments.sign.pass_file,
                   "file with its passphrase (default: keys/ID.pass, or asks)")
      ->type_name("FILE");
  verbs.sign->add_flag("--yes", arguments.sign.yes, "do not ask");
  verbs.merge = verb("merge", "add the signatures of another pending file");
  verbs.merge->add_option("FILE", arguments.merge_file, "")->required();
  verbs.publish = verb("publish", "give the signed version to the broker");
  verbs.publish
      ->add_option("--founding-token", arguments.founding_token,
                   "file with the token for version 1 (default: network.json)")
      ->type_name("FILE");
  for (CLI::App* online : {verbs.add, verbs.publish})
    online
        ->add_option("--broker", arguments.broker,
                     "its enrolment port (default: network.json)")
        ->type_name("HOST:PORT");
  verbs.show = verb("show", "print a published version");
  verbs.show->add_option("--version", arguments.version, "default: the newest");
  verbs.show->add_flag("--draft", arguments.draft, "the draft instead");
  verbs.diff = verb("diff", "say what a version changes");
  verbs.diff->add_option("--from", arguments.from, "default: the one before");
  verbs.diff->add_option("--to", arguments.to, "default: the draft");
  verbs.verify = verb("verify", "check every published version");
  verbs.verify
      ->add_option("--root", arguments.root,
                   "pinned hash of version 1, sha256:...")
      ->type_name("HASH");
  return verbs;
}

template <typename T>
std::optional<T> NoneIfZero(T value) {
  return value == 0 ? std::nullopt : std::optional<T>(value);
}

absl::StatusOr<Outcome> DispatchOnline(const Verbs& verbs,
                                       const Arguments& arguments,
                                       Dialog& dialog) {
  RETURN_IF_ERROR(AllowOnlyTls13());
  const CharterFolder folder(arguments.folder);
  ASSIGN_OR_RETURN(const NetworkFile network, folder.Network());
  ASSIGN_OR_RETURN(BrokerEnrolment broker,
                   BrokerEnrolment::Connect(network, arguments.broker));
  if (verbs.publish->parsed())
    return Publish(folder, arguments.founding_token, broker);
  return AddMember(folder, arguments.add, broker, dialog, SystemClock());
}

absl::StatusOr<Outcome> Dispatch(const Verbs& verbs, Arguments& arguments) {
  RETURN_IF_ERROR(InitCrypto());
  TerminalDialog dialog;
  const CharterFolder folder(arguments.folder);
  if (verbs.init->parsed()) {
    arguments.init.folder = arguments.folder;
    arguments.init.threshold = NoneIfZero(arguments.threshold);
    return Init(arguments.init, dialog, SystemClock());
  }
  if (verbs.sign->parsed()) return Sign(folder, arguments.sign, dialog);
  if (verbs.merge->parsed()) return Merge(folder, arguments.merge_file);
  if (verbs.show->parsed())
    return Show(folder, NoneIfZero(arguments.version), arguments.draft);
  if (verbs.diff->parsed())
    return Diff(folder, NoneIfZero(arguments.from), NoneIfZero(arguments.to));
  if (verbs.verify->parsed()) {
    std::optional<Digest> root;
    if (!arguments.root.empty()) {
      const absl::StatusOr<Digest> digest = Digest::Parse(arguments.root);
      if (!digest.ok())
        return MakeError(absl::StatusCode::kInvalidArgument,
                         "not a hash: sha256:HEX",
                         {.code = "usage", .field = "--root"});
      root = *digest;
    }
    return Verify(folder, root);
  }
  return DispatchOnline(verbs, arguments, dialog);
}

int Finish(const absl::StatusOr<Outcome>& outcome, bool json) {
  if (!outcome.ok()) {
    std::cerr << (json ? ErrorJson(outcome.status()) + "\n"
                       : Printable(ErrorText(kProgram, outcome.status())));
    return ExitOf(outcome.status());
  }
  std::cout << (json ? DumpJson(outcome->json) + "\n"
                     : Printable(outcome->text));
  std::cout.flush();
  return std::cout ? outcome->exit : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Drafts, signs and publishes the charter of a network",
               kProgram);
  Arguments arguments;
  const Verbs verbs = Describe(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Finish(
        MakeError(absl::StatusCode::kInvalidArgument, error.what(),
                  {.code = "usage", .hint = absl::StrCat(kProgram, " --help")}),
        arguments.json);
  }
  return Finish(Dispatch(verbs, arguments), arguments.json);
}

}  // namespace
}  // namespace amparo::committee

int main(int argc, char** argv) { return amparo::committee::Main(argc, argv); }

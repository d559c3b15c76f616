#include "agents/committee/charter_flags.h"

#include "absl/strings/str_cat.h"
#include "agents/committee/setting.h"
#include "base/version.h"
#include "proto/network/member.h"

namespace amparo::committee {
namespace {

constexpr char kFooter[] =
    R"(DIR holds:
  draft.toml              what the next version will say: read it, edit it, or
                          change it by set, add-member, suspend-member ...
  keys/G1.key             a governance key under its passphrase; keep offline
  keys/G1.public          its public half, for whoever drafts the charter
  charter-N.pending.json  version N while it is being signed
  charter-N.json          version N as published
  suspension-MEMBER.json  a suspend-now as published; .pending.json before
  network.json            where the broker is, from amparo-broker init
Order: new-key on each holder's machine, init, sign, merge, publish; then for
each member that has joined: add-member, sign, merge, publish. A member that comes
later: add-member ID:KIND[:NAME], sign, merge, publish; amparo-broker invite; join;
then add-member ID, sign, merge, publish.
Several machines: each has a DIR of its own. The pending file goes from one to
the next; merge takes it in, sign adds to it, publish ends it, fetch brings the
published version to the others.
In an emergency: suspend-now MEMBER by two institutions, then publish-suspension
MEMBER. It ends after a week; the committee decides meanwhile, by suspend-member
or reinstate.
Exit: 0 done, 1 failed, 2 usage, 3 not found, 4 refused, 5 broker not reachable,
6 verification failed.)";

class Describer {
 public:
  Describer(CLI::App& app, Arguments& arguments)
      : app_(app), arguments_(arguments) {}

  CLI::App* Verb(const char* name, const char* help) {
    CLI::App* verb = app_.add_subcommand(name, help);
    verb->add_option("--dir", arguments_.folder, "the committee's directory")
        ->type_name("DIR")
        ->capture_default_str();
    verb->add_flag("--json", arguments_.json, "print the result as JSON");
    return verb;
  }

  CLI::App* NewKey() {
    NewKeyOptions& key = arguments_.new_key;
    CLI::App* verb =
        Verb("new-key", "make a governance key, on its holder's machine");
    verb->add_option("ID", key.id, "never used before, as G1")->required();
    verb->add_option("MEMBER", key.member, "the institution that holds it")
        ->required();
    verb->add_option("--pass-file", key.pass_file,
                     "file with its passphrase (default: asks)")
        ->type_name("FILE");
    verb->add_flag("--local", key.local,
                   "for trying out: makes the passphrase and keeps it beside");
    return verb;
  }

  CLI::App* Init() {
    InitOptions& init = arguments_.init;
    init.title = "Local protocol";
    init.timezone = "Europe/Lisbon";
    init.jurisdiction = "PT";
    CLI::App* verb = Verb("init", "draft version 1");
    verb->add_option("--network", init.network_file,
                     "network.json of amparo-broker init")
        ->type_name("FILE")
        ->required();
    verb->add_option("--member", init.members, "a founding member; repeat it")
        ->type_name("ID:KIND[:NAME]")
        ->required();
    verb->add_option(
            "--governance-key", init.key_files,
            "public half of a key made elsewhere by new-key; repeat it "
            "(default: the keys are made here, all in one place)")
        ->type_name("FILE");
    WordsConfirmed(*verb, init.words_confirmed);
    verb->add_flag(
        "--local", init.local,
        "for trying out: makes the passphrases, trusts keys at once");
    verb->add_option("--governance", init.seats,
                     "members whose keys are made here (default: the first 5)")
        ->type_name("ID,ID...")
        ->delimiter(',');
    verb->add_option("--threshold", arguments_.threshold,
                     "how many members sign a version (default: more than half "
                     "of those with a key)")
        ->check(CLI::Range(1, 32));
    verb->add_option("--title", init.title, "of the protocol")
        ->capture_default_str();
    verb->add_option("--timezone", init.timezone, "of its deadlines")
        ->capture_default_str();
    verb->add_option("--jurisdiction", init.jurisdiction, "a country's code")
        ->capture_default_str();
    return verb;
  }

  CLI::App* AddMember() {
    CLI::App* verb = Verb(
        "add-member", "invite a new member, or take one's keys into the draft");
    verb->add_option("MEMBER", arguments_.add.member,
                     "ID:KIND or ID:KIND:NAME invites a new member; ID takes "
                     "the keys of one that has joined since")
        ->required();
    WordsConfirmed(*verb, arguments_.add.words_confirmed);
    std::string kinds = "Kinds:";
    for (const MemberKind kind : AllMemberKinds())
      absl::StrAppend(&kinds, " ", NameOf(kind));
    verb->footer(
        absl::StrCat(kinds, "\nExample: add-member casa5:shelter:\"Casa 5\""));
    return verb;
  }

  CLI::App* Status(const char* name, const char* help) {
    CLI::App* verb = Verb(name, help);
    verb->add_option("MEMBER", arguments_.member, "id in the draft")
        ->required();
    verb->add_option("--since", arguments_.since,
                     "from when what it sends is not believed (default: now)")
        ->type_name("TIME");
    return verb;
  }

  CLI::App* Set() {
    CLI::App* verb = Verb("set", "change one key of the draft");
    verb->add_option("KEY", arguments_.set.words,
                     "name and value; lists take several values")
        ->type_name("VALUE")
        ->required();
    // The flags outlive this object.
    ListChange& change = arguments_.set.change;
    CLI::Option* add = verb->add_flag_callback(
        "--add", [&change] { change = ListChange::kAdd; },
        "add to the list, not replace it");
    verb->add_flag_callback(
            "--remove", [&change] { change = ListChange::kRemove; },
            "take out of the list")
        ->excludes(add);
    verb->footer(absl::StrCat(
        "Names, with dots or spaces between their parts, and what they take:\n",
        SettingsText(),
        "Examples: set deadlines urgent decide 48h\n"
        "          set matrix.police.safe_contact C\n"
        "          set purposes --add statistics"));
    return verb;
  }

  CLI::App* AddKey() {
    AddKeyOptions& key = arguments_.add_key;
    CLI::App* verb = Verb("add-key", "take a governance key into the draft");
    verb->add_option("FILE", key.file, "its public half, made by new-key")
        ->required();
    verb->add_option("--replaces", key.replaces,
                     "key whose place it takes: lost, or used long enough")
        ->type_name("ID");
    verb->add_option("--until", arguments_.until, "default: three years")
        ->type_name("TIME");
    WordsConfirmed(*verb, key.words_confirmed);
    return verb;
  }

  CLI::App* RemoveKey() {
    CLI::App* verb =
        Verb("remove-key", "take a governance key out of the draft");
    verb->add_option("ID", arguments_.key_id, "as G1")->required();
    return verb;
  }

  CLI::App* Sign() {
    CLI::App* verb =
        Verb("sign", "show what changes, and sign it with one key");
    Signing(*verb, arguments_.sign);
    return verb;
  }

  CLI::App* SuspendNow() {
    CLI::App* verb =
        Verb("suspend-now",
             "sign that a member is stopped at once, for a week at most: two "
             "institutions suffice");
    verb->add_option("MEMBER", arguments_.suspend_now.member,
                     "an active member")
        ->required();
    verb->add_option("--until", arguments_.until, "default: seven days")
        ->type_name("TIME");
    Signing(*verb, arguments_.suspend_now.sign);
    return verb;
  }

  CLI::App* PublishSuspension() {
    CLI::App* verb =
        Verb("publish-suspension", "give the signed suspend-now to the broker");
    verb->add_option("MEMBER", arguments_.member, "whom it stops")->required();
    return verb;
  }

  CLI::App* Merge() {
    CLI::App* verb = Verb(
        "merge", "take in what another machine signed, to sign it here too");
    verb->add_option("FILE", arguments_.merge_file,
                     "its charter-N.pending.json, or suspension-MEMBER's")
        ->required();
    return verb;
  }

  CLI::App* Publish() {
    CLI::App* verb = Verb("publish", "give the signed version to the broker");
    verb->add_option(
            "--founding-token", arguments_.founding_token,
            "file with the token for version 1 (default: network.json)")
        ->type_name("FILE");
    return verb;
  }

  CLI::App* Show() {
    CLI::App* verb = Verb("show", "print a published version");
    verb->add_option("--version", arguments_.version, "default: the newest");
    verb->add_flag("--draft", arguments_.draft, "the draft instead");
    return verb;
  }

  CLI::App* Diff() {
    CLI::App* verb = Verb("diff", "say what a version changes");
    verb->add_option("--from", arguments_.from, "default: the one before");
    verb->add_option("--to", arguments_.to, "default: the draft");
    return verb;
  }

  CLI::App* Pinned(const char* name, const char* help) {
    CLI::App* verb = Verb(name, help);
    verb->add_option("--root", arguments_.root,
                     "pinned hash of version 1, sha256:...")
        ->type_name("HASH");
    return verb;
  }

  void Online(CLI::App& verb) {
    verb.add_option("--broker", arguments_.broker,
                    "its enrolment port (default: network.json)")
        ->type_name("HOST:PORT");
  }

 private:
  static void Signing(CLI::App& verb, SignOptions& sign) {
    verb.add_option("--key", sign.key_id,
                    "governance key (default: the next here that has not "
                    "signed)")
        ->type_name("ID");
    verb.add_option("--pass-file", sign.pass_file,
                    "file with its passphrase (default: keys/ID.pass, or asks)")
        ->type_name("FILE");
    verb.add_flag("--yes", sign.yes, "do not ask");
  }
  static void WordsConfirmed(CLI::App& verb, bool& flag) {
    verb.add_flag("--words-confirmed", flag,
                  "do not ask: the words were compared by phone or on paper");
  }

  CLI::App& app_;
  Arguments& arguments_;
};

}  // namespace

Verbs Describe(CLI::App& app, Arguments& arguments) {
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat(kProgram, " ", kVersion));
  app.require_subcommand(1);
  Describer describe(app, arguments);
  Verbs verbs;
  verbs.new_key = describe.NewKey();
  verbs.init = describe.Init();
  verbs.add_member = describe.AddMember();
  verbs.suspend = describe.Status(
      "suspend-member", "draft that nothing goes to or comes from a member");
  verbs.reinstate =
      describe.Status("reinstate", "draft that a suspended member is active");
  verbs.withdraw =
      describe.Status("withdraw", "draft that a member has left, for good");
  verbs.set = describe.Set();
  verbs.add_key = describe.AddKey();
  verbs.remove_key = describe.RemoveKey();
  verbs.sign = describe.Sign();
  verbs.merge = describe.Merge();
  verbs.publish = describe.Publish();
  verbs.suspend_now = describe.SuspendNow();
  verbs.publish_suspension = describe.PublishSuspension();
  verbs.fetch = describe.Pinned(
      "fetch", "take the published versions from the broker, each verified");
  verbs.show = describe.Show();
  verbs.diff = describe.Diff();
  verbs.verify = describe.Pinned("verify", "check every published version");
  for (CLI::App* online :
       {verbs.add_member, verbs.publish, verbs.publish_suspension, verbs.fetch})
    describe.Online(*online);
  return verbs;
}

}  // namespace amparo::committee

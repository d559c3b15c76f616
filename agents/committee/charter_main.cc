// amparo-charter: what the steering committee decides, drafted, signed and
// published.

#include <iostream>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "agents/committee/charter_flags.h"
#include "agents/committee/charter_folder.h"
#include "agents/committee/dialog.h"
#include "agents/committee/rpc/broker_enrolment.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/printable.h"
#include "base/status.h"
#include "crypto/init.h"
#include "proto/grpc/credentials.h"
#include "proto/grpc/journal.h"

namespace amparo::committee {
namespace {

template <typename T>
std::optional<T> NoneIfZero(T value) {
  return value == 0 ? std::nullopt : std::optional<T>(value);
}

absl::StatusOr<std::optional<Digest>> RootOf(const Arguments& arguments) {
  std::optional<Digest> root;
  if (arguments.root.empty()) return root;
  const absl::StatusOr<Digest> digest = Digest::Parse(arguments.root);
  if (!digest.ok())
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "not a hash: sha256:HEX",
                     {.code = "usage", .field = "--root"});
  root = *digest;
  return root;
}

absl::StatusOr<std::optional<absl::Time>> TimeOf(const std::string& text,
                                                 const char* flag) {
  std::optional<absl::Time> time;
  if (text.empty()) return time;
  const absl::StatusOr<absl::Time> parsed =
      ParseUtc(IsDate(text) ? absl::StrCat(text, "T00:00:00Z") : text);
  if (!parsed.ok())
    return MakeError(absl::StatusCode::kInvalidArgument, "not a time",
                     {.code = "usage",
                      .field = flag,
                      .expected = "2028-01-31 or 2028-01-31T12:00:00Z"});
  time = *parsed;
  return time;
}

absl::StatusOr<Outcome> DispatchOnline(const Verbs& verbs,
                                       const Arguments& arguments,
                                       Dialog& dialog) {
  RETURN_IF_ERROR(AllowOnlyTls13());
  SilenceGrpc();
  const CharterFolder folder(arguments.folder);
  ASSIGN_OR_RETURN(const NetworkFile network, folder.Network());
  ASSIGN_OR_RETURN(BrokerEnrolment broker,
                   BrokerEnrolment::Connect(network, arguments.broker));
  if (verbs.publish->parsed())
    return Publish(folder, arguments.founding_token, broker, SystemClock());
  if (verbs.publish_suspension->parsed())
    return PublishSuspension(folder, arguments.member, broker, SystemClock());
  if (verbs.fetch->parsed()) {
    ASSIGN_OR_RETURN(const std::optional<Digest> root, RootOf(arguments));
    return Fetch(folder, root, broker);
  }
  return AddMember(folder, arguments.add, broker, dialog, SystemClock());
}

// The verbs that change the draft; nullopt when it is none of them.
absl::StatusOr<std::optional<Outcome>> DispatchDraft(const Verbs& verbs,
                                                     Arguments& arguments,
                                                     Dialog& dialog) {
  const CharterFolder folder(arguments.folder);
  const struct {
    CLI::App* verb;
    StatusVerb means;
  } changes[] = {{verbs.suspend, StatusVerb::kSuspend},
                 {verbs.reinstate, StatusVerb::kReinstate},
                 {verbs.withdraw, StatusVerb::kWithdraw}};
  for (const auto& change : changes) {
    if (!change.verb->parsed()) continue;
    ASSIGN_OR_RETURN(const auto since, TimeOf(arguments.since, "--since"));
    return ChangeStatus(folder, {change.means, arguments.member, since},
                        SystemClock());
  }
  if (verbs.add_member->parsed() && IsNewMember(arguments.add.member))
    return InviteMember(folder, arguments.add.member, SystemClock());
  if (verbs.set->parsed()) return Set(folder, arguments.set);
  if (verbs.remove_key->parsed()) return RemoveKey(folder, arguments.key_id);
  if (verbs.add_key->parsed()) {
    ASSIGN_OR_RETURN(arguments.add_key.until,
                     TimeOf(arguments.until, "--until"));
    return AddKey(folder, arguments.add_key, dialog, SystemClock());
  }
  return std::optional<Outcome>();
}

absl::StatusOr<Outcome> Dispatch(const Verbs& verbs, Arguments& arguments) {
  RETURN_IF_ERROR(InitCrypto());
  TerminalDialog dialog;
  const CharterFolder folder(arguments.folder);
  if (verbs.new_key->parsed())
    return NewKey(folder, arguments.new_key, dialog, SystemClock());
  if (verbs.init->parsed()) {
    arguments.init.folder = arguments.folder;
    arguments.init.threshold = NoneIfZero(arguments.threshold);
    return Init(arguments.init, dialog, SystemClock());
  }
  ASSIGN_OR_RETURN(std::optional<Outcome> drafted,
                   DispatchDraft(verbs, arguments, dialog));
  if (drafted.has_value()) return *std::move(drafted);
  if (verbs.suspend_now->parsed()) {
    ASSIGN_OR_RETURN(arguments.suspend_now.until,
                     TimeOf(arguments.until, "--until"));
    return SuspendNow(folder, arguments.suspend_now, dialog, SystemClock());
  }
  if (verbs.sign->parsed())
    return Sign(folder, arguments.sign, dialog, SystemClock());
  if (verbs.merge->parsed())
    return Merge(folder, arguments.merge_file, SystemClock());
  if (verbs.show->parsed())
    return Show(folder, NoneIfZero(arguments.version), arguments.draft,
                SystemClock());
  if (verbs.diff->parsed())
    return Diff(folder, NoneIfZero(arguments.from), NoneIfZero(arguments.to));
  if (verbs.verify->parsed()) {
    ASSIGN_OR_RETURN(const std::optional<Digest> root, RootOf(arguments));
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

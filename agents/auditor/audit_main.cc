// amparo-audit: replays the log of a network and says whether it is what was
// signed, with no trust in the broker.

#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "agents/auditor/folder_source.h"
#include "agents/auditor/profile.h"
#include "agents/auditor/replay.h"
#include "agents/auditor/rpc/join.h"
#include "agents/auditor/rpc/remote_source.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/error_json.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/status.h"
#include "base/version.h"
#include "crypto/init.h"
#include "proto/grpc/credentials.h"

namespace amparo::auditor {
namespace {

constexpr char kProgram[] = "amparo-audit";
constexpr size_t kCheckpointBytesMax = 1 << 20;

constexpr char kFooter[] =
    R"(  amparo-audit replay --export DIR --root sha256:...
  amparo-audit replay --broker HOST:PORT --profile DIR
Exit: 0 all that could be checked is right, 6 something is not, 2 usage, 3 not
found, 4 refused, 5 broker not reachable.)";

struct Arguments {
  bool json = false;
  std::string profile;
  std::string broker;
  std::string folder;
  std::string root;
  std::vector<std::string> since;
  JoinOptions join;
};

// The timeline while the replay goes on: JSON has it in one object with what
// comes out at the end, and it may be larger than memory.
class Spool {
 public:
  Spool() : file_(std::tmpfile()) {}
  ~Spool() {
    if (file_ != nullptr) std::fclose(file_);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  bool ok() const { return file_ != nullptr && std::ferror(file_) == 0; }
  void Add(const TimelineEntry& entry) {
    const std::string row = (rows_++ == 0 ? "" : ",") + DumpJson(ToJson(entry));
    if (file_ != nullptr) std::fwrite(row.data(), 1, row.size(), file_);
  }
  void CopyTo(std::ostream& out) {
    std::rewind(file_);
    std::vector<char> buffer(1 << 16);
    while (const size_t got =
               std::fread(buffer.data(), 1, buffer.size(), file_))
      out.write(buffer.data(), static_cast<std::streamsize>(got));
  }

 private:
  std::FILE* file_;
  uint64_t rows_ = 0;
};

absl::Status Usage(absl::string_view message, const char* field) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage",
                    .field = field,
                    .hint = absl::StrCat(kProgram, " --help")});
}

// What pins the replay: --root, or the profile that was named.
absl::StatusOr<std::optional<Digest>> ReadRoot(const Arguments& arguments) {
  std::optional<Digest> root;
  if (!arguments.root.empty()) {
    const absl::StatusOr<Digest> digest = Digest::Parse(arguments.root);
    if (!digest.ok()) return Usage("not a hash: sha256:HEX", "--root");
    root = *digest;
  } else if (!arguments.profile.empty() || !arguments.broker.empty()) {
    ASSIGN_OR_RETURN(const Profile profile,
                     ReadProfile(ProfileFolder(arguments.profile)));
    root = profile.root;
  }
  return root;
}

absl::StatusOr<std::unique_ptr<LeafSource>> OpenSource(
    const Arguments& arguments) {
  if (!arguments.folder.empty()) {
    ASSIGN_OR_RETURN(FolderSource source, FolderSource::Open(arguments.folder));
    return std::make_unique<FolderSource>(std::move(source));
  }
  RETURN_IF_ERROR(AllowOnlyTls13());
  ASSIGN_OR_RETURN(const Profile profile,
                   ReadProfile(ProfileFolder(arguments.profile)));
  ASSIGN_OR_RETURN(RemoteSource source,
                   RemoteSource::Connect(profile, arguments.broker));
  return std::make_unique<RemoteSource>(std::move(source));
}

absl::StatusOr<int> RunReplay(const Arguments& arguments) {
  if (arguments.folder.empty() && arguments.broker.empty() &&
      arguments.profile.empty())
    return Usage("nothing to replay", "--broker or --export");
  ReplayOptions options;
  ASSIGN_OR_RETURN(options.root, ReadRoot(arguments));
  for (const std::string& path : arguments.since) {
    ASSIGN_OR_RETURN(std::string note, ReadFile(path, kCheckpointBytesMax));
    options.since.push_back(std::move(note));
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<LeafSource> source,
                   OpenSource(arguments));
  Spool spool;
  if (arguments.json)
    options.timeline = [&spool](const TimelineEntry& row) { spool.Add(row); };
  else
    options.timeline = [](const TimelineEntry& row) {
      std::cout << ToText(row);
    };
  ASSIGN_OR_RETURN(const Report report, Replay(*source, options));
  if (!report.root_pinned)
    std::cerr << kProgram
              << ": the root is not pinned: this replay believes the log's own "
                 "first charter; give --root with the hash from the paper "
                 "protocol\n";
  if (!arguments.json) {
    std::cout << "\n" << ToText(report);
  } else {
    if (!spool.ok())
      return MakeError(absl::StatusCode::kInternal,
                       "the timeline does not fit the disk for temporary files",
                       {.code = "storage"});
    std::string object = DumpJson(ToJson(report));
    object.pop_back();  // its closing brace
    std::cout << object << ",\"timeline\":[";
    spool.CopyTo(std::cout);
    std::cout << "]}\n";
  }
  return report.ok() ? 0 : ExitOf("verification_failed");
}

absl::StatusOr<int> RunJoin(Arguments& arguments) {
  RETURN_IF_ERROR(AllowOnlyTls13());
  JoinOptions& options = arguments.join;
  options.folder = ProfileFolder(arguments.profile);
  if (options.invitation == "-") std::getline(std::cin, options.invitation);
  options.confirm_words = [](absl::string_view words) {
    std::cerr << "The network's words are:\n\n    " << words
              << "\n\nDo the same words stand in the paper protocol? [yes/no] "
              << std::flush;
    std::string answer;
    return std::getline(std::cin, answer) && answer == "yes";
  };
  ASSIGN_OR_RETURN(const Joined joined, Join(options, SystemClock()));
  if (arguments.json)
    std::cout << DumpJson({{"schema", "join/1"},
                           {"member", joined.member},
                           {"network", joined.network},
                           {"network_words", joined.network_words},
                           {"request_words", joined.request_words}})
              << "\n";
  else
    std::cout << joined.member << " has joined " << joined.network
              << " and waits for the committee.\n\n"
              << "Read these words to the committee by phone:\n\n    "
              << joined.request_words << "\n";
  return 0;
}

int Finish(const absl::StatusOr<int>& exit, bool json) {
  if (!exit.ok()) {
    std::cerr << (json ? ErrorJson(exit.status()) + "\n"
                       : Printable(ErrorText(kProgram, exit.status())));
    return ExitOf(exit.status());
  }
  std::cout.flush();
  return std::cout ? *exit : 1;
}

int Main(int argc, char** argv) {
  CLI::App app("Checks the log of a network, with no trust in its broker",
               kProgram);
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat(kProgram, " ", kVersion));
  app.require_subcommand(1);
  Arguments arguments;
  const auto add_common = [&arguments](CLI::App* verb) {
    verb->add_option("--profile", arguments.profile,
                     "directory, or a name below ~/.config/amparo")
        ->type_name("NAME|DIR");
    verb->add_flag("--json", arguments.json, "print the result as JSON");
  };
  CLI::App* replay =
      app.add_subcommand("replay", "replay the log and judge it");
  add_common(replay);
  CLI::Option* broker = replay->add_option("--broker", arguments.broker,
                                           "the broker's port for members");
  broker->type_name("HOST:PORT");
  replay->add_option("--export", arguments.folder, "an exported log")
      ->type_name("DIR")
      ->excludes(broker);
  replay
      ->add_option("--root", arguments.root,
                   "pinned hash of charter version 1 (default: the profile's)")
      ->type_name("HASH");
  replay
      ->add_option("--since", arguments.since,
                   "an older checkpoint, to be a prefix of; may be repeated")
      ->type_name("FILE");
  CLI::App* join = app.add_subcommand("join", "join a network as an auditor");
  add_common(join);
  join->add_option("INVITATION", arguments.join.invitation,
                   "the line of text; - reads it from standard input")
      ->required();
  join->add_flag("--words-confirmed", arguments.join.words_confirmed,
                 "the network's words were compared with the paper protocol");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return Finish(Usage(error.what(), ""), arguments.json);
  }
  if (const absl::Status ready = InitCrypto(); !ready.ok())
    return Finish(ready, arguments.json);
  return Finish(join->parsed() ? RunJoin(arguments) : RunReplay(arguments),
                arguments.json);
}

}  // namespace
}  // namespace amparo::auditor

int main(int argc, char** argv) { return amparo::auditor::Main(argc, argv); }

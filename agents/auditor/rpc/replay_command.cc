#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/auditor/profile.h"
#include "agents/auditor/progress.h"
#include "agents/auditor/replay.h"
#include "agents/auditor/report_html.h"
#include "agents/auditor/rpc/certificate.h"
#include "agents/auditor/rpc/commands.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "proto/content/case_opening.h"

namespace amparo::auditor {
namespace {

constexpr size_t kCheckpointBytesMax = 1 << 20;

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

// The replay's result does not depend on it: what goes wrong is only said.
void KeepCertificateOf(const Arguments& arguments,
                       const ProvenNetwork& network) {
  const std::string folder = ProfileFolder(arguments.profile);
  auto profile = ReadProfile(folder);
  if (profile.ok() && !arguments.broker.empty())
    profile->broker = arguments.broker;
  const auto renewed =
      profile.ok() ? KeepCertificate(*profile, folder, network, SystemClock())
                   : absl::StatusOr<bool>(profile.status());
  if (!renewed.ok())
    std::cerr << kProgram
              << ": this profile's certificate was not looked after: "
              << std::string(renewed.status().message()) << "\n";
  else if (*renewed)
    std::cerr << kProgram << ": this profile has a new certificate\n";
}

// As WriteFile will need it: a new file beside `path`, and `path` no folder.
absl::Status CheckWritable(const std::string& path) {
  std::string probe = absl::StrCat(path, ".XXXXXX");
  const int made = mkostemp(probe.data(), O_CLOEXEC);
  if (made >= 0) {
    close(made);
    unlink(probe.c_str());
  }
  std::error_code error;
  if (made >= 0 && !std::filesystem::is_directory(path, error))
    return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("cannot write ", path),
                   {.code = "usage", .field = "--html"});
}

// Which of several files it was.
absl::Status About(const std::string& path, const absl::Status& status) {
  ErrorDetail detail = DetailOf(status).value_or(ErrorDetail());
  detail.code = ErrorCodeOf(status);
  return MakeError(status.code(), absl::StrCat(path, ": ", status.message()),
                   detail);
}

}  // namespace

absl::StatusOr<int> RunReplay(const Arguments& arguments) {
  if (!arguments.NamesASource())
    return Usage("nothing to replay", "--broker or --export");
  ReplayOptions options;
  options.mirror = arguments.mirror;
  options.live = arguments.folder.empty();
  ASSIGN_OR_RETURN(options.root, ReadRoot(arguments));
  for (const std::string& path : arguments.since) {
    ASSIGN_OR_RETURN(std::string note, ReadFile(path, kCheckpointBytesMax));
    options.since.push_back(std::move(note));
  }
  for (const std::string& path : arguments.cases) {
    ASSIGN_OR_RETURN(const std::string text,
                     ReadFile(path, kCaseOpeningBytesMax));
    absl::StatusOr<CaseOpening> opening = ParseCaseOpening(text);
    if (!opening.ok()) return About(path, opening.status());
    options.cases.push_back(*std::move(opening));
  }
  // Before the walk, which may take long.
  if (!arguments.html.empty()) RETURN_IF_ERROR(CheckWritable(arguments.html));
  ASSIGN_OR_RETURN(const std::unique_ptr<LeafSource> source,
                   OpenSource(arguments));
  std::optional<ReplayState> resume, ended;
  if (!arguments.state.empty()) {
    const absl::StatusOr<std::string> text =
        ReadFile(arguments.state, kReplayStateBytesMax);
    if (!text.ok() && !absl::IsNotFound(text.status())) return text.status();
    if (text.ok()) {
      ASSIGN_OR_RETURN(resume, ParseReplayState(*text));
      options.resume = &*resume;
    }
    options.state = [&ended](const ReplayState& state) { ended = state; };
  }
  Spool spool;
  HtmlReport html;
  options.timeline = [&](const TimelineEntry& row) {
    if (!arguments.html.empty()) html.Add(row);
    if (arguments.no_timeline) return;
    if (arguments.json)
      spool.Add(row);
    else
      std::cout << ToText(row);
  };
  if (arguments.no_timeline && arguments.html.empty())
    options.timeline = nullptr;
  ProgressBar bar(std::cerr, SystemClock());
  // Where the timeline goes to the same terminal there is movement enough.
  if (isatty(STDERR_FILENO) == 1 &&
      (arguments.json || arguments.no_timeline || isatty(STDOUT_FILENO) != 1))
    options.progress = [&bar](uint64_t done, uint64_t size) {
      bar.Show(done, size);
    };
  std::optional<ProvenNetwork> proven;
  options.network = [&proven](const NetworkFold& fold) {
    if (fold.Charter() != nullptr)
      proven = {fold.Charter()->network_id, fold.Charter()->charter.log_keys};
  };
  ASSIGN_OR_RETURN(const Report report, Replay(*source, options));
  bar.Clear();
  if (arguments.folder.empty() && report.ok() && report.root_pinned && proven)
    KeepCertificateOf(arguments, *proven);
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
  std::cout.flush();  // the verdict, whatever becomes of the files
  if (ended.has_value())
    RETURN_IF_ERROR(WriteFile(arguments.state, FormatReplayState(*ended),
                              FileMode::kPrivate));
  else if (!arguments.state.empty())
    std::cerr << kProgram << ": " << arguments.state
              << " stays as it is: nothing can go on from this log as it was "
                 "shown\n";
  if (!arguments.html.empty())
    RETURN_IF_ERROR(WriteFile(arguments.html,
                              html.Render(report, SystemClock().Now()),
                              FileMode::kPrivate));
  return report.ok() ? 0 : ExitOf("verification_failed");
}

}  // namespace amparo::auditor

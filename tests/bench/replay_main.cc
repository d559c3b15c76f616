#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "agents/auditor/folder_source.h"
#include "agents/auditor/replay.h"
#include "agents/auditor/source_nodes.h"
#include "base/files.h"
#include "crypto/init.h"
#include "crypto/sign.h"
#include "proto/envelope/limits.h"
#include "tests/support/log_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

// How fast an auditor replays a log, and in how much memory (docs/
// PERFORMANCE.md): a founded network, then commitments in number, exported as a
// broker would. Beside it the raw hash rate of the same run, which bounds it.

extern char** environ;

namespace amparo::auditor {
namespace {

template <typename Work>
double SecondsFor(const Work& work) {
  const absl::Time start = absl::Now();
  work();
  return absl::ToDoubleSeconds(absl::Now() - start);
}

// Entries whose openings are all one signed anchor, each with its own salt.
void Fill(LogBuilder& log, uint64_t entries, uint64_t opened) {
  const LeafIndex anchor = log.AddAnchor("ong");
  const Bytes event = log.openings.at(anchor.value()).event;
  while (log.entries.size() < entries) {
    const uint64_t leaf = log.entries.size();
    Bytes salt(kSaltBytes);
    for (size_t i = 0; i < 8; ++i)
      salt[i] = static_cast<uint8_t>(leaf >> (8 * i));
    log.entries.push_back(EncodeLogEntry(
        {log.now, CommitmentEntry{LeafCommitment(salt, event)}}));
    if (leaf < opened) log.openings[leaf] = {salt, event};
  }
}

// What no replay of so many entries can leave out: a hash for each leaf and
// one for each node over them. Where entries are opened, a verification each.
double HashSeconds(const LogBuilder& log) {
  return SecondsFor([&log] {
    Digest last;
    for (const Bytes& entry : log.entries) {
      const Digest leaf = LeafHash(entry);
      last = NodeHash(last, leaf);
    }
    if (last.IsZero()) throw std::runtime_error("no hash is zero");
  });
}

// Runs amparo-audit; its greatest resident set, in MiB.
double ResidentMib(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
                                   O_WRONLY, 0);
  pid_t pid = 0;
  if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0)
    throw std::runtime_error("cannot start amparo-audit");
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage usage = {};
  if (wait4(pid, &status, 0, &usage) != pid || status != 0)
    throw std::runtime_error("amparo-audit found something wrong");
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// One verification of an opened entry's signature is not to be left out either.
double VerifySeconds(uint64_t count) {
  const SigningKey key = SigningKey::Generate();
  const Bytes message(200, 1);
  const Signature signature = Sign(key, "bench", message);
  return SecondsFor([&] {
    for (uint64_t i = 0; i < count; ++i)
      if (!VerifyStrict(key.verify_key(), "bench", message, signature).ok())
        throw std::runtime_error("a good signature was refused");
  });
}

struct Made {
  Digest root;
  double raw = 0;  // seconds
};
// In a process of its own: what a child has at its start counts as the
// greatest that it ever had.
Made MakeExport(const ScratchFolder& scratch, uint64_t entries,
                bool with_openings) {
  const pid_t pid = fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (pid == 0) {
    LogBuilder log;
    Fill(log, entries, with_openings ? entries : 0);
    log.Export(scratch / "export");
    if (!with_openings)
      std::filesystem::remove_all(scratch / "export/openings");
    const double raw =
        HashSeconds(log) + (with_openings ? VerifySeconds(entries) : 0);
    const bool kept =
        WriteFile(scratch / "root", log.root().ToString(), FileMode::kPrivate)
            .ok() &&
        WriteFile(scratch / "raw", absl::StrCat(raw), FileMode::kPrivate).ok();
    _exit(kept ? 0 : 1);
  }
  int status = 0;
  if (waitpid(pid, &status, 0) != pid || status != 0)
    throw std::runtime_error("cannot make a log");
  return {VALUE_OF(Digest::Parse(VALUE_OF(ReadFile(scratch / "root", 1024)))),
          std::stod(VALUE_OF(ReadFile(scratch / "raw", 1024)))};
}

void MeasureReplay(uint64_t entries, bool with_openings) {
  const ScratchFolder scratch;
  const std::string folder = scratch / "export";
  const Made made = MakeExport(scratch, entries, with_openings);
  const double raw = made.raw;
  FolderSource source = VALUE_OF(FolderSource::Open(folder));
  const double took = SecondsFor([&] {
    if (!VALUE_OF(Replay(source, {.root = made.root})).ok())
      throw std::runtime_error("the replay found something wrong");
  });
  double program_mib = 0;
  const double program = SecondsFor([&] {
    program_mib =
        ResidentMib({AMPARO_AUDIT_PROGRAM, "replay", "--json", "--export",
                     folder, "--root", made.root.ToString(), "--no-timeline"});
  });
  const auto count = static_cast<double>(entries);
  std::printf("%9lu %-8s %10.0f/s %10.0f/s %6.2f %10.0f/s %8.1f MiB\n",
              static_cast<unsigned long>(entries),
              with_openings ? "opened" : "closed", count / took, count / raw,
              raw / took, count / program, program_mib);
  std::fflush(stdout);
}

// Tiles of any log: one made-up tile under every name.
class AnyTiles : public LeafSource {
 public:
  absl::StatusOr<std::string> Checkpoint() override { return Nothing(); }
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t, uint32_t) override {
    return Nothing();
  }
  absl::StatusOr<Bytes> HashTile(const TileId& tile) override {
    ++reads;
    return Bytes(tile.width * Digest::kSize, 7);
  }
  absl::StatusOr<std::string> Document(const Digest&) override {
    return Nothing();
  }
  bool HasOpenings() override { return false; }
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t, uint32_t) override {
    return Nothing();
  }
  uint64_t reads = 0;

 private:
  static absl::Status Nothing() { return absl::NotFoundError(""); }
};

// Each proof with no tile kept from the one before.
void MeasureProofs(uint64_t entries) {
  constexpr uint64_t kProofs = 2000;
  AnyTiles source;
  const double inclusion = SecondsFor([&] {
    for (uint64_t i = 0; i < kProofs; ++i)
      VALUE_OF(InclusionProof(LeafIndex(i * 7919 * 613 % entries),
                              TreeSize(entries),
                              NodesOf(source, TreeSize(entries))));
  });
  const uint64_t reads = source.reads;
  const double consistency = SecondsFor([&] {
    for (uint64_t i = 0; i < kProofs; ++i)
      VALUE_OF(ConsistencyProof(TreeSize(1 + i * 7919 * 613 % (entries - 1)),
                                TreeSize(entries),
                                NodesOf(source, TreeSize(entries))));
  });
  std::printf(
      "proofs among %lu entries: inclusion %.0f us (%.1f tiles read), "
      "consistency %.0f us\n",
      static_cast<unsigned long>(entries), inclusion / kProofs * 1e6,
      static_cast<double>(reads) / kProofs, consistency / kProofs * 1e6);
}

int Main(int argc, char** argv) {
  uint64_t closed = 1'000'000, opened = 100'000, proofs = 10'000'000;
  CLI::App app("Measures the auditor's replay and the making of proofs");
  app.add_option("--entries", closed, "replayed without openings");
  app.add_option("--opened", opened, "replayed with an opening each");
  app.add_option("--proofs", proofs, "size of the tree that proofs are of");
  CLI11_PARSE(app, argc, argv);
  if (!InitCrypto().ok()) return 1;
  std::printf("%9s %-8s %12s %12s %6s %12s %12s\n", "entries", "", "replay",
              "bound", "ratio", "program", "resident");
  for (const uint64_t entries : {closed / 10, closed})
    MeasureReplay(entries, false);
  for (const uint64_t entries : {opened / 10, opened})
    MeasureReplay(entries, true);
  MeasureProofs(proofs);
  return 0;
}

}  // namespace
}  // namespace amparo::auditor

int main(int argc, char** argv) { return amparo::auditor::Main(argc, argv); }

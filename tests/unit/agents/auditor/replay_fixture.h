#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/auditor/folder_source.h"
#include "agents/auditor/replay.h"
#include "base/files.h"
#include "crypto/random.h"
#include "tests/support/log_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/status_matchers.h"

namespace amparo::auditor {

// A log, its export, and an auditor who knows the root.
class ReplayFixture : public testing::Test {
 protected:
  // Exports what the log holds now.
  void Export() {
    std::filesystem::remove_all(folder_);
    log_.Export(folder_);
  }
  Report Replayed(const ReplayOptions& options) {
    FolderSource source = VALUE_OF(FolderSource::Open(folder_));
    return VALUE_OF(Replay(source, options));
  }
  Report Replayed() { return Replayed({.root = log_.root()}); }
  Report ExportAndReplay() {
    Export();
    return Replayed();
  }

  std::string Path(const std::string& name) const {
    return absl::StrCat(folder_, "/", name);
  }
  std::string Read(const std::string& name) const {
    return VALUE_OF(ReadFile(Path(name), 64 << 20));
  }
  void Write(const std::string& name, absl::string_view content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
  }
  void Flip(const std::string& name, size_t at) const {
    std::string content = Read(name);
    ASSERT_LT(at, content.size());
    content[at] = static_cast<char>(content[at] ^ 0x01);
    Write(name, content);
  }
  void Remove(const std::string& name) const {
    ASSERT_TRUE(std::filesystem::remove_all(Path(name)) > 0) << name;
  }

  // Names of the newest partial bundle and level 0 tile of a log that has less
  // than 256 entries.
  std::string Bundle() const {
    return BundlePath(0, static_cast<uint32_t>(log_.entries.size()));
  }
  std::string Tile() const {
    return TilePath({0, 0, static_cast<uint32_t>(log_.entries.size())});
  }
  // Where entry `index` begins in its bundle, after its length.
  size_t OffsetOf(size_t index) const {
    size_t offset = 2;
    for (size_t i = 0; i < index; ++i) offset += log_.entries[i].size() + 2;
    return offset;
  }

  LogBuilder log_;

 private:
  const ScratchFolder scratch_;
  const std::string folder_ = scratch_ / "export";
};

// The report has a finding of this code at this entry, and none before it.
MATCHER_P2(FirstFails, code, index, "") {
  for (const Finding& finding : arg.findings())
    *result_listener << NameOf(finding.code) << " "
                     << (finding.index ? finding.index->value() : 9999) << ": "
                     << finding.text << "\n";
  const bool named = std::any_of(
      arg.findings().begin(), arg.findings().end(), [&](const Finding& f) {
        return f.code == code && f.index == LeafIndex(index);
      });
  return !arg.ok() && named && arg.first_bad_index() == LeafIndex(index);
}

// The report has a finding of this code that is about no entry, and no finding
// about one.
MATCHER_P(FailsAsAWhole, code, "") {
  for (const Finding& finding : arg.findings())
    *result_listener << NameOf(finding.code) << ": " << finding.text << "\n";
  const bool named =
      std::any_of(arg.findings().begin(), arg.findings().end(),
                  [&](const Finding& f) { return f.code == code && !f.index; });
  return !arg.ok() && named && !arg.first_bad_index().has_value();
}

MATCHER(Passes, "") {
  for (const Finding& finding : arg.findings())
    *result_listener << NameOf(finding.code) << ": " << finding.text << "\n";
  return arg.ok() && arg.findings().empty();
}

}  // namespace amparo::auditor

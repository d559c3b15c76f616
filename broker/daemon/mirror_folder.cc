#include "broker/daemon/mirror_folder.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/note.h"
#include "crypto/tile.h"
#include "proto/envelope/limits.h"
#include "proto/network/charter.h"

namespace amparo::broker {
namespace {

// One a charter version.
constexpr size_t kCharterNotesMax = 4096;
constexpr size_t kBundleBytesMax = kTileWidth * (2 + kEntryBytesMax);
// A line: event and salt in base64url, and the keys around them.
constexpr size_t kOpeningsBytesMax = kTileWidth * (kOpeningBytesMax * 2);

}  // namespace

absl::StatusOr<std::unique_ptr<MirrorFolder>> MirrorFolder::Open(
    const std::string& folder) {
  if (!FileExists(absl::StrCat(folder, "/", kCheckpointFile)))
    return MakeError(
        absl::StatusCode::kNotFound,
        absl::StrCat(folder, " is no mirror: it has no checkpoint"),
        {.code = "not_found",
         .field = "--from",
         .expected = "what amparo-agent export-mirror wrote"});
  return std::unique_ptr<MirrorFolder>(new MirrorFolder(folder));
}

absl::StatusOr<std::string> MirrorFolder::Read(const std::string& path,
                                               size_t size_max) const {
  auto content = ReadForeignFile(absl::StrCat(folder_, "/", path), size_max);
  if (absl::IsResourceExhausted(content.status()))
    return absl::InvalidArgumentError(absl::StrCat(path, " is too large"));
  if (absl::IsNotFound(content.status()))
    return absl::NotFoundError(absl::StrCat(path, " is missing"));
  return content;
}

absl::StatusOr<std::vector<std::string>> MirrorFolder::Notes() {
  std::vector<std::string> notes(1);
  ASSIGN_OR_RETURN(notes[0], Read(kCheckpointFile, kNoteBytesMax));
  auto newest = Read(kNewestFile, kNoteBytesMax);
  if (absl::IsNotFound(newest.status())) return notes;
  RETURN_IF_ERROR(newest.status());
  notes.push_back(*std::move(newest));
  return notes;
}

absl::StatusOr<std::vector<std::string>> MirrorFolder::CharterNotes() {
  std::vector<std::string> notes;
  std::error_code error;
  std::filesystem::directory_iterator files(
      absl::StrCat(folder_, "/", kCharterCheckpointsFolder), error);
  for (; !error && files != std::filesystem::directory_iterator();
       files.increment(error)) {
    const std::string version = files->path().filename().string();
    uint64_t number = 0;
    if (!absl::SimpleAtoi(version, &number)) continue;
    if (notes.size() == kCharterNotesMax)
      return absl::InvalidArgumentError(
          absl::StrCat(kCharterCheckpointsFolder, " has too many files"));
    ASSIGN_OR_RETURN(notes.emplace_back(),
                     Read(absl::StrCat(kCharterCheckpointsFolder, "/", version),
                          kNoteBytesMax));
  }
  return notes;
}

absl::StatusOr<std::vector<Bytes>> MirrorFolder::Bundle(uint64_t index,
                                                        uint32_t width) {
  const std::string path = BundlePath(index, width);
  auto bundle = Read(path, kBundleBytesMax);
  uint32_t found = width;
  // A checkpoint may stand before the end of what is there.
  if (absl::IsNotFound(bundle.status()) && width < kTileWidth) {
    bundle = Read(BundlePath(index, kTileWidth), kBundleBytesMax);
    found = kTileWidth;
  }
  RETURN_IF_ERROR(bundle.status());
  auto entries = DecodeBundle(AsBytes(*bundle), found);
  if (!entries.ok())
    return absl::InvalidArgumentError(absl::StrCat(path, " is no bundle"));
  entries->resize(width);
  return entries;
}

absl::StatusOr<std::string> MirrorFolder::Document(const Digest& hash) {
  return Read(DocumentPath(hash), kCharterBytesMax);
}

absl::StatusOr<std::vector<OpeningLine>> MirrorFolder::Openings(
    uint64_t index) {
  std::vector<OpeningLine> openings;
  const std::string path = OpeningsPath(index);
  const auto lines = Read(path, kOpeningsBytesMax);
  if (absl::IsNotFound(lines.status())) return openings;
  RETURN_IF_ERROR(lines.status());
  for (const absl::string_view line :
       absl::StrSplit(*lines, '\n', absl::SkipEmpty())) {
    auto opening = ParseOpeningLine(line);
    if (!opening.ok())
      return absl::InvalidArgumentError(
          absl::StrCat(path, " has a line that is no opening"));
    openings.push_back(*std::move(opening));
  }
  return openings;
}

}  // namespace amparo::broker

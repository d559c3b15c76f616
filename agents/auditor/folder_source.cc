#include "agents/auditor/folder_source.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/files.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"
#include "proto/network/charter.h"

namespace amparo::auditor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCheckpointBytesMax = 1 << 20;
constexpr size_t kBundleBytesMax = kTileWidth * (2 + kEntryBytesMax);
constexpr size_t kTileBytesMax = kTileWidth * Digest::kSize;
// A line: the event and the salt in base64url, and the keys around them.
constexpr size_t kOpeningsBytesMax = kTileWidth * (kOpeningBytesMax * 2);

// ReadFile, where a file that is too large is one in a wrong form. Who made the
// export may have put a pipe into it, on which reading would wait for ever.
absl::StatusOr<std::string> ReadBounded(const std::string& path,
                                        size_t size_max) {
  std::error_code error;
  const fs::file_status there = fs::status(path, error);
  if (fs::exists(there) && !fs::is_regular_file(there))
    return absl::InvalidArgumentError("not a file, in the export");
  absl::StatusOr<std::string> content = ReadFile(path, size_max);
  if (absl::IsResourceExhausted(content.status()))
    return absl::InvalidArgumentError("a file of the export is too large");
  return content;
}

// As many entries as there are, off the front of `bundle`.
std::vector<Bytes> TakeEntries(ByteView& bundle, uint32_t count) {
  std::vector<Bytes> entries;
  while (entries.size() < count && bundle.size() >= 2) {
    const size_t size = ReadU16(bundle);
    if (bundle.size() - 2 < size) break;
    entries.push_back(ToBytes(bundle.subspan(2, size)));
    bundle = bundle.subspan(2 + size);
  }
  return entries;
}

// The folder's widths over `width`, the narrowest first.
std::vector<uint32_t> WidthsOver(const fs::path& folder, uint32_t width) {
  std::vector<uint32_t> widths;
  std::error_code error;
  fs::directory_iterator file(folder, error);
  for (; !error && file != fs::directory_iterator(); file.increment(error)) {
    uint32_t there = 0;
    if (absl::SimpleAtoi(file->path().filename().string(), &there) &&
        there > width && there < kTileWidth)
      widths.push_back(there);
  }
  std::sort(widths.begin(), widths.end());
  return widths;
}

absl::StatusOr<Opening> ParseOpening(absl::string_view line) {
  ASSIGN_OR_RETURN(const Json object, ParseJson(line));
  RETURN_IF_ERROR(
      JsonKeysWithin(object, {"index", "salt", "event_kind", "event"}));
  ASSIGN_OR_RETURN(const int64_t index, JsonInt(object, "index"));
  if (index < 0) return absl::InvalidArgumentError("index below zero");
  ASSIGN_OR_RETURN(const std::string salt, JsonString(object, "salt"));
  ASSIGN_OR_RETURN(const std::string event, JsonString(object, "event"));
  ASSIGN_OR_RETURN(const std::string kind, JsonString(object, "event_kind"));
  Opening opening{.leaf = static_cast<uint64_t>(index)};
  ASSIGN_OR_RETURN(opening.salt, FromBase64Url(salt));
  ASSIGN_OR_RETURN(opening.event, FromBase64Url(event));
  // Who reads the file goes by the name.
  const absl::StatusOr<AuditEvent> decoded = DecodeAuditEvent(opening.event);
  if (decoded.ok() && NameOf(*decoded) != kind)
    return absl::InvalidArgumentError("event_kind is not the event's");
  return opening;
}

}  // namespace

absl::StatusOr<FolderSource> FolderSource::Open(const std::string& folder) {
  if (!FileExists(absl::StrCat(folder, "/checkpoint")))
    return absl::NotFoundError(
        absl::StrCat(folder, " is no exported log: it has no checkpoint"));
  return FolderSource(folder);
}

absl::StatusOr<std::string> FolderSource::Checkpoint() {
  return ReadBounded(absl::StrCat(folder_, "/checkpoint"), kCheckpointBytesMax);
}

absl::StatusOr<FolderSource::TileFile> FolderSource::ReadTile(
    const std::string& full, uint32_t width, size_t size_max) const {
  const auto of_width = [](absl::StatusOr<std::string> bytes,
                           uint32_t its) -> absl::StatusOr<TileFile> {
    RETURN_IF_ERROR(bytes.status());
    return TileFile{*std::move(bytes), its};
  };
  const std::string path = absl::StrCat(folder_, "/", full);
  if (width < kTileWidth) {
    const std::string partial = absl::StrCat(path, ".p");
    absl::StatusOr<std::string> exact =
        ReadBounded(absl::StrCat(partial, "/", width), size_max);
    if (!absl::IsNotFound(exact.status()))
      return of_width(std::move(exact), width);
    for (const uint32_t wider : WidthsOver(partial, width))
      return of_width(ReadBounded(absl::StrCat(partial, "/", wider), size_max),
                      wider);
  }
  absl::StatusOr<std::string> whole = ReadBounded(path, size_max);
  if (!absl::IsNotFound(whole.status()))
    return of_width(std::move(whole), kTileWidth);
  // Fewer entries than were asked for are still worth a look.
  for (uint32_t narrower = width; narrower-- > 1;) {
    const std::string partial = absl::StrCat(path, ".p/", narrower);
    if (FileExists(partial))
      return of_width(ReadBounded(partial, size_max), narrower);
  }
  return whole.status();
}

absl::StatusOr<std::vector<Bytes>> FolderSource::Entries(uint64_t start,
                                                         uint32_t count) {
  ASSIGN_OR_RETURN(const TileFile bundle,
                   ReadTile(BundlePath(start / kTileWidth, kTileWidth), count,
                            kBundleBytesMax));
  ByteView rest = AsBytes(bundle.bytes);
  std::vector<Bytes> entries = TakeEntries(rest, bundle.width);
  // What follows them is in no tree, and may say anything.
  if (entries.size() == bundle.width && !rest.empty())
    return absl::InvalidArgumentError("a bundle has bytes behind its entries");
  if (entries.size() > count) entries.resize(count);
  return entries;
}

absl::StatusOr<Bytes> FolderSource::HashTile(const TileId& tile) {
  // One byte more: what is there shall be seen.
  ASSIGN_OR_RETURN(const TileFile hashes,
                   ReadTile(TilePath({tile.level, tile.index, kTileWidth}),
                            tile.width, kTileBytesMax + 1));
  if (hashes.bytes.size() > hashes.width * Digest::kSize)
    return absl::InvalidArgumentError("a tile has bytes behind its hashes");
  const size_t size =
      std::min<size_t>(hashes.bytes.size(), tile.width * Digest::kSize);
  return ToBytes(AsBytes(hashes.bytes).first(size));
}

absl::StatusOr<std::string> FolderSource::Document(const Digest& hash) {
  return ReadBounded(
      absl::StrCat(folder_, "/documents/", ToHex(hash.bytes()), ".json"),
      kCharterBytesMax);
}

absl::StatusOr<std::string> FolderSource::CharterCheckpoint(uint64_t version) {
  return ReadBounded(absl::StrCat(folder_, "/charter-checkpoints/", version),
                     kCheckpointBytesMax);
}

bool FolderSource::HasOpenings() {
  std::error_code error;
  return fs::is_directory(absl::StrCat(folder_, "/openings"), error);
}

absl::StatusOr<std::vector<Opening>> FolderSource::Openings(uint64_t start,
                                                            uint32_t count) {
  const std::string bundle = BundlePath(start / kTileWidth, kTileWidth);
  ASSIGN_OR_RETURN(
      const std::string lines,
      ReadBounded(
          absl::StrCat(folder_, "/openings/",
                       absl::StripPrefix(bundle, "tile/entries/"), ".jsonl"),
          kOpeningsBytesMax));
  std::vector<Opening> openings;
  uint64_t next = start;
  for (const absl::string_view line :
       absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    absl::StatusOr<Opening> opening = ParseOpening(line);
    if (!opening.ok()) {
      openings.push_back({.leaf = next, .readable = false});
      continue;
    }
    next = opening->leaf + 1;
    // A checkpoint may stand before the end of what was exported.
    if (opening->leaf < start + count || opening->leaf >= start + kTileWidth)
      openings.push_back(*std::move(opening));
  }
  return openings;
}

}  // namespace amparo::auditor

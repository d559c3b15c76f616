#include "tests/interop/log_folder.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/compact_range.h"
#include "crypto/tile.h"

namespace amparo {
namespace {

constexpr char kOrigin[] = "amparo.example/interop";
constexpr uint32_t kLevelsATile = 8;

// No two alike, of many lengths, one of them empty.
Bytes EntryAt(uint64_t index) {
  if (index == 1) return {};
  Bytes entry = ToBytes(absl::StrCat("entry ", index, " "));
  entry.resize(entry.size() + index % 50, static_cast<uint8_t>(index));
  return entry;
}

absl::Status WriteBelow(const std::string& folder, const std::string& path,
                        absl::string_view content) {
  const std::string full = absl::StrCat(folder, "/", path);
  RETURN_IF_ERROR(MakeDirectory(
      std::filesystem::path(full).parent_path().string(), FileMode::kPublic));
  // Not base/files.h: thousands of files need no fsync each.
  std::FILE* file = std::fopen(full.c_str(), "wbx");
  if (file == nullptr) return absl::InternalError("cannot create a tile");
  const size_t written = std::fwrite(content.data(), 1, content.size(), file);
  if (std::fclose(file) != 0 || written != content.size())
    return absl::InternalError("cannot write a tile");
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteLogFolder(const std::string& path, uint64_t size) {
  CompactRange range;
  // By tile level: the nodes that tiles of that level hold.
  std::vector<std::vector<Digest>> nodes(1);
  std::vector<Bytes> bundle;
  for (uint64_t index = 0; index < size; ++index) {
    bundle.push_back(EntryAt(index));
    range.Append(LeafHash(bundle.back()), [&](NodeId node, const Digest& hash) {
      if (node.level % kLevelsATile != 0) return;
      nodes.resize(
          std::max<size_t>(nodes.size(), node.level / kLevelsATile + 1));
      nodes[node.level / kLevelsATile].push_back(hash);
    });
    if (bundle.size() < kTileWidth && index + 1 < size) continue;
    RETURN_IF_ERROR(WriteBelow(
        path,
        BundlePath(index / kTileWidth, static_cast<uint32_t>(bundle.size())),
        AsText(EncodeBundle(bundle))));
    bundle.clear();
  }
  for (const TileId& tile : AllTiles(TreeSize(size))) {
    Bytes bytes;
    for (uint32_t i = 0; i < tile.width; ++i)
      Append(bytes, nodes[tile.level][tile.index * kTileWidth + i].bytes());
    RETURN_IF_ERROR(WriteBelow(path, TilePath(tile), AsText(bytes)));
  }
  ASSIGN_OR_RETURN(const std::string note,
                   SignCheckpoint({kOrigin, TreeSize(size), range.Root(), {}},
                                  SigningKey::Generate()));
  return WriteBelow(path, "checkpoint", note);
}

}  // namespace amparo

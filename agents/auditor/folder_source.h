#pragma once

#include <string>
#include <vector>

#include "agents/auditor/leaf_source.h"

namespace amparo::auditor {

// An exported log: the folder that `amparo-broker export` writes (docs/
// PROTOCOL.md, Export). Where a partial tile or bundle is asked for and only a
// fuller one is there, its beginning is taken.
class FolderSource : public LeafSource {
 public:
  // NOT_FOUND when there is no checkpoint in `folder`.
  static absl::StatusOr<FolderSource> Open(const std::string& folder);

  absl::StatusOr<std::string> Checkpoint() override;
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t start,
                                             uint32_t count) override;
  absl::StatusOr<Bytes> HashTile(const TileId& tile) override;
  absl::StatusOr<std::string> Document(const Digest& hash) override;
  absl::StatusOr<std::string> CharterCheckpoint(uint64_t version) override;
  bool HasOpenings() override;
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t start,
                                                uint32_t count) override;

 private:
  explicit FolderSource(std::string folder) : folder_(std::move(folder)) {}
  struct TileFile {
    std::string bytes;
    uint32_t width = 0;  // by its name
  };
  // The file at `full` or, for a width under 256, the narrowest partial one
  // that has `width`.
  absl::StatusOr<TileFile> ReadTile(const std::string& full, uint32_t width,
                                    size_t size_max) const;

  std::string folder_;
};

}  // namespace amparo::auditor

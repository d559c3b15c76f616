#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/auditor/evidence.h"
#include "agents/auditor/leaf_source.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/tile.h"

namespace amparo::auditor {

// A log of which only the entries of `evidence` are known, which must outlive
// this.
class PackSource : public LeafSource {
 public:
  explicit PackSource(const Evidence& evidence) : evidence_(evidence) {}

  absl::StatusOr<std::string> Checkpoint() override;
  absl::StatusOr<std::vector<Bytes>> Entries(uint64_t, uint32_t) override;
  absl::StatusOr<Bytes> HashTile(const TileId&) override;
  absl::StatusOr<std::string> Document(const Digest& hash) override;
  absl::StatusOr<std::string> CharterCheckpoint(uint64_t version) override;
  bool HasOpenings() override { return true; }
  absl::StatusOr<std::vector<Opening>> Openings(uint64_t start,
                                                uint32_t count) override;

 private:
  const Evidence& evidence_;
};

}  // namespace amparo::auditor

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "crypto/digest.h"
#include "crypto/tile.h"

namespace amparo::auditor {

// What a commitment entry hides, as the source tells it. Unverified.
struct Opening {
  uint64_t leaf = 0;
  Bytes salt;
  Bytes event;
  // False: something stands there that cannot be read; it is about the first
  // commitment at `leaf` or after that has no other opening.
  bool readable = true;
};

// Where a replay reads from: an exported folder, or a broker. Nothing that it
// says is believed. NOT_FOUND is an answer about the log; INVALID_ARGUMENT
// says that something stands there in a wrong form; any other error ends the
// replay without a verdict. One thread at a time.
class LeafSource {
 public:
  virtual ~LeafSource() = default;

  // The newest checkpoint: a signed note.
  virtual absl::StatusOr<std::string> Checkpoint() = 0;
  // Entries [start, start + count) as far as they exist; 256 at most, start a
  // multiple of that. NOT_FOUND when there is none.
  virtual absl::StatusOr<std::vector<Bytes>> Entries(uint64_t start,
                                                     uint32_t count) = 0;
  // A hash tile: width * 32 bytes.
  virtual absl::StatusOr<Bytes> HashTile(const TileId& tile) = 0;
  // A charter version, by the hash that its entry holds.
  virtual absl::StatusOr<std::string> Document(const Digest& hash) = 0;
  // The checkpoint under which charter `version` came into force: a signed
  // note. NOT_FOUND when it keeps none.
  virtual absl::StatusOr<std::string> CharterCheckpoint(uint64_t version) {
    static_cast<void>(version);
    return absl::NotFoundError("no checkpoints of charters here");
  }
  // Whether the source gives openings at all.
  virtual bool HasOpenings() = 0;
  // Openings of the leaves [start, start + count), as Entries.
  virtual absl::StatusOr<std::vector<Opening>> Openings(uint64_t start,
                                                        uint32_t count) = 0;
};

}  // namespace amparo::auditor

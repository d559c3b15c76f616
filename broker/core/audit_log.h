#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "broker/core/directory.h"
#include "broker/store/store.h"
#include "crypto/tile.h"

namespace amparo::broker {

// The log, read-only. What it serves in the open (tiles, entries, documents)
// shows neither persons nor who wrote to whom. Thread-safe.
class AuditLog {
 public:
  // Both must outlive it.
  AuditLog(const Store& store, const Directory& directory,
           const Clock& clock);

  // width * 32 bytes. NOT_FOUND for what the tree does not have.
  absl::StatusOr<Bytes> Tile(const TileId& tile) const;
  // From `start` on, at most `count` and kPageEntriesMax; fewer may come, one
  // at least. OUT_OF_RANGE at the end.
  absl::StatusOr<std::vector<Bytes>> Entries(LeafIndex start,
                                             uint32_t count) const;
  absl::StatusOr<std::string> Document(const Digest& hash) const;

  // The openings in [start, end) that `peer` may see: those to which it is a
  // party; all, when it is an auditor. `next`: where to go on, `end` when done.
  struct OpeningPage {
    std::vector<Opening> openings;
    LeafIndex next;
  };
  absl::StatusOr<OpeningPage> Openings(const MemberId& peer, LeafIndex start,
                                       LeafIndex end) const;

 private:
  const Store& store_;
  const Directory& directory_;
  const Clock& clock_;
};

}  // namespace amparo::broker

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/kv/kv.h"
#include "crypto/compact_range.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "crypto/merkle_path.h"

namespace amparo::agent {

// Every entry of the log on this agent's own disk, and of the tree over them
// what full tiles hold: so the root of any size is a few hundred reads away.
// What stands behind the size that the caller has proven means nothing and is
// written over. Thread-safe.
class LogMirror {
 public:
  // `kv` must outlive the mirror.
  explicit LogMirror(KeyValue& kv) : kv_(kv) {}

  // Appends `entry` to `range`, the tree so far; `rows` store both.
  void Append(ByteView entry, CompactRange& range, Batch& rows) const;

  // NOT_FOUND for what was never appended.
  absl::StatusOr<Bytes> EntryAt(LeafIndex leaf) const;
  // What opens the commitment of an entry to which this member is a party; kept
  // for whoever has to rebuild the log.
  struct Opening {
    Bytes salt;
    Bytes event;
  };
  void PutOpening(LeafIndex leaf, ByteView salt, ByteView event,
                  Batch& rows) const;
  absl::StatusOr<Opening> OpeningAt(LeafIndex leaf) const;  // NOT_FOUND
  // A charter that the log names, by its hash; NOT_FOUND.
  absl::StatusOr<std::string> CharterOf(const Digest& hash) const;
  // Root of the first `size` entries.
  absl::StatusOr<Digest> RootAt(TreeSize size) const;

 private:
  absl::StatusOr<Digest> NodeAt(NodeId node) const;

  KeyValue& kv_;
};

}  // namespace amparo::agent

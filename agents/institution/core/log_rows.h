#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/kv/kv.h"
#include "crypto/compact_range.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"

// Rows of the agent's copy of the log, but for those of LogMirror.

namespace amparo::agent {

// The right edge of the proven tree and its newest entry's time.
inline constexpr char kLogEdgeKey[] = "log/edge";
// The newest checkpoint that was followed, and the newest with a quorum.
inline constexpr char kLogCheckpointKey[] = "log/checkpoint";
inline constexpr char kLogWitnessedKey[] = "log/witnessed";
inline constexpr char kLogWitnessedTimeKey[] = "log/witnessed-at";
// Below which leaf entries in the open took effect.
inline constexpr char kLogEnactedKey[] = "log/enacted";
// The checkpoint under which each charter came into force, by version; none where
// the charter before asked for no quorum.
inline constexpr char kLogCharterNotePrefix[] = "log/charter-note/";
std::string CharterNoteKey(uint64_t version);
// A row for each entry in the open: from when on it counts.
inline constexpr char kLogOpenPrefix[] = "log/open/";

// A charter that the log names, by hash: a version may be named twice, and only
// one of them holds.
std::string CharterRowKey(const Digest& hash);

struct LogEdge {
  CompactRange range;
  absl::Time newest;
};
Bytes EncodeLogEdge(const LogEdge& edge);
absl::StatusOr<LogEdge> DecodeLogEdge(ByteView bytes);  // DATA_LOSS

std::string OpenEntryKey(LeafIndex leaf);
LeafIndex LeafOfOpenEntry(absl::string_view key);
Bytes EncodeSince(absl::Time since);
absl::Time DecodeSince(ByteView row);

// 0 before the first.
absl::StatusOr<LeafIndex> ReadEnacted(const KeyValue& kv);
Bytes EncodeEnacted(LeafIndex enacted);
absl::Time ReadWitnessedTime(const KeyValue& kv);

}  // namespace amparo::agent

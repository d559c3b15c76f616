#include "agents/auditor/pack_source.h"

#include <variant>

#include "absl/status/status.h"
#include "proto/envelope/log_entry.h"

namespace amparo::auditor {

absl::StatusOr<std::string> PackSource::Checkpoint() {
  return evidence_.checkpoint;
}

absl::StatusOr<std::vector<Bytes>> PackSource::Entries(uint64_t, uint32_t) {
  return absl::NotFoundError("not in a pack");
}

absl::StatusOr<Bytes> PackSource::HashTile(const TileId&) {
  return absl::NotFoundError("not in a pack");
}

absl::StatusOr<std::string> PackSource::Document(const Digest& hash) {
  for (const EvidenceEntry& entry : evidence_.entries)
    if (!entry.charter.empty() && Sha256(entry.charter) == hash)
      return entry.charter;
  return absl::NotFoundError("not in the pack");
}

absl::StatusOr<std::string> PackSource::CharterCheckpoint(uint64_t version) {
  for (const EvidenceEntry& entry : evidence_.entries) {
    if (entry.charter_checkpoint.empty()) continue;
    const absl::StatusOr<LogEntry> decoded = DecodeLogEntry(entry.entry);
    if (!decoded.ok()) continue;
    const auto* charter = std::get_if<CharterEntry>(&decoded->content);
    if (charter != nullptr && charter->version == version)
      return entry.charter_checkpoint;
  }
  return absl::NotFoundError("not in the pack");
}

absl::StatusOr<std::vector<Opening>> PackSource::Openings(uint64_t start,
                                                          uint32_t) {
  std::vector<Opening> openings;
  const EvidenceEntry* entry = evidence_.Find(LeafIndex(start));
  if (entry != nullptr && !entry->event.empty())
    openings.push_back({start, entry->salt, entry->event, true});
  return openings;
}

}  // namespace amparo::auditor

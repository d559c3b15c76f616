#include "broker/core/audit_log.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::broker {
namespace {

// What fits a gRPC message of default size.
constexpr size_t kPageBytesMax = 3 << 20;
constexpr uint32_t kTileLevelMax = 7;  // 8 * 7 < 64

absl::Status NotThere(const char* message) {
  return MakeError(absl::StatusCode::kNotFound, message, {.code = "not_found"});
}

}  // namespace

AuditLog::AuditLog(const Store& store, const Directory& directory,
                   const Clock& clock)
    : store_(store), directory_(directory), clock_(clock) {}

absl::StatusOr<Bytes> AuditLog::Tile(const TileId& tile) const {
  if (tile.width == 0 || tile.width > kTileWidth ||
      tile.level > kTileLevelMax || tile.index >= uint64_t{1} << 56)
    return MakeError(absl::StatusCode::kInvalidArgument, "no such kind of tile",
                     {.code = "invalid_form"});
  ASSIGN_OR_RETURN(
      const std::vector<Digest> hashes,
      store_.Hashes(tile.level, tile.index * kTileWidth, tile.width));
  if (hashes.size() < tile.width) return NotThere("the log has no such tile");
  Bytes bytes;
  bytes.reserve(hashes.size() * Digest::kSize);
  for (const Digest& hash : hashes) Append(bytes, hash.bytes());
  return bytes;
}

absl::StatusOr<std::vector<Bytes>> AuditLog::Entries(LeafIndex start,
                                                     uint32_t count) const {
  if (count == 0)
    return MakeError(absl::StatusCode::kInvalidArgument, "asked for no entry",
                     {.code = "invalid_form", .field = "count"});
  ASSIGN_OR_RETURN(std::vector<Bytes> entries,
                   store_.Entries(start, std::min(count, kPageEntriesMax)));
  if (entries.empty())
    return MakeError(absl::StatusCode::kOutOfRange, "the log ends before",
                     {.code = "not_found"});
  size_t bytes = 0, fits = 0;
  while (fits < entries.size() &&
         (bytes += entries[fits].size()) <= kPageBytesMax)
    ++fits;
  entries.resize(std::max<size_t>(fits, 1));
  return entries;
}

absl::StatusOr<std::string> AuditLog::Document(const Digest& hash) const {
  absl::StatusOr<std::string> document = store_.Document(hash);
  if (absl::IsNotFound(document.status()))
    return NotThere("no document has this hash");
  return document;
}

absl::StatusOr<AuditLog::OpeningPage> AuditLog::Openings(const MemberId& peer,
                                                         LeafIndex start,
                                                         LeafIndex end) const {
  const std::shared_ptr<const Network> network = directory_.Current();
  ASSIGN_OR_RETURN(const Member* const member,
                   network->Active(peer, clock_.Now()));
  const bool sees_all = member->kind == MemberKind::kAuditor;
  ASSIGN_OR_RETURN(std::vector<Opening> openings,
                   store_.Openings(start, end, kPageEntriesMax));
  OpeningPage page{{}, end};
  if (openings.size() == kPageEntriesMax)
    page.next = LeafIndex(openings.back().leaf.value() + 1);
  for (Opening& opening : openings)
    if (sees_all || Concerns(opening, peer))
      page.openings.push_back(std::move(opening));
  return page;
}

}  // namespace amparo::broker

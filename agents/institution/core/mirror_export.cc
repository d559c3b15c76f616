#include "agents/institution/core/mirror_export.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/log_mirror.h"
#include "agents/institution/core/log_rows.h"
#include "base/error.h"
#include "base/new_directory.h"
#include "base/status.h"
#include "crypto/compact_range.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/log_folder.h"
#include "proto/network/charter.h"

namespace amparo::agent {
namespace {

// Entries become tiles and bundles as they come.
class TileWriter {
 public:
  TileWriter(NewDirectory& out, const LogMirror& mirror, bool with_openings)
      : out_(out), mirror_(mirror), with_openings_(with_openings) {}

  absl::Status Add(LeafIndex leaf) {
    ASSIGN_OR_RETURN(Bytes entry, mirror_.EntryAt(leaf));
    RETURN_IF_ERROR(AddDocument(entry));
    if (with_openings_) RETURN_IF_ERROR(AddOpening(leaf));
    absl::Status written;
    range_.Append(LeafHash(entry), [&](NodeId node, const Digest& hash) {
      if (node.level % 8 == 0) written.Update(AddHash(node.level / 8, hash));
    });
    RETURN_IF_ERROR(written);
    bundle_.push_back(std::move(entry));
    return bundle_.size() < kTileWidth ? absl::OkStatus() : EndBundle();
  }

  // What is left: partial tiles, and the last bundle.
  absl::Status Finish() {
    if (!bundle_.empty()) RETURN_IF_ERROR(EndBundle());
    for (uint32_t level = 0; level < tiles_.size(); ++level)
      if (tiles_[level].width > 0) RETURN_IF_ERROR(EndTile(level));
    return absl::OkStatus();
  }

  const CompactRange& range() const { return range_; }
  // Of the charters so far, by version.
  const std::map<uint64_t, Digest>& charters() const { return charters_; }

 private:
  struct Tile {
    uint64_t index = 0;
    uint32_t width = 0;
    std::string hashes;
  };

  absl::Status AddHash(uint32_t level, const Digest& hash) {
    if (tiles_.size() <= level) tiles_.resize(level + 1);
    tiles_[level].hashes += ToText(hash.bytes());
    return ++tiles_[level].width < kTileWidth ? absl::OkStatus()
                                              : EndTile(level);
  }

  absl::Status EndTile(uint32_t level) {
    Tile& tile = tiles_[level];
    RETURN_IF_ERROR(
        out_.Write(TilePath({level, tile.index, tile.width}), tile.hashes));
    tile = {tile.index + 1, 0, ""};
    return absl::OkStatus();
  }

  absl::Status EndBundle() {
    const auto width = static_cast<uint32_t>(bundle_.size());
    RETURN_IF_ERROR(
        out_.Write(BundlePath(bundles_, width), AsText(EncodeBundle(bundle_))));
    if (with_openings_)
      RETURN_IF_ERROR(out_.Write(OpeningsPath(bundles_), openings_));
    ++bundles_;
    bundle_.clear();
    openings_.clear();
    return absl::OkStatus();
  }

  absl::Status AddDocument(ByteView bytes) {
    ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(bytes));
    const auto* charter = std::get_if<CharterEntry>(&entry.content);
    if (charter == nullptr) return absl::OkStatus();
    charters_.emplace(charter->version, charter->hash);
    ASSIGN_OR_RETURN(const std::string document,
                     mirror_.CharterOf(charter->hash));
    return out_.Write(DocumentPath(charter->hash), document);
  }

  absl::Status AddOpening(LeafIndex leaf) {
    auto opening = mirror_.OpeningAt(leaf);
    if (absl::IsNotFound(opening.status())) return absl::OkStatus();
    RETURN_IF_ERROR(opening.status());
    ASSIGN_OR_RETURN(const std::string line,
                     FormatOpeningLine({leaf, std::move(opening->salt),
                                        std::move(opening->event)}));
    openings_ += line;
    return absl::OkStatus();
  }

  NewDirectory& out_;
  const LogMirror& mirror_;
  const bool with_openings_;
  CompactRange range_;
  std::vector<Tile> tiles_;  // one at each level that has begun
  uint64_t bundles_ = 0;
  std::vector<Bytes> bundle_;
  std::string openings_;
  std::map<uint64_t, Digest> charters_;
};

// The quorum that the newest charter asks for which took effect here.
absl::StatusOr<uint32_t> QuorumInForce(
    const KeyValue& kv, const LogMirror& mirror,
    const std::map<uint64_t, Digest>& charters) {
  ASSIGN_OR_RETURN(const LeafIndex enacted, ReadEnacted(kv));
  std::vector<LeafIndex> open;
  RETURN_IF_ERROR(
      kv.Scan(kLogOpenPrefix, "", [&](absl::string_view key, ByteView) {
        open.push_back(LeafOfOpenEntry(key));
        return open.back() < enacted;
      }));
  uint32_t quorum = 0;
  for (const LeafIndex leaf : open) {
    if (leaf >= enacted) break;
    ASSIGN_OR_RETURN(const Bytes bytes, mirror.EntryAt(leaf));
    ASSIGN_OR_RETURN(const LogEntry entry, DecodeLogEntry(bytes));
    const auto* logged = std::get_if<CharterEntry>(&entry.content);
    if (logged == nullptr || charters.at(logged->version) != logged->hash)
      continue;
    ASSIGN_OR_RETURN(const std::string document,
                     mirror.CharterOf(logged->hash));
    ASSIGN_OR_RETURN(const Charter charter, PeekCharter(document));
    quorum = charter.witness_quorum;
  }
  return quorum;
}

// Under which charters came into force: without them nobody that was away, and
// no broker that was rebuilt, gets over a change of witnesses.
absl::Status WriteCharterNotes(const KeyValue& kv, NewDirectory& out) {
  std::vector<std::pair<uint64_t, std::string>> notes;
  RETURN_IF_ERROR(kv.Scan(
      kLogCharterNotePrefix, "", [&](absl::string_view key, ByteView note) {
        key.remove_prefix(sizeof kLogCharterNotePrefix - 1);
        if (key.size() == 8)
          notes.emplace_back(ReadU64(AsBytes(key)), ToText(note));
        return true;
      }));
  for (const auto& [version, note] : notes)
    RETURN_IF_ERROR(
        out.Write(absl::StrCat(kCharterCheckpointsFolder, "/", version), note));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Checkpoint> ExportMirror(KeyValue& kv,
                                        const NetworkFile& network,
                                        const std::string& path,
                                        bool with_openings) {
  const auto newest = kv.Get(kLogCheckpointKey);
  if (absl::IsNotFound(newest.status()))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "this agent has not followed the log yet",
                     {.code = "invalid_state", .field = "--data"});
  RETURN_IF_ERROR(newest.status());
  ASSIGN_OR_RETURN(Checkpoint checkpoint, PeekCheckpoint(ToText(*newest)));
  NewDirectory out(path);
  RETURN_IF_ERROR(out.Make());
  const LogMirror mirror(kv);
  TileWriter tiles(out, mirror, with_openings);
  for (uint64_t leaf = 0; leaf < checkpoint.size.value(); ++leaf)
    RETURN_IF_ERROR(tiles.Add(LeafIndex(leaf)));
  RETURN_IF_ERROR(tiles.Finish());
  if (tiles.range().Root() != checkpoint.root)
    return MakeError(absl::StatusCode::kDataLoss,
                     "this agent's copy is not the log that was signed",
                     {.code = "tampered", .field = "--data"});
  // Where witnesses are asked for, what they cosigned is what an auditor takes;
  // what they cosigned before they were asked no more is of the past.
  ASSIGN_OR_RETURN(const uint32_t quorum,
                   QuorumInForce(kv, mirror, tiles.charters()));
  absl::StatusOr<Bytes> witnessed = absl::NotFoundError("nobody is asked");
  if (quorum > 0) witnessed = kv.Get(kLogWitnessedKey);
  if (!witnessed.ok() && !absl::IsNotFound(witnessed.status()))
    return witnessed.status();
  RETURN_IF_ERROR(out.Write(kCheckpointFile,
                            AsText(witnessed.ok() ? *witnessed : *newest)));
  if (witnessed.ok()) RETURN_IF_ERROR(out.Write(kNewestFile, AsText(*newest)));
  RETURN_IF_ERROR(WriteCharterNotes(kv, out));
  RETURN_IF_ERROR(out.Write(kNetworkFile, FormatNetworkFile(network)));
  RETURN_IF_ERROR(out.Finish());
  return checkpoint;
}

}  // namespace amparo::agent

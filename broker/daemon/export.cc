#include "broker/daemon/export.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/new_directory.h"
#include "base/status.h"
#include "crypto/tile.h"
#include "proto/envelope/log_entry.h"
#include "proto/envelope/log_folder.h"
#include "proto/network/charter.h"

namespace amparo::broker {
namespace {

constexpr uint32_t kPublicationsAtOnce = 64;

absl::Status WriteTiles(const Store& store, TreeSize size, NewDirectory& out) {
  for (const TileId& tile : AllTiles(size)) {
    ASSIGN_OR_RETURN(
        const std::vector<Digest> hashes,
        store.Hashes(tile.level, tile.index * kTileWidth, tile.width));
    if (hashes.size() != tile.width)
      return absl::DataLossError("the store lacks a node of its own log");
    std::string content;
    for (const Digest& hash : hashes) content += ToText(hash.bytes());
    RETURN_IF_ERROR(out.Write(TilePath(tile), content));
  }
  return absl::OkStatus();
}

// The openings of one bundle's leaves, a JSON object a line.
absl::StatusOr<std::string> OpeningLines(const Store& store, LeafIndex start,
                                         LeafIndex end) {
  ASSIGN_OR_RETURN(const std::vector<Opening> openings,
                   store.Openings(start, end, kTileWidth));
  std::string lines;
  for (const Opening& opening : openings) {
    ASSIGN_OR_RETURN(
        const std::string line,
        FormatOpeningLine({opening.leaf, opening.salt, opening.event}));
    lines += line;
  }
  return lines;
}

absl::Status WriteBundles(const Store& store, TreeSize size,
                          NewDirectory& out) {
  for (uint64_t start = 0; start < size.value(); start += kTileWidth) {
    const auto width = static_cast<uint32_t>(
        std::min<uint64_t>(kTileWidth, size.value() - start));
    std::vector<Bytes> entries;
    while (entries.size() < width) {
      ASSIGN_OR_RETURN(
          std::vector<Bytes> more,
          store.Entries(LeafIndex(start + entries.size()),
                        width - static_cast<uint32_t>(entries.size())));
      if (more.empty())
        return absl::DataLossError("the store lacks an entry of its own log");
      for (Bytes& entry : more) entries.push_back(std::move(entry));
    }
    const uint64_t index = start / kTileWidth;
    RETURN_IF_ERROR(
        out.Write(BundlePath(index, width), AsText(EncodeBundle(entries))));
    ASSIGN_OR_RETURN(
        const std::string lines,
        OpeningLines(store, LeafIndex(start), LeafIndex(start + width)));
    RETURN_IF_ERROR(out.Write(OpeningsPath(index), lines));
  }
  return absl::OkStatus();
}

// Where a charter stands in the log.
struct CharterPlace {
  LeafIndex leaf;
  uint64_t version;
  Digest hash;
};

absl::StatusOr<std::vector<CharterPlace>> ListCharters(const Store& store) {
  std::vector<CharterPlace> charters;
  for (uint64_t from = 0;;) {
    ASSIGN_OR_RETURN(const std::vector<Publication> publications,
                     store.Publications(from, kPublicationsAtOnce));
    if (publications.empty()) return charters;
    for (const Publication& publication : publications)
      if (const auto* entry =
              std::get_if<CharterEntry>(&publication.entry.content))
        charters.push_back({publication.leaf, entry->version, entry->hash});
    from += publications.size();
  }
}

absl::Status WriteDocuments(const Store& store,
                            const std::vector<CharterPlace>& charters,
                            TreeSize size, NewDirectory& out) {
  for (const CharterPlace& charter : charters) {
    if (charter.leaf.value() >= size.value()) break;
    ASSIGN_OR_RETURN(const std::string document, store.Document(charter.hash));
    RETURN_IF_ERROR(out.Write(DocumentPath(charter.hash), document));
  }
  return absl::OkStatus();
}

// The checkpoints under which charters came into force. The folder says that
// this export has them, also when there is none.
absl::Status WriteCharterCheckpoints(const Store& store,
                                     const std::vector<CharterPlace>& charters,
                                     TreeSize size, NewDirectory& out) {
  RETURN_IF_ERROR(out.MakeFolder("charter-checkpoints"));
  for (const CharterPlace& charter : charters) {
    if (charter.leaf.value() >= size.value()) break;
    const absl::StatusOr<std::string> note =
        store.WitnessedCharter(charter.version);
    if (absl::IsNotFound(note.status())) continue;
    RETURN_IF_ERROR(note.status());
    ASSIGN_OR_RETURN(const Checkpoint shown, PeekCheckpoint(*note));
    // It came while this was being written.
    if (shown.size > size) continue;
    RETURN_IF_ERROR(out.Write(
        absl::StrCat("charter-checkpoints/", charter.version), *note));
  }
  return absl::OkStatus();
}

// The newest checkpoint; where the charter that agents have in force asks for a
// quorum of witnesses, the newest that has one.
absl::StatusOr<std::string> NoteToExport(
    const Store& store, const std::vector<CharterPlace>& charters) {
  uint32_t quorum = 0;
  for (const CharterPlace& place : charters) {
    if (quorum > 0 && !store.WitnessedCharter(place.version).ok()) break;
    ASSIGN_OR_RETURN(const std::string document, store.Document(place.hash));
    ASSIGN_OR_RETURN(const Charter charter, PeekCharter(document));
    quorum = charter.witness_quorum;
  }
  auto witnessed = store.NewestWitnessed();
  if (quorum > 0 && !absl::IsNotFound(witnessed.status())) return witnessed;
  return store.NewestCheckpoint();
}

}  // namespace

absl::StatusOr<Checkpoint> ExportLog(const Store& store,
                                     const NetworkFile& network,
                                     const std::string& directory) {
  ASSIGN_OR_RETURN(const std::vector<CharterPlace> charters,
                   ListCharters(store));
  const auto note = NoteToExport(store, charters);
  if (absl::IsNotFound(note.status()))
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "the log has no checkpoint yet",
                     {.code = "invalid_state",
                      .hint = "run the broker and publish a charter first"});
  RETURN_IF_ERROR(note.status());
  ASSIGN_OR_RETURN(Checkpoint checkpoint,
                   VerifyCheckpoint(*note, network.log_key));
  NewDirectory out(directory);
  RETURN_IF_ERROR(out.Make());
  RETURN_IF_ERROR(WriteTiles(store, checkpoint.size, out));
  RETURN_IF_ERROR(WriteBundles(store, checkpoint.size, out));
  RETURN_IF_ERROR(WriteDocuments(store, charters, checkpoint.size, out));
  RETURN_IF_ERROR(
      WriteCharterCheckpoints(store, charters, checkpoint.size, out));
  NetworkFile described = network;
  described.founding_token.reset();
  RETURN_IF_ERROR(out.Write(kNetworkFile, FormatNetworkFile(described)));
  RETURN_IF_ERROR(out.Write(kCheckpointFile, *note));
  RETURN_IF_ERROR(out.Finish());
  return checkpoint;
}

}  // namespace amparo::broker

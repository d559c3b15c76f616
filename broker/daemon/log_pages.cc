#include "broker/daemon/log_pages.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/checkpoint.h"
#include "crypto/tile.h"

namespace amparo::broker {
namespace {

// What a path names never changes: tiles grow under other names.
constexpr char kForEver[] = "public, max-age=31536000, immutable";

HttpAnswer Fixed(const char* content_type, std::string body) {
  return {.status = 200,
          .content_type = content_type,
          .cache_control = kForEver,
          .body = std::move(body)};
}

}  // namespace

HttpAnswer LogPages::Answer(absl::string_view path) const {
  absl::StatusOr<HttpAnswer> page = Page(path);
  if (page.ok()) return *std::move(page);
  switch (page.status().code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return {};
    default:
      return {.status = 503, .body = "not now\n"};
  }
}

absl::StatusOr<HttpAnswer> LogPages::Page(absl::string_view path) const {
  if (path == "/checkpoint") {
    // Where witnesses are asked for, with their cosignatures.
    std::string note = witnesses_.newest().note;
    if (note.empty()) {
      ASSIGN_OR_RETURN(note, checkpointer_.Newest());
    }
    HttpAnswer answer;
    answer.status = 200;
    answer.cache_control = "no-cache";
    answer.body = std::move(note);
    return answer;
  }
  if (absl::StartsWith(path, "/tile/")) return TilePage(path.substr(1));
  if (absl::ConsumePrefix(&path, "/documents/")) return DocumentPage(path);
  if (absl::ConsumePrefix(&path, "/charter-checkpoints/"))
    return CharterPage(path);
  return HttpAnswer();
}

absl::StatusOr<HttpAnswer> LogPages::TilePage(absl::string_view path) const {
  ASSIGN_OR_RETURN(const TilePathParts named, ParseTilePath(path));
  const TileId& tile = named.tile;
  ASSIGN_OR_RETURN(const std::string newest, checkpointer_.Newest());
  ASSIGN_OR_RETURN(const Checkpoint shown, PeekCheckpoint(newest));
  // What no checkpoint covers could still be lost with the machine, and would
  // then be another under the same name.
  if (!HasTile(shown.size, tile)) return HttpAnswer();
  if (!named.is_bundle) {
    ASSIGN_OR_RETURN(const Bytes hashes, log_.Tile(tile));
    return Fixed("application/octet-stream", ToText(hashes));
  }
  std::vector<Bytes> entries;
  while (entries.size() < tile.width) {
    ASSIGN_OR_RETURN(
        std::vector<Bytes> more,
        log_.Entries(LeafIndex(tile.index * kTileWidth + entries.size()),
                     tile.width - static_cast<uint32_t>(entries.size())));
    for (Bytes& entry : more) entries.push_back(std::move(entry));
  }
  return Fixed("application/octet-stream", ToText(EncodeBundle(entries)));
}

absl::StatusOr<HttpAnswer> LogPages::DocumentPage(
    absl::string_view name) const {
  if (!absl::ConsumeSuffix(&name, ".json")) return HttpAnswer();
  ASSIGN_OR_RETURN(const Bytes bytes, FromHex(name));
  if (ToHex(bytes) != name) return HttpAnswer();
  ASSIGN_OR_RETURN(const Digest hash, Digest::FromBytes(bytes));
  ASSIGN_OR_RETURN(std::string document, log_.Document(hash));
  return Fixed("application/jose+json", std::move(document));
}

// The first checkpoint that brought a charter into force stays the one.
absl::StatusOr<HttpAnswer> LogPages::CharterPage(
    absl::string_view version) const {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(version, &number) || absl::StrCat(number) != version)
    return HttpAnswer();
  ASSIGN_OR_RETURN(std::string note, witnesses_.ForCharter(number));
  return Fixed("text/plain; charset=utf-8", std::move(note));
}

}  // namespace amparo::broker

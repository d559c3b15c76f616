#include "proto/envelope/log_folder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"
#include "crypto/tile.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/log_entry.h"

namespace amparo {

std::string DocumentPath(const Digest& hash) {
  return absl::StrCat("documents/", ToHex(hash.bytes()), ".json");
}

std::string OpeningsPath(uint64_t bundle) {
  const std::string path = BundlePath(bundle, kTileWidth);
  return absl::StrCat("openings/", absl::StripPrefix(path, "tile/entries/"),
                      ".jsonl");
}

absl::StatusOr<std::string> FormatOpeningLine(const OpeningLine& opening) {
  ASSIGN_OR_RETURN(const AuditEvent event, DecodeAuditEvent(opening.event));
  Json line;
  line["index"] = opening.leaf.value();
  line["salt"] = ToBase64Url(opening.salt);
  line["event_kind"] = std::string(NameOf(event));
  line["event"] = ToBase64Url(opening.event);
  return DumpJson(line) + "\n";
}

absl::StatusOr<OpeningLine> ParseOpeningLine(absl::string_view line) {
  ASSIGN_OR_RETURN(const Json object, ParseJson(line));
  RETURN_IF_ERROR(
      JsonKeysWithin(object, {"index", "salt", "event_kind", "event"}));
  ASSIGN_OR_RETURN(const int64_t index, JsonInt(object, "index"));
  ASSIGN_OR_RETURN(const std::string salt, JsonString(object, "salt"));
  ASSIGN_OR_RETURN(const std::string kind, JsonString(object, "event_kind"));
  ASSIGN_OR_RETURN(const std::string event, JsonString(object, "event"));
  OpeningLine opening{LeafIndex(static_cast<uint64_t>(index)), {}, {}};
  ASSIGN_OR_RETURN(opening.salt, FromBase64Url(salt));
  ASSIGN_OR_RETURN(opening.event, FromBase64Url(event));
  ASSIGN_OR_RETURN(const AuditEvent decoded, DecodeAuditEvent(opening.event));
  if (index < 0 || opening.salt.size() != kSaltBytes ||
      opening.event.size() > kOpeningBytesMax || NameOf(decoded) != kind)
    return absl::InvalidArgumentError("not an opening");
  return opening;
}

}  // namespace amparo

#include "agents/auditor/access_export.h"

#include <utility>

#include "base/json.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

constexpr char kEndSchema[] = "access_log_export/1";

absl::StatusOr<AccessExport::End> ParseEnd(absl::string_view line) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  RETURN_IF_ERROR(JsonKeysWithin(json, {"schema", "size", "checkpoint"}));
  ASSIGN_OR_RETURN(const std::string schema, JsonString(json, "schema"));
  if (schema != kEndSchema)
    return absl::InvalidArgumentError("not the end of an export");
  ASSIGN_OR_RETURN(const int64_t size, JsonInt(json, "size"));
  if (size < 0) return absl::InvalidArgumentError("a size below zero");
  AccessExport::End end{static_cast<uint64_t>(size), ""};
  ASSIGN_OR_RETURN(end.checkpoint, JsonString(json, "checkpoint"));
  return end;
}

}  // namespace

AccessExport SplitAccessExport(absl::string_view text) {
  AccessExport out;
  while (!text.empty()) {
    const size_t newline = out.lines.size() == kAccessLinesMax
                               ? absl::string_view::npos
                               : text.find('\n');
    // A line that was cut off is no end, whatever it says.
    const bool whole = newline != absl::string_view::npos;
    const absl::string_view line = text.substr(0, newline);
    text.remove_prefix(whole ? newline + 1 : text.size());
    if (whole && text.empty()) {
      absl::StatusOr<AccessExport::End> end = ParseEnd(line);
      if (end.ok()) {
        out.end = std::move(end).value();
        break;
      }
    }
    out.lines.push_back(line);
  }
  return out;
}

}  // namespace amparo::auditor

#include "agents/auditor/access_export.h"

#include <utility>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::auditor {
namespace {

constexpr char kEndSchema[] = "access_log_export/1";
constexpr size_t kNonceBytes = 16;

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

absl::StatusOr<AccessRecord> ParseAccessRecord(absl::string_view line) {
  if (line.size() > kAccessRecordBytesMax)
    return absl::InvalidArgumentError("a record that is too long");
  ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  RETURN_IF_ERROR(JsonKeysWithin(
      json, {"seq", "at", "nonce", "officer", "affiliation", "action", "case",
             "sections", "grant_or_basis", "justification", "outcome"}));
  AccessRecord record;
  ASSIGN_OR_RETURN(const int64_t seq, JsonInt(json, "seq"));
  if (seq < 0) return absl::InvalidArgumentError("a number below zero");
  record.seq = static_cast<uint64_t>(seq);
  ASSIGN_OR_RETURN(const std::string at, JsonString(json, "at"));
  ASSIGN_OR_RETURN(record.at, ParseUtc(at));
  ASSIGN_OR_RETURN(const std::string nonce, JsonString(json, "nonce"));
  ASSIGN_OR_RETURN(const Bytes nonce_bytes, FromBase64Url(nonce));
  if (nonce_bytes.size() != kNonceBytes)
    return absl::InvalidArgumentError("a nonce of another size");
  ASSIGN_OR_RETURN(record.officer, JsonString(json, "officer"));
  ASSIGN_OR_RETURN(record.affiliation, JsonString(json, "affiliation"));
  ASSIGN_OR_RETURN(record.action, JsonString(json, "action"));
  ASSIGN_OR_RETURN(record.case_id, JsonString(json, "case"));
  ASSIGN_OR_RETURN(record.grant_or_basis, JsonString(json, "grant_or_basis"));
  ASSIGN_OR_RETURN(record.justification, JsonString(json, "justification"));
  ASSIGN_OR_RETURN(record.outcome, JsonString(json, "outcome"));
  const auto sections = json.find("sections");
  if (sections == json.end() || !sections->is_array())
    return absl::InvalidArgumentError("sections: expected a list");
  for (const Json& section : *sections) {
    if (!section.is_string())
      return absl::InvalidArgumentError("sections: expected strings");
    record.sections.push_back(section.get<std::string>());
  }
  return record;
}

AccessExport SplitAccessExport(absl::string_view text) {
  AccessExport out;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
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

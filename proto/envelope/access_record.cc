#include "proto/envelope/access_record.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo {
namespace {

constexpr size_t kNonceBytes = 16;

// Keys that came later: absent, never empty, so that each record has one form.
struct LaterKey {
  const char* name;
  std::string AccessRecord::*value;
};
constexpr LaterKey kLaterKeys[] = {{"from", &AccessRecord::from},
                                   {"supersedes", &AccessRecord::supersedes},
                                   {"review", &AccessRecord::review}};

}  // namespace

Bytes EncodeAccessRecord(const AccessRecord& record) {
  Json json;
  json["seq"] = record.seq;
  json["at"] = FormatUtc(record.at);
  json["nonce"] = ToBase64Url(record.nonce);
  json["officer"] = record.officer;
  json["affiliation"] = record.affiliation;
  json["action"] = record.action;
  json["case"] = record.case_pseudonym;
  json["sections"] = record.sections;
  json["grant_or_basis"] = record.grant_or_basis;
  json["justification"] = record.justification;
  json["outcome"] = record.outcome;
  for (const LaterKey& key : kLaterKeys)
    if (!(record.*key.value).empty()) json[key.name] = record.*key.value;
  return ToBytes(DumpJson(json));
}

absl::StatusOr<AccessRecord> DecodeAccessRecord(ByteView bytes) {
  if (bytes.size() > kAccessRecordBytesMax)
    return absl::InvalidArgumentError("a record that is too long");
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(bytes)));
  RETURN_IF_ERROR(JsonKeysWithin(
      json, {"seq", "at", "nonce", "officer", "affiliation", "action", "case",
             "sections", "grant_or_basis", "justification", "outcome", "from",
             "supersedes", "review"}));
  AccessRecord record;
  ASSIGN_OR_RETURN(const int64_t seq, JsonInt(json, "seq"));
  if (seq < 0) return absl::InvalidArgumentError("a number below zero");
  record.seq = static_cast<uint64_t>(seq);
  ASSIGN_OR_RETURN(const std::string at, JsonString(json, "at"));
  ASSIGN_OR_RETURN(record.at, ParseUtc(at));
  ASSIGN_OR_RETURN(const std::string nonce, JsonString(json, "nonce"));
  ASSIGN_OR_RETURN(record.nonce, FromBase64Url(nonce));
  if (record.nonce.size() != kNonceBytes)
    return absl::InvalidArgumentError("a nonce of another size");
  ASSIGN_OR_RETURN(record.officer, JsonString(json, "officer"));
  ASSIGN_OR_RETURN(record.affiliation, JsonString(json, "affiliation"));
  ASSIGN_OR_RETURN(record.action, JsonString(json, "action"));
  ASSIGN_OR_RETURN(record.case_pseudonym, JsonString(json, "case"));
  ASSIGN_OR_RETURN(record.grant_or_basis, JsonString(json, "grant_or_basis"));
  ASSIGN_OR_RETURN(record.justification, JsonString(json, "justification"));
  ASSIGN_OR_RETURN(record.outcome, JsonString(json, "outcome"));
  for (const LaterKey& key : kLaterKeys) {
    if (!json.contains(key.name)) continue;
    ASSIGN_OR_RETURN(record.*key.value, JsonString(json, key.name));
    if ((record.*key.value).empty())
      return absl::InvalidArgumentError("a key that says nothing");
  }
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

}  // namespace amparo

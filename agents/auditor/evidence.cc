#include "agents/auditor/evidence.h"

#include <algorithm>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo::auditor {
namespace {

constexpr char kSchema[] = "evidence/1";
constexpr char kDocumentSchema[] = "evidence_document/1";

absl::Status Malformed(const char* field) {
  return MakeError(absl::StatusCode::kInvalidArgument, "not a pack of evidence",
                   {.code = "invalid_form", .field = field});
}

Json BytesJson(const Bytes& bytes) {
  return bytes.empty() ? Json(nullptr) : Json(ToBase64Url(bytes));
}

// Bytes in base64url, or null for none.
absl::StatusOr<Bytes> TakeBytes(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return Malformed(key);
  if (found->is_null()) return Bytes();
  if (!found->is_string()) return Malformed(key);
  return FromBase64Url(found->get<std::string>());
}

absl::StatusOr<std::string> TakeText(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return Malformed(key);
  if (found->is_null()) return std::string();
  if (!found->is_string()) return Malformed(key);
  return found->get<std::string>();
}

absl::StatusOr<std::vector<std::string>> TakeTexts(const Json& object,
                                                   const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return Malformed(key);
  std::vector<std::string> texts;
  for (const Json& text : *found) {
    if (!text.is_string()) return Malformed(key);
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Json HashesJson(const std::vector<Digest>& hashes) {
  Json texts = Json::array();
  for (const Digest& hash : hashes) texts.push_back(ToBase64(hash.bytes()));
  return texts;
}

absl::StatusOr<std::vector<Digest>> TakeHashes(const Json& object,
                                               const char* key) {
  ASSIGN_OR_RETURN(const std::vector<std::string> texts,
                   TakeTexts(object, key));
  if (texts.size() > kProofHashesMax) return Malformed(key);
  std::vector<Digest> hashes;
  for (const std::string& text : texts) {
    ASSIGN_OR_RETURN(const Bytes bytes, FromBase64(text));
    ASSIGN_OR_RETURN(hashes.emplace_back(), Digest::FromBytes(bytes));
  }
  return hashes;
}

Json EntryJson(const EvidenceEntry& entry) {
  Json json = {
      {"index", entry.index.value()},
      {"entry", ToBase64Url(entry.entry)},
      {"proof", HashesJson(entry.proof)},
      {"salt", BytesJson(entry.salt)},
      {"event", BytesJson(entry.event)},
      {"charter", entry.charter.empty() ? Json(nullptr) : Json(entry.charter)}};
  if (!entry.charter_checkpoint.empty()) {
    json["charter_checkpoint"] = entry.charter_checkpoint;
    json["consistency"] = HashesJson(entry.consistency);
  }
  return json;
}

absl::StatusOr<EvidenceEntry> TakeEntry(const Json& object) {
  RETURN_IF_ERROR(
      JsonKeysWithin(object, {"index", "entry", "proof", "salt", "event",
                              "charter", "charter_checkpoint", "consistency"}));
  EvidenceEntry entry;
  ASSIGN_OR_RETURN(const int64_t index, JsonInt(object, "index"));
  if (index < 0) return Malformed("index");
  entry.index = LeafIndex(static_cast<uint64_t>(index));
  ASSIGN_OR_RETURN(entry.entry, TakeBytes(object, "entry"));
  ASSIGN_OR_RETURN(entry.proof, TakeHashes(object, "proof"));
  ASSIGN_OR_RETURN(entry.salt, TakeBytes(object, "salt"));
  ASSIGN_OR_RETURN(entry.event, TakeBytes(object, "event"));
  ASSIGN_OR_RETURN(entry.charter, TakeText(object, "charter"));
  if (object.contains("charter_checkpoint")) {
    ASSIGN_OR_RETURN(entry.charter_checkpoint,
                     TakeText(object, "charter_checkpoint"));
    ASSIGN_OR_RETURN(entry.consistency, TakeHashes(object, "consistency"));
  }
  return entry;
}

Json DocumentJson(const EvidenceDocument& document) {
  return {{"schema", kDocumentSchema},
          {"token", document.token},
          {"disclosures", document.disclosures},
          {"salt", ToBase64Url(document.salt)},
          {"manifest", document.manifest.ToString()}};
}

absl::StatusOr<EvidenceDocument> TakeDocument(const Json& object) {
  RETURN_IF_ERROR(JsonKeysWithin(
      object, {"schema", "token", "disclosures", "salt", "manifest"}));
  ASSIGN_OR_RETURN(const std::string schema, JsonString(object, "schema"));
  if (schema != kDocumentSchema) return Malformed("schema");
  EvidenceDocument document;
  ASSIGN_OR_RETURN(document.token, JsonString(object, "token"));
  ASSIGN_OR_RETURN(document.disclosures, TakeTexts(object, "disclosures"));
  if (document.disclosures.size() > kDisclosuresMax)
    return Malformed("disclosures");
  ASSIGN_OR_RETURN(document.salt, TakeBytes(object, "salt"));
  if (document.salt.size() != kSaltBytes) return Malformed("salt");
  ASSIGN_OR_RETURN(const std::string manifest, JsonString(object, "manifest"));
  ASSIGN_OR_RETURN(document.manifest, Digest::Parse(manifest));
  return document;
}

absl::StatusOr<Evidence> TakeEvidence(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  RETURN_IF_ERROR(JsonKeysWithin(
      json, {"schema", "subject", "checkpoint", "entries", "document"}));
  ASSIGN_OR_RETURN(const std::string schema, JsonString(json, "schema"));
  if (schema != kSchema) return Malformed("schema");
  Evidence evidence;
  ASSIGN_OR_RETURN(const int64_t subject, JsonInt(json, "subject"));
  if (subject < 0) return Malformed("subject");
  evidence.subject = LeafIndex(static_cast<uint64_t>(subject));
  ASSIGN_OR_RETURN(evidence.checkpoint, JsonString(json, "checkpoint"));
  const auto entries = json.find("entries");
  if (entries == json.end() || !entries->is_array())
    return Malformed("entries");
  for (const Json& object : *entries) {
    if (!object.is_object()) return Malformed("entries");
    ASSIGN_OR_RETURN(evidence.entries.emplace_back(), TakeEntry(object));
  }
  const auto document = json.find("document");
  if (document == json.end()) return Malformed("document");
  if (!document->is_null()) {
    if (!document->is_object()) return Malformed("document");
    ASSIGN_OR_RETURN(evidence.document, TakeDocument(*document));
  }
  return evidence;
}

}  // namespace

const EvidenceEntry* Evidence::Find(LeafIndex index) const {
  const auto found = std::find_if(
      entries.begin(), entries.end(),
      [&](const EvidenceEntry& entry) { return entry.index == index; });
  return found == entries.end() ? nullptr : &*found;
}

TlogProof Evidence::Proof() const {
  return {subject, Find(subject)->proof, checkpoint, {}};
}

std::string FormatEvidence(const Evidence& evidence) {
  Json entries = Json::array();
  for (const EvidenceEntry& entry : evidence.entries)
    entries.push_back(EntryJson(entry));
  return DumpJson({{"schema", kSchema},
                   {"subject", evidence.subject.value()},
                   {"checkpoint", evidence.checkpoint},
                   {"entries", std::move(entries)},
                   {"document", evidence.document.has_value()
                                    ? DocumentJson(*evidence.document)
                                    : Json(nullptr)}}) +
         "\n";
}

absl::StatusOr<Evidence> ParseEvidence(absl::string_view text) {
  absl::StatusOr<Evidence> evidence = TakeEvidence(text);
  if (!evidence.ok() || FormatEvidence(*evidence) != text) return Malformed("");
  return evidence;
}

absl::StatusOr<EvidenceDocument> ParseEvidenceDocument(absl::string_view text) {
  absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok() || !json->is_object()) return Malformed("--document");
  return TakeDocument(*json);
}

}  // namespace amparo::auditor

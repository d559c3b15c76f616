#include "proto/content/case_opening.h"

#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

constexpr char kSchema[] = "case_opening/1";

absl::Status Malformed(absl::string_view field) {
  return MakeError(absl::StatusCode::kInvalidArgument, "not an opened case",
                   {.code = "invalid_form", .field = std::string(field)});
}

absl::StatusOr<Bytes> TakeSalt(const Json& object, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(object, key));
  ASSIGN_OR_RETURN(Bytes salt, FromBase64Url(text));
  if (salt.size() != kSaltBytes) return Malformed(key);
  return salt;
}

absl::StatusOr<LeafIndex> TakeLeaf(const Json& number) {
  if (!number.is_number_integer() || number < 0) return Malformed("leaf");
  return LeafIndex(number.get<uint64_t>());
}

// The list under `key`; an error when there is none.
absl::StatusOr<const Json*> ListAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array()) return Malformed(key);
  return &*found;
}

absl::StatusOr<std::vector<std::string>> TakeTexts(const Json& object,
                                                   const char* key) {
  ASSIGN_OR_RETURN(const Json* list, ListAt(object, key));
  std::vector<std::string> texts;
  for (const Json& text : *list) {
    if (!text.is_string()) return Malformed(key);
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

Json ContentJson(const std::optional<OpenedEnvelope::Content>& content) {
  if (!content) return nullptr;
  return {{"salt2", ToBase64Url(content->salt2)},
          {"disclosures", content->disclosures},
          {"grants", content->grants}};
}

absl::StatusOr<std::optional<OpenedEnvelope::Content>> TakeContent(
    const Json& object) {
  const auto found = object.find("content");
  if (found == object.end()) return Malformed("content");
  if (found->is_null()) return std::optional<OpenedEnvelope::Content>();
  RETURN_IF_ERROR(JsonKeysWithin(*found, {"salt2", "disclosures", "grants"}));
  OpenedEnvelope::Content content;
  ASSIGN_OR_RETURN(content.salt2, TakeSalt(*found, "salt2"));
  ASSIGN_OR_RETURN(content.disclosures, TakeTexts(*found, "disclosures"));
  ASSIGN_OR_RETURN(content.grants, TakeTexts(*found, "grants"));
  return std::optional(std::move(content));
}

Json EnvelopeJson(const OpenedEnvelope& envelope) {
  Json sections = Json::array();
  for (const Slot slot : envelope.slots)
    sections.push_back(std::string(NameOf(slot)));
  return {{"leaf", envelope.leaf.value()},
          {"salt", ToBase64Url(envelope.salt)},
          {"manifest", envelope.manifest.ToString()},
          {"document", envelope.document},
          {"sections", std::move(sections)},
          {"purpose", envelope.purpose},
          {"first_contact", envelope.first_contact},
          {"content", ContentJson(envelope.content)}};
}

absl::StatusOr<OpenedEnvelope> TakeEnvelope(const Json& object) {
  RETURN_IF_ERROR(JsonKeysWithin(
      object, {"leaf", "salt", "manifest", "document", "sections", "purpose",
               "first_contact", "content"}));
  OpenedEnvelope envelope;
  ASSIGN_OR_RETURN(const int64_t leaf, JsonInt(object, "leaf"));
  ASSIGN_OR_RETURN(envelope.leaf, TakeLeaf(leaf));
  ASSIGN_OR_RETURN(envelope.salt, TakeSalt(object, "salt"));
  ASSIGN_OR_RETURN(const std::string manifest, JsonString(object, "manifest"));
  ASSIGN_OR_RETURN(envelope.manifest, Digest::Parse(manifest));
  ASSIGN_OR_RETURN(envelope.document, JsonString(object, "document"));
  ASSIGN_OR_RETURN(const std::vector<std::string> sections,
                   TakeTexts(object, "sections"));
  for (const std::string& name : sections) {
    ASSIGN_OR_RETURN(const Slot slot, ParseSlot(name));
    envelope.slots.insert(slot);
  }
  ASSIGN_OR_RETURN(envelope.purpose, JsonString(object, "purpose"));
  const auto first = object.find("first_contact");
  if (first == object.end() || !first->is_boolean())
    return Malformed("first_contact");
  envelope.first_contact = first->get<bool>();
  ASSIGN_OR_RETURN(envelope.content, TakeContent(object));
  return envelope;
}

absl::StatusOr<OpenedAnchor> TakeAnchor(const Json& object) {
  RETURN_IF_ERROR(JsonKeysWithin(object, {"leaf", "salt", "document"}));
  OpenedAnchor anchor;
  ASSIGN_OR_RETURN(const int64_t leaf, JsonInt(object, "leaf"));
  ASSIGN_OR_RETURN(anchor.leaf, TakeLeaf(leaf));
  ASSIGN_OR_RETURN(anchor.salt, TakeSalt(object, "salt"));
  ASSIGN_OR_RETURN(anchor.document, JsonString(object, "document"));
  return anchor;
}

absl::StatusOr<CaseOpening> TakeHead(const Json& json) {
  ASSIGN_OR_RETURN(const std::string schema, JsonString(json, "schema"));
  if (schema != kSchema) return Malformed("schema");
  ASSIGN_OR_RETURN(const std::string net_text, JsonString(json, "net"));
  ASSIGN_OR_RETURN(const Digest net, Digest::Parse(net_text));
  ASSIGN_OR_RETURN(const std::string case_text, JsonString(json, "case"));
  ASSIGN_OR_RETURN(const CaseId case_id, CaseId::Parse(case_text));
  ASSIGN_OR_RETURN(const std::string member_text, JsonString(json, "member"));
  ASSIGN_OR_RETURN(MemberId member, MemberId::Parse(member_text));
  CaseOpening opening{
      .net = net, .case_id = case_id, .member = std::move(member)};
  if (json.contains("size")) {
    ASSIGN_OR_RETURN(const int64_t size, JsonInt(json, "size"));
    if (size < 0) return Malformed("size");
    opening.size = TreeSize(static_cast<uint64_t>(size));
  }
  ASSIGN_OR_RETURN(opening.grants, TakeTexts(json, "grants"));
  ASSIGN_OR_RETURN(opening.bases, TakeTexts(json, "bases"));
  return opening;
}

absl::Status CheckWithin(LeafIndex leaf, const CaseOpening& opening) {
  if (!opening.size || leaf.value() < opening.size->value())
    return absl::OkStatus();
  return Malformed("size");
}

}  // namespace

std::string FormatCaseOpening(const CaseOpening& opening) {
  Json anchors = Json::array(), envelopes = Json::array();
  Json unopened = Json::array();
  for (const OpenedAnchor& anchor : opening.anchors)
    anchors.push_back({{"leaf", anchor.leaf.value()},
                       {"salt", ToBase64Url(anchor.salt)},
                       {"document", anchor.document}});
  for (const OpenedEnvelope& envelope : opening.envelopes)
    envelopes.push_back(EnvelopeJson(envelope));
  for (const LeafIndex leaf : opening.unopened)
    unopened.push_back(leaf.value());
  Json json = {{"schema", kSchema},
               {"net", opening.net.ToString()},
               {"case", opening.case_id.text()},
               {"member", opening.member.text()},
               {"grants", opening.grants},
               {"bases", opening.bases},
               {"anchors", std::move(anchors)},
               {"envelopes", std::move(envelopes)},
               {"unopened", std::move(unopened)}};
  if (opening.size) json["size"] = opening.size->value();
  return DumpJson(json) + "\n";
}

absl::StatusOr<CaseOpening> ParseCaseOpening(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  ASSIGN_OR_RETURN(CaseOpening opening, TakeHead(json));
  ASSIGN_OR_RETURN(const Json* anchors, ListAt(json, "anchors"));
  for (const Json& anchor : *anchors) {
    ASSIGN_OR_RETURN(opening.anchors.emplace_back(), TakeAnchor(anchor));
  }
  ASSIGN_OR_RETURN(const Json* envelopes, ListAt(json, "envelopes"));
  for (const Json& envelope : *envelopes) {
    ASSIGN_OR_RETURN(opening.envelopes.emplace_back(), TakeEnvelope(envelope));
  }
  ASSIGN_OR_RETURN(const Json* unopened, ListAt(json, "unopened"));
  for (const Json& leaf : *unopened) {
    ASSIGN_OR_RETURN(opening.unopened.emplace_back(), TakeLeaf(leaf));
  }
  for (const OpenedAnchor& anchor : opening.anchors)
    RETURN_IF_ERROR(CheckWithin(anchor.leaf, opening));
  for (const OpenedEnvelope& envelope : opening.envelopes)
    RETURN_IF_ERROR(CheckWithin(envelope.leaf, opening));
  for (const LeafIndex leaf : opening.unopened)
    RETURN_IF_ERROR(CheckWithin(leaf, opening));
  // One spelling: also unknown keys, and sections twice or out of order.
  if (FormatCaseOpening(opening) != text) return Malformed("");
  return opening;
}

}  // namespace amparo

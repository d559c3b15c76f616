#include "base/clock.h"
#include "proto/network/charter.h"

// A charter as JSON (proto/network/charter.h): the keys of the draft.

namespace amparo {
namespace {

// Members' keys, texts empty while there are none.
std::string FormatKey(const std::optional<VerifyKey>& key) {
  return key.has_value() ? key->ToString() : "";
}

template <typename List>
Json FormatNoteKeys(const List& keys) {
  Json list = Json::array();
  for (const NoteVerifier& key : keys) list.push_back(key.ToString());
  return list;
}

void EncodeDeadline(Json& out, const std::string& name,
                    const std::optional<absl::Duration>& deadline) {
  if (!deadline.has_value()) return;
  if (absl::Trunc(*deadline, absl::Hours(1)) == *deadline)
    out[name + "_h"] = absl::ToInt64Hours(*deadline);
  else
    out[name + "_min"] = absl::ToInt64Minutes(*deadline);
}

Json EncodeMember(const Member& member) {
  Json json = Json::object();
  json["id"] = member.id.text();
  json["name"] = member.name;
  json["kind"] = std::string(NameOf(member.kind));
  json["parent"] = member.parent.has_value() ? member.parent->text() : "";
  json["territory"] = member.territory;
  json["contact"] = member.contact;
  json["status"] = std::string(NameOf(member.status));
  json["since"] = FormatUtc(member.since);
  json["identity_key"] = FormatKey(member.identity_key);
  json["witness_key"] = FormatKey(member.witness_key);
  return json;
}

}  // namespace

Json EncodeCharter(const Charter& charter) {
  Json json = Json::object();
  json["network"] = charter.network;
  if (charter.net.has_value()) json["net"] = charter.net->ToString();
  json["version"] = charter.version;
  if (charter.prev_hash.has_value())
    json["prev_hash"] = charter.prev_hash->ToString();
  json["title"] = charter.title;
  json["expires"] = FormatUtc(charter.expires);
  json["timezone"] = charter.timezone;
  json["jurisdiction"] = charter.jurisdiction;
  json["trust_delay_h"] = absl::ToInt64Hours(charter.trust_delay);
  json["purposes"] = charter.purposes;
  json["bases"] = charter.bases;
  json["reason_codes"] = charter.reason_codes;
  json["suites"]["allowed"] = charter.suites_allowed;
  json["suites"]["min"] = charter.suite_min;
  json["log"]["keys"] = FormatNoteKeys(charter.log_keys);
  Json& witness = json["witness"];
  witness["faulty"] = charter.witness_faulty;
  witness["quorum"] = charter.witness_quorum;
  witness["keys"] = FormatNoteKeys(charter.outside_witnesses);
  Json& governance = json["governance"];
  governance["threshold"] = charter.governance_threshold;
  governance["keys"] = Json::array();
  for (const GovernanceKey& key : charter.governance)
    governance["keys"].push_back(Json{{"id", key.id},
                                      {"member", key.member.text()},
                                      {"key", key.key.ToString()},
                                      {"until", FormatUtc(key.until)}});
  json["deadlines"] = Json::object();
  for (const auto& [priority, deadlines] : charter.deadlines) {
    Json& row = json["deadlines"][priority] = Json::object();
    EncodeDeadline(row, "acknowledge", deadlines.acknowledge);
    EncodeDeadline(row, "decide", deadlines.decide);
  }
  json["matrix"] = Json::object();
  for (const auto& [kind, row] : charter.matrix)
    for (const auto& [section, view] : row)
      json["matrix"][std::string(NameOf(kind))][section] = std::string(1, view);
  json["member"] = Json::array();
  for (const Member& member : charter.members)
    json["member"].push_back(EncodeMember(member));
  return json;
}

}  // namespace amparo

#include "agents/committee/draft.h"

#include <cstdint>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "toml++/toml.h"

namespace amparo::committee {
namespace {

absl::Status Wrong(const std::string& path, const char* expected) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, absl::StrCat(path, " is not right"),
      {.code = "invalid_form", .field = path, .expected = expected});
}

// A time with its offset: what it says is one instant.
absl::StatusOr<Json> TimeToJson(const toml::date_time& value,
                                const std::string& path) {
  if (!value.offset.has_value() || value.time.nanosecond != 0)
    return Wrong(path, "a time in whole seconds with Z: 2027-11-21T00:00:00Z");
  const absl::CivilSecond civil(value.date.year, value.date.month,
                                value.date.day, value.time.hour,
                                value.time.minute, value.time.second);
  return Json(FormatUtc(absl::FromCivil(civil, absl::UTCTimeZone()) -
                        absl::Minutes(value.offset->minutes)));
}

absl::StatusOr<Json> ToJson(const toml::node& node, const std::string& path) {
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) {
      const std::string name(key.str());
      ASSIGN_OR_RETURN(object[name],
                       ToJson(value, absl::StrCat(path, "/", name)));
    }
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const toml::node& item : *array) {
      ASSIGN_OR_RETURN(Json value,
                       ToJson(item, absl::StrCat(path, "/", list.size())));
      list.push_back(std::move(value));
    }
    return list;
  }
  if (const auto* text = node.as_string()) return Json(text->get());
  if (const auto* number = node.as_integer()) return Json(number->get());
  if (const auto* time = node.as_date_time())
    return TimeToJson(time->get(), path);
  return Wrong(path, "a text, a whole number, a time, a list or a table");
}

absl::StatusOr<Json> ParseToml(absl::string_view text) {
  try {
    const toml::table root =
        toml::parse(std::string_view(text.data(), text.size()));
    return ToJson(root, "");
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return MakeError(
        absl::StatusCode::kInvalidArgument,
        absl::StrCat("line ", at.line, ", column ", at.column, " is not TOML"),
        {.code = "invalid_form", .field = absl::StrCat("line ", at.line)});
  }
}

// `status` of decoding `json`, with the name of the key where it is an unknown
// one: decoders of strangers' documents do not say it, but this is the reader's
// own file. The unknown key is the one without which the complaint ends.
absl::Status NameUnknownKey(const Json& json, const absl::Status& status) {
  if (!absl::EndsWith(status.message(), "unknown key")) return status;
  const std::string at = DetailOf(status).value_or(ErrorDetail{}).field;
  const Json::json_pointer pointer(at);
  for (const auto& [key, unused] : json.at(pointer).items()) {
    const std::string field = absl::StrCat(at, "/", key);
    Json without = json;
    without.at(pointer).erase(key);
    const absl::Status other = DecodeCharter(without).status();
    if (other != status &&
        DetailOf(other).value_or(ErrorDetail{}).field != field)
      return Wrong(field, "no such key in a charter");
  }
  return status;
}

// Basic string of TOML 1.0.
std::string Quote(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      absl::StrAppend(&out, "\\", std::string(1, c));
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      absl::StrAppend(&out, absl::StrFormat("\\u%04X", static_cast<int>(c)));
    else
      out += c;
  }
  return out + "\"";
}

// One line. The values of the keys that are times stand without quotes.
std::string Inline(const Json& value, absl::string_view key = "") {
  if (value.is_object()) {
    std::string out = "{";
    for (const auto& [name, item] : value.items())
      absl::StrAppend(&out, out.size() > 1 ? ", " : " ", name, " = ",
                      Inline(item, name));
    return out + (out.size() > 1 ? " }" : "}");
  }
  if (value.is_array()) {
    std::string out = "[";
    for (const Json& item : value)
      absl::StrAppend(&out, out.size() > 1 ? ", " : "", Inline(item));
    return out + "]";
  }
  if (!value.is_string()) return DumpJson(value);
  const auto& text = value.get_ref<const std::string&>();
  return key == "expires" || key == "until" || key == "since" ? text
                                                              : Quote(text);
}

// Writes the draft from the signed form, so that no key is forgotten.
class Writer {
 public:
  explicit Writer(Json charter) : charter_(std::move(charter)) {}

  void Comment(absl::string_view text) {
    absl::StrAppend(&out_, "\n# ", text, "\n");
  }
  void More(absl::string_view text) {
    absl::StrAppend(&out_, "# ", text, "\n");
  }
  void Key(const char* key) {
    absl::StrAppend(&out_, key, " = ", Inline(charter_[key], key), "\n");
  }
  // `key` as a table of its own, a line for each of its keys, lists of tables
  // a line for each.
  void Table(const char* key) {
    absl::StrAppend(&out_, "[", key, "]\n");
    for (const auto& [name, value] : charter_[key].items()) Line(name, value);
  }
  void Members() {
    for (const Json& member : charter_["member"]) {
      absl::StrAppend(&out_, "\n[[member]]\n");
      for (const auto& [name, value] : member.items()) Line(name, value);
    }
  }
  std::string Take() { return std::move(out_); }

 private:
  void Line(const std::string& name, const Json& value) {
    const bool tables =
        value.is_array() && !value.empty() && value[0].is_object();
    if (!tables) {
      absl::StrAppend(&out_, name, " = ", Inline(value, name), "\n");
      return;
    }
    absl::StrAppend(&out_, name, " = [\n");
    for (const Json& item : value)
      absl::StrAppend(&out_, "  ", Inline(item), ",\n");
    absl::StrAppend(&out_, "]\n");
  }

  Json charter_;
  std::string out_;
};

}  // namespace

std::string FormatDraft(const Charter& charter) {
  Writer out(EncodeCharter(charter));
  out.More(
      "Draft of the charter. Change what is to change, then amparo-charter");
  out.More(
      "sign. The program writes this file anew when it changes it: notes of");
  out.More("your own do not stay. Lines that begin with # are explanations.");
  out.Comment("The network's name, and the version that comes next; the");
  out.More("program counts.");
  out.Key("network");
  out.Key("version");
  out.Key("title");
  out.Comment("The charter ends here; a new version must come before, within");
  out.More("400 days.");
  out.Key("expires");
  out.Key("timezone");
  out.Key("jurisdiction");
  out.Comment("A key that no earlier key of its member vouches for waits this");
  out.More("many hours before anybody seals to it, unless an officer confirms");
  out.More("its words by phone.");
  out.Key("trust_delay_h");
  out.Comment("What data may be used for.");
  out.Key("purposes");
  out.Comment("Legal bases and reasons for a disclosure without consent.");
  out.Key("bases");
  out.Key("reason_codes");
  out.Comment("Cryptographic suites: those allowed, and the lowest one.");
  out.Key("suites");
  out.Comment("Keys that sign the log.");
  out.Table("log");
  out.Comment("Who watches the log: quorum is how many cosignatures each");
  out.More("checkpoint needs (0: nobody else watches it), faulty how many");
  out.More("witnesses may fail, keys those of witnesses who are no members.");
  out.Table("witness");
  out.Comment("Who decides: a new version needs the signatures of this many");
  out.More("different members.");
  out.Table("governance");
  out.Comment("Until when a referral is acknowledged and decided: _h hours,");
  out.More("_min minutes.");
  out.Table("deadlines");
  out.Comment(
      "What each kind of member may receive, where it differs from the");
  out.More("default: F full, S summary, C full for the first contact only,");
  out.More("G only where the consent names the section, - nothing, X never.");
  out.More("Example: police = { identity = \"F\", safe_contact = \"C\" }");
  out.Table("matrix");
  out.Comment(
      "The members. status: invited, active, suspended or left. contact is");
  out.More(
      "a duty, never a person. territory: ISO 3166-2, or the network's own");
  out.More("codes. The keys come from the member's own agent.");
  out.Members();
  return out.Take();
}

absl::StatusOr<Charter> ParseDraft(
    absl::string_view text, const std::optional<AcceptedCharter>& before) {
  ASSIGN_OR_RETURN(Json json, ParseToml(text));
  for (const char* own : {"net", "prev_hash"})
    if (json.contains(own)) return Wrong(own, "no such key in a draft");
  json["version"] = before.has_value() ? before->charter.version + 1 : 1;
  if (before.has_value()) {
    json["net"] = before->network_id.ToString();
    json["prev_hash"] = before->hash.ToString();
  }
  absl::StatusOr<Charter> charter = DecodeCharter(json);
  if (!charter.ok()) return NameUnknownKey(json, charter.status());
  return charter;
}

}  // namespace amparo::committee

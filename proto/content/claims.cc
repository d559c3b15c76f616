#include "proto/content/claims.h"

#include "absl/strings/str_cat.h"
#include "base/clock.h"

namespace amparo {
namespace {

template <typename T, typename Parse>
std::set<T> ReadNames(StrictReader& reader, absl::string_view key,
                      Parse parse) {
  std::set<T> values;
  const std::vector<std::string> names = reader.Texts(key);
  for (size_t i = 0; i < names.size(); ++i) {
    const absl::StatusOr<T> value = parse(names[i]);
    if (!value.ok() || !values.insert(*value).second) {
      reader.Fail(absl::StrCat(key, "/", i), "a name of the schema, once");
      return {};
    }
  }
  return values;
}

}  // namespace

Json EncodeCommon(const CommonClaims& claims) {
  Json json = {{"net", claims.net.ToString()},
               {"iss", claims.issuer.text()},
               {"iat", UnixSeconds(claims.at)},
               {"jti", claims.event_id.text()}};
  if (claims.case_id) json["case"] = claims.case_id->text();
  json["kind"] = std::string(NameOf(claims.kind));
  return json;
}

std::optional<CommonClaims> ReadCommon(StrictReader& reader) {
  const Digest net = reader.Hash("net");
  const std::optional<MemberId> issuer = reader.Member("iss");
  const absl::Time at = reader.UnixTime("iat");
  const auto event_id = reader.IdAt<EventId>("jti", "an event id");
  const auto kind = ParseEventKind(reader.Text("kind"));
  if (!kind) reader.Fail("kind", "a kind of event");
  if (!reader.status().ok()) return std::nullopt;
  std::optional<CaseId> case_id;
  if (!IsLinkEvent(*kind))
    case_id = reader.IdAt<CaseId>("case", "a case id");
  else if (reader.Find("case") != nullptr)
    reader.Fail("case", "no case");
  if (!reader.status().ok()) return std::nullopt;
  return CommonClaims{net, *issuer, at, *event_id, case_id, *kind};
}

Json EncodeNames(const std::set<Section>& sections) {
  Json names = Json::array();
  for (const Section section : sections)
    names.push_back(std::string(NameOf(section)));
  return names;
}

Json EncodeNames(const std::set<Slot>& slots) {
  Json names = Json::array();
  for (const Slot slot : slots) names.push_back(NameOf(slot));
  return names;
}

std::set<Section> ReadSectionNames(StrictReader& reader,
                                   absl::string_view key) {
  return ReadNames<Section>(reader, key, ParseSection);
}

std::set<Slot> ReadSlotNames(StrictReader& reader, absl::string_view key) {
  return ReadNames<Slot>(reader, key, ParseSlot);
}

}  // namespace amparo

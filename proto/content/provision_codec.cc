#include "proto/content/provision_codec.h"

#include <utility>

#include "base/clock.h"
#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/content/strict_reader.h"

namespace amparo {
namespace {

using Content = std::variant<Permit, Denial, Exclusion>;

constexpr absl::string_view kListed[] = {"name", "all"};

Json Encode(const Permit& permit) {
  return {{"effect", "permit"},
          {"sections", EncodeNames(permit.sections)},
          {"listed", permit.by_name ? "name" : "all"},
          {"recipients", Json::array({EncodeRecipient(permit.recipient)})},
          {"purposes", permit.purposes},
          {"direction", std::string(NameOf(permit.direction))},
          {"redisclosure", std::string(NameOf(permit.redisclosure))},
          {"legal_basis", permit.legal_basis},
          {"from", FormatUtc(permit.from)},
          {"until", FormatUtc(permit.until)}};
}

Json Encode(const Denial& denial) {
  Json recipients = Json::array();
  for (const RecipientRule& rule : denial.recipients)
    recipients.push_back(EncodeRecipient(rule));
  return {{"effect", "deny"},
          {"sections", EncodeNames(denial.sections)},
          {"recipients", std::move(recipients)}};
}

Json Encode(const Exclusion& exclusion) {
  Json json = {{"effect", "exclude"}, {"member", exclusion.member.text()}};
  if (exclusion.person) json["person"] = *exclusion.person;
  if (exclusion.officer) json["officer"] = exclusion.officer->text();
  return json;
}

std::vector<RecipientRule> ReadRecipients(StrictReader& reader) {
  std::vector<RecipientRule> rules;
  reader.ForEach("recipients", [&](StrictReader& item) {
    if (const auto rule = ReadRecipient(item)) rules.push_back(*rule);
  });
  if (rules.empty()) reader.Fail("recipients", "a recipient");
  return rules;
}

absl::StatusOr<Content> ReadPermit(StrictReader& reader) {
  reader.Keys({"effect", "sections", "listed", "recipients", "purposes",
               "direction", "redisclosure", "legal_basis", "from", "until"});
  const std::set<Section> sections = ReadSectionNames(reader, "sections");
  const bool by_name = reader.Code("listed", kListed) == "name";
  const std::vector<RecipientRule> rules = ReadRecipients(reader);
  if (rules.size() > 1) reader.Fail("recipients", "one recipient");
  std::set<std::string> purposes;
  for (std::string& purpose : reader.Codes("purposes", Purposes()))
    purposes.insert(std::move(purpose));
  const auto direction = ParseDirection(reader.Text("direction"));
  if (!direction) reader.Fail("direction", "a direction");
  const auto redisclosure = ParseRedisclosure(reader.Text("redisclosure"));
  if (!redisclosure) reader.Fail("redisclosure", "a redisclosure");
  std::vector<std::string> legal_basis = reader.Texts("legal_basis");
  const absl::Time from = reader.Time("from");
  const absl::Time until = reader.Time("until");
  RETURN_IF_ERROR(reader.status());
  return Permit{rules[0],
                sections,
                by_name,
                std::move(purposes),
                *direction,
                *redisclosure,
                std::move(legal_basis),
                from,
                until};
}

absl::StatusOr<Content> ReadDenial(StrictReader& reader) {
  reader.Keys({"effect", "sections", "recipients"});
  Denial denial{ReadSectionNames(reader, "sections"), ReadRecipients(reader)};
  RETURN_IF_ERROR(reader.status());
  return denial;
}

absl::StatusOr<Content> ReadExclusion(StrictReader& reader) {
  reader.Keys({"effect", "member", "person", "officer"});
  const std::optional<MemberId> member = reader.Member("member");
  std::optional<std::string> person = reader.OptionalText("person");
  const auto officer =
      reader.OptionalIdAt<OfficerId>("officer", "an officer's id");
  RETURN_IF_ERROR(reader.status());
  return Exclusion{*member, std::move(person), officer, ""};
}

}  // namespace

Json EncodeProvision(const Content& content) {
  return std::visit([](const auto& provision) { return Encode(provision); },
                    content);
}

absl::StatusOr<Content> DecodeProvision(const Json& json) {
  constexpr absl::string_view kEffects[] = {"permit", "deny", "exclude"};
  StrictReader reader(json, kBadDocument, "/provision");
  const std::string effect = reader.Code("effect", kEffects);
  RETURN_IF_ERROR(reader.status());
  if (effect == "permit") return ReadPermit(reader);
  if (effect == "deny") return ReadDenial(reader);
  return ReadExclusion(reader);
}

}  // namespace amparo

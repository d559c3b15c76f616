#include "proto/content/consent_form.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/form.h"
#include "proto/content/strict_reader.h"

namespace amparo {
namespace {

constexpr absl::string_view kChildPositions[] = {"no_objection", "objection",
                                                 "not_heard"};
constexpr absl::string_view kStatistics[] = {"given", "refused", "not_asked"};
constexpr char kAll[] = "*";

bool IsDuration(absl::string_view text) {  // ISO 8601, whole units: P5Y
  return text.size() >= 3 && text.size() <= 8 && text[0] == 'P' &&
         absl::string_view("YMWD").find(text.back()) !=
             absl::string_view::npos &&
         text.substr(1, text.size() - 2).find_first_not_of("0123456789") ==
             absl::string_view::npos;
}

// ["*"] or names of sections.
void ReadSections(StrictReader& reader, bool& all,
                  std::set<Section>& sections) {
  const std::vector<std::string> names = reader.Texts("sections");
  if (names == std::vector<std::string>{kAll}) {
    all = true;
    return;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const absl::StatusOr<Section> section = ParseSection(names[i]);
    if (!section.ok())
      return reader.Fail(absl::StrCat("sections/", i),
                         "the name of a section, or \"*\" alone");
    sections.insert(*section);
  }
  if (sections.empty()) reader.Fail("sections", "at least one section");
}

std::vector<RecipientRule> ReadRecipients(StrictReader& reader) {
  std::vector<RecipientRule> rules;
  reader.ForEach("recipients", [&](StrictReader& item) {
    if (const auto rule = ReadRecipient(item)) rules.push_back(*rule);
  });
  if (rules.empty()) reader.Fail("recipients", "at least one recipient");
  return rules;
}

Withdrawal ReadWithdrawal(StrictReader& reader) {
  Withdrawal withdrawal;
  reader.Keys({"section", "member", "purpose"});
  if (reader.Has("section")) {
    const auto section = ParseSection(reader.Text("section"));
    if (section.ok())
      withdrawal.section = *section;
    else
      reader.Fail("section", "the name of a section");
  }
  if (reader.Has("member")) withdrawal.member = reader.Member("member");
  if (reader.Has("purpose"))
    withdrawal.purpose = reader.Code("purpose", Purposes());
  return withdrawal;
}

PermitProvision ReadPermit(StrictReader& reader, bool stored) {
  PermitProvision permit;
  if (!stored) {
    reader.Keys({"effect", "sections", "recipients", "purposes", "direction",
                 "redisclosure", "legal_basis", "from", "until"});
  }
  ReadSections(reader, permit.all_sections, permit.sections);
  permit.recipients = ReadRecipients(reader);
  for (std::string& purpose : reader.Codes("purposes", Purposes()))
    permit.purposes.insert(std::move(purpose));
  if (permit.purposes.empty()) reader.Fail("purposes", "at least one purpose");
  if (reader.Has("direction")) {
    const auto direction = ParseDirection(reader.Text("direction"));
    if (!direction) reader.Fail("direction", "one of: send return both");
    permit.direction = direction.value_or(Direction::kSend);
  }
  if (reader.Has("redisclosure")) {
    const auto redisclosure = ParseRedisclosure(reader.Text("redisclosure"));
    if (!redisclosure) reader.Fail("redisclosure", "one of: forbidden allowed");
    permit.redisclosure = redisclosure.value_or(Redisclosure::kForbidden);
  }
  permit.legal_basis = reader.Texts("legal_basis");
  if (permit.legal_basis.empty())
    reader.Fail("legal_basis", "at least one legal basis");
  permit.from = reader.OptionalTime("from");
  permit.until = reader.OptionalTime("until");
  if (permit.from && permit.until && *permit.until <= *permit.from)
    reader.Fail("until", "a time after from");
  if (stored && reader.Has("withdrawn"))
    reader.ForEach("withdrawn", [&](StrictReader& item) {
      permit.withdrawn.push_back(ReadWithdrawal(item));
    });
  return permit;
}

DenyProvision ReadDenial(StrictReader& reader) {
  DenyProvision denial;
  reader.Keys({"effect", "sections", "recipients", "reason"});
  ReadSections(reader, denial.all_sections, denial.sections);
  denial.recipients = ReadRecipients(reader);
  denial.reason = reader.Code("reason", ExclusionReasons());
  return denial;
}

void ReadProvisions(StrictReader& form, bool stored, ConsentForm& out) {
  constexpr absl::string_view kEffects[] = {"permit", "deny"};
  form.ForEach("provisions", [&](StrictReader& item) {
    const std::string effect = item.Code("effect", kEffects);
    if (effect == "permit") out.permits.push_back(ReadPermit(item, stored));
    if (effect == "deny") out.denials.push_back(ReadDenial(item));
  });
}

void ReadExclusions(StrictReader& form, ConsentForm& out) {
  if (!form.Has("exclusions")) return;
  form.ForEach("exclusions", [&](StrictReader& item) {
    item.Keys({"member", "person", "officer", "reason"});
    const std::optional<MemberId> member = item.Member("member");
    const auto officer =
        item.OptionalIdAt<OfficerId>("officer", "an officer's id, o-...");
    const auto person = item.OptionalText("person");
    if (person && person->empty()) item.Fail("person", "a name");
    std::string reason = item.Code("reason", ExclusionReasons());
    if (member)
      out.exclusions.push_back({*member, person, officer, std::move(reason)});
  });
}

void ReadExpressions(StrictReader& form, ConsentForm& out) {
  form.ForEach("expressed_by", [&](StrictReader& item) {
    item.Keys({"party", "capacity", "method", "at"});
    out.expressed_by.push_back({item.Text("party"), item.Text("capacity"),
                                item.Text("method"), item.Time("at")});
  });
}

void ReadChildView(StrictReader& form, ConsentForm& out) {
  if (!form.Has("child_view")) return;
  StrictReader view = form.Object("child_view");
  view.Keys({"age", "position"});
  out.child_view = ChildView{static_cast<int>(view.Int("age", 0, 17)),
                             view.Code("position", kChildPositions)};
}

void CheckWhole(StrictReader& form, const ConsentForm& out) {
  const bool agreed = out.agreement == Agreement::kGiven ||
                      out.agreement == Agreement::kPartial;
  if (agreed && out.expressed_by.empty())
    form.Fail("expressed_by", "who agreed, and how");
  if (!agreed && !out.permits.empty())
    form.Fail("provisions",
              "no permit unless agreement is given or partial; where the law "
              "allows it, send with a basis instead");
  if (out.permits.empty() && out.denials.empty() && out.exclusions.empty())
    form.Fail("provisions", "at least one provision or exclusion");
}

absl::StatusOr<ConsentForm> ReadConsent(const Json& json, bool stored) {
  StrictReader form(json, kInvalidForm);
  form.Keys({"schema", "case", "jurisdiction", "agreement", "expressed_by",
             "child_view", "language", "interpreter", "notice", "provisions",
             "exclusions", "statistics", "retention"});
  ConsentForm out;
  out.case_id = form.OptionalIdAt<CaseId>("case", "null, or a case id c-...");
  out.jurisdiction = form.Text("jurisdiction");
  const auto agreement = ParseAgreement(form.Text("agreement"));
  if (!agreement)
    form.Fail("agreement", "one of: given partial refused not_sought unable");
  out.agreement = agreement.value_or(Agreement::kNotSought);
  ReadExpressions(form, out);
  ReadChildView(form, out);
  out.language = form.OptionalText("language").value_or("");
  if (form.Has("interpreter")) out.interpreter = form.Bool("interpreter");
  out.notice = form.Text("notice");
  ReadProvisions(form, stored, out);
  ReadExclusions(form, out);
  out.statistics = form.Has("statistics") ? form.Code("statistics", kStatistics)
                                          : "not_asked";
  out.retention = form.OptionalText("retention").value_or("");
  if (!out.retention.empty() && !IsDuration(out.retention))
    form.Fail("retention", "a duration like P5Y");
  CheckWhole(form, out);
  RETURN_IF_ERROR(form.status());
  return out;
}

Json EncodeSections(bool all, const std::set<Section>& sections) {
  Json names = Json::array();
  if (all) names.push_back(kAll);
  for (const Section section : sections)
    names.push_back(std::string(NameOf(section)));
  return names;
}

Json EncodeRecipients(const std::vector<RecipientRule>& rules) {
  Json list = Json::array();
  for (const RecipientRule& rule : rules) list.push_back(EncodeRecipient(rule));
  return list;
}

Json TimeOrNull(const std::optional<absl::Time>& time) {
  return time ? Json(FormatUtc(*time)) : Json(nullptr);
}

Json EncodePermit(const PermitProvision& permit) {
  Json json = {
      {"effect", "permit"},
      {"sections", EncodeSections(permit.all_sections, permit.sections)},
      {"recipients", EncodeRecipients(permit.recipients)},
      {"purposes", permit.purposes},
      {"direction", std::string(NameOf(permit.direction))},
      {"redisclosure", std::string(NameOf(permit.redisclosure))},
      {"legal_basis", permit.legal_basis},
      {"from", TimeOrNull(permit.from)},
      {"until", TimeOrNull(permit.until)}};
  for (const Withdrawal& withdrawal : permit.withdrawn) {
    Json entry = Json::object();
    if (withdrawal.section)
      entry["section"] = std::string(NameOf(*withdrawal.section));
    if (withdrawal.member) entry["member"] = withdrawal.member->text();
    if (withdrawal.purpose) entry["purpose"] = *withdrawal.purpose;
    json["withdrawn"].push_back(std::move(entry));
  }
  return json;
}

Json EncodeExclusion(const Exclusion& exclusion) {
  Json json = {{"member", exclusion.member.text()}};
  if (exclusion.person) json["person"] = *exclusion.person;
  if (exclusion.officer) json["officer"] = exclusion.officer->text();
  json["reason"] = exclusion.reason;
  return json;
}

}  // namespace

absl::StatusOr<ConsentForm> ParseConsentForm(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseForm(text, kConsentFormSchema));
  return ReadConsent(json, /*stored=*/false);
}

absl::StatusOr<ConsentForm> DecodeConsentForm(const Json& json) {
  return ReadConsent(json, /*stored=*/true);
}

Json EncodeConsentForm(const ConsentForm& form) {
  Json expressed_by = Json::array(), provisions = Json::array(),
       exclusions = Json::array();
  for (const Expression& expression : form.expressed_by)
    expressed_by.push_back({{"party", expression.party},
                            {"capacity", expression.capacity},
                            {"method", expression.method},
                            {"at", FormatUtc(expression.at)}});
  for (const PermitProvision& permit : form.permits)
    provisions.push_back(EncodePermit(permit));
  for (const DenyProvision& denial : form.denials)
    provisions.push_back(
        {{"effect", "deny"},
         {"sections", EncodeSections(denial.all_sections, denial.sections)},
         {"recipients", EncodeRecipients(denial.recipients)},
         {"reason", denial.reason}});
  for (const Exclusion& exclusion : form.exclusions)
    exclusions.push_back(EncodeExclusion(exclusion));
  Json child_view = nullptr;
  if (form.child_view)
    child_view = {{"age", form.child_view->age},
                  {"position", form.child_view->position}};
  return {{"schema", kConsentFormSchema},
          {"case", form.case_id ? Json(form.case_id->text()) : Json(nullptr)},
          {"jurisdiction", form.jurisdiction},
          {"agreement", std::string(NameOf(form.agreement))},
          {"expressed_by", std::move(expressed_by)},
          {"child_view", std::move(child_view)},
          {"language", form.language},
          {"interpreter", form.interpreter},
          {"notice", form.notice},
          {"provisions", std::move(provisions)},
          {"exclusions", std::move(exclusions)},
          {"statistics", form.statistics},
          {"retention", form.retention}};
}

}  // namespace amparo

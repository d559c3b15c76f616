#include "proto/content/without_consent.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/content/codes.h"
#include "proto/content/form.h"
#include "proto/content/strict_reader.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

constexpr int64_t kFactsCharactersMin = 40;
constexpr absl::string_view kSought[] = {"yes", "unsafe", "impossible",
                                         "refused"};
constexpr absl::string_view kInformed[] = {"yes", "later", "unsafe"};

// Of UTF-8: every byte but those that continue a character.
int64_t CharactersIn(absl::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char byte) { return (byte & 0xc0) != 0x80; });
}

std::string RequiredText(StrictReader& reader, absl::string_view key) {
  std::string text = reader.Text(key);
  if (text.empty()) reader.Fail(key, "a text");
  return text;
}

void ReadSections(StrictReader& form, ReasonForm& out) {
  Json why = Json::object();
  form.ForEach("sections", [&](StrictReader& item) {
    item.Keys({"section", "why"});
    const auto section = ParseSection(item.Text("section"));
    if (!section.ok() || !out.sections.insert(*section).second)
      return item.Fail("section", "the name of a section, once");
    why[std::string(NameOf(*section))] = RequiredText(item, "why");
  });
  if (out.sections.empty()) form.Fail("sections", "at least one section");
  out.texts["why"] = std::move(why);
}

void ReadInformed(StrictReader& form, ReasonForm& out) {
  StrictReader informed = form.Object("person_informed");
  informed.Keys({"answer", "date", "why"});
  out.informed_answer = informed.Code("answer", kInformed);
  out.informed_date = informed.OptionalText("date");
  if (out.informed_date && !IsDate(*out.informed_date))
    informed.Fail("date", "YYYY-MM-DD");
  if (out.informed_answer == "later" && !out.informed_date)
    informed.Fail("date", "the day on which the person will be told");
  const std::optional<std::string> why = informed.OptionalText("why");
  if (out.informed_answer == "unsafe" && (!why || why->empty()))
    informed.Fail("why", "why telling the person is unsafe");
  if (why) out.texts["not_informed"] = *why;
}

Json EncodeRecord(const WithoutConsent& record) {
  return {{"net", record.net.ToString()},
          {"iss", record.issuer.text()},
          {"aud", record.recipient.text()},
          {"iat", UnixSeconds(record.at)},
          {"exp", UnixSeconds(record.expires)},
          {"jti", record.id.text()},
          {"case", record.case_id.text()},
          {"reason_code", record.reason_code},
          {"sections", EncodeNames(record.sections)},
          {"risk_level", record.risk_level},
          {"purpose", record.purpose},
          {"legal_basis", record.legal_basis},
          {"agreement_sought", record.agreement_sought},
          {"person_informed",
           {{"answer", record.informed_answer},
            {"date", record.informed_date ? Json(*record.informed_date)
                                          : Json(nullptr)}}},
          {"second_approver", record.second_approver},
          {"texts", record.texts.ToString()}};
}

absl::StatusOr<WithoutConsent> DecodeRecord(const Json& claims,
                                            absl::string_view token) {
  StrictReader reader(claims, kBadDocument);
  reader.Keys({"net", "iss", "aud", "iat", "exp", "jti", "case", "reason_code",
               "sections", "risk_level", "purpose", "legal_basis",
               "agreement_sought", "person_informed", "second_approver",
               "texts"});
  const std::optional<MemberId> issuer = reader.Member("iss");
  const std::optional<MemberId> recipient = reader.Member("aud");
  const auto case_id = reader.IdAt<CaseId>("case", "a case id");
  const auto id = reader.IdAt<WithoutConsentId>("jti", "a record's id");
  RETURN_IF_ERROR(reader.status());
  WithoutConsent record{
      .net = reader.Hash("net"),
      .issuer = *issuer,
      .recipient = *recipient,
      .at = reader.UnixTime("iat"),
      .expires = reader.UnixTime("exp"),
      .case_id = *case_id,
      .id = *id,
      .reason_code = reader.Code("reason_code", BasisReasons()),
      .sections = ReadSectionNames(reader, "sections"),
      .risk_level = reader.Code("risk_level", RiskLevels()),
      .purpose = reader.Code("purpose", Purposes()),
      .legal_basis = reader.Texts("legal_basis"),
      .agreement_sought = reader.Code("agreement_sought", kSought),
      .informed_answer = {},
      .informed_date = {},
      .second_approver = reader.Bool("second_approver"),
      .texts = reader.Hash("texts"),
      .token = std::string(token)};
  if (record.legal_basis.empty()) reader.Fail("legal_basis", "a legal basis");
  StrictReader informed = reader.Object("person_informed");
  informed.Keys({"answer", "date"});
  record.informed_answer = informed.Code("answer", kInformed);
  record.informed_date = informed.OptionalText("date");
  RETURN_IF_ERROR(reader.status());
  return record;
}

}  // namespace

absl::StatusOr<ReasonForm> ParseReasonForm(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseForm(text, "without_consent/1"));
  StrictReader form(json, kInvalidForm);
  form.Keys({"schema", "facts", "risk_level", "sections", "purpose",
             "legal_basis", "agreement_sought", "person_informed",
             "proportionality", "second_approver", "expires"});
  ReasonForm out;
  out.texts = Json::object();
  const std::string facts = form.Text("facts");
  if (CharactersIn(facts) < kFactsCharactersMin)
    form.Fail("facts",
              absl::StrCat(kFactsCharactersMin, " characters or more"));
  out.texts["facts"] = facts;
  out.risk_level = form.Code("risk_level", RiskLevels());
  ReadSections(form, out);
  out.purpose = form.Code("purpose", Purposes());
  out.legal_basis = form.Texts("legal_basis");
  if (out.legal_basis.empty())
    form.Fail("legal_basis", "at least one legal basis");
  out.agreement_sought = form.Code("agreement_sought", kSought);
  ReadInformed(form, out);
  out.texts["proportionality"] = RequiredText(form, "proportionality");
  out.second_approver = form.OptionalText("second_approver");
  out.expires = form.OptionalTime("expires");
  RETURN_IF_ERROR(form.status());
  return out;
}

Digest TextsDigest(ByteView salt, const Json& texts) {
  return LabelledHash("amparo/v1/reason-texts")
      .Fixed(salt)
      .Variable(DumpJson(texts))
      .Finish();
}

WithoutConsent SignWithoutConsent(WithoutConsent record,
                                  const SigningKey& key) {
  record.at = TimeFromUnix(UnixSeconds(record.at));
  record.expires = TimeFromUnix(UnixSeconds(record.expires));
  record.token = SignJws(key, kWithoutConsentTyp, EncodeRecord(record));
  return record;
}

absl::StatusOr<WithoutConsent> VerifyWithoutConsent(absl::string_view token,
                                                    const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedJws jws,
                   VerifyJws(token, kWithoutConsentTyp, keys, kGrantBytesMax));
  return DecodeRecord(jws.payload, token);
}

absl::StatusOr<WithoutConsent> LoadWithoutConsent(absl::string_view token) {
  ASSIGN_OR_RETURN(const Json claims, PeekJwsPayload(token, kGrantBytesMax));
  return DecodeRecord(claims, token);
}

}  // namespace amparo

#include "agents/institution/core/basis_rows.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

constexpr char kReasonsPrefix[] = "basis/";
constexpr char kReviewPrefix[] = "review/";

absl::StatusOr<Json> Load(const KeyValue& kv, const std::string& key) {
  ASSIGN_OR_RETURN(const Bytes row, kv.Get(key));
  auto json = ParseJson(AsText(row));
  if (!json.ok()) return absl::DataLossError("a row of a basis is damaged");
  return json;
}

absl::StatusOr<OfficerId> OfficerIn(const Json& json) {
  ASSIGN_OR_RETURN(const std::string officer, JsonString(json, "officer"));
  return OfficerId::Parse(officer);
}

absl::StatusOr<Bytes> SaltIn(const Json& json) {
  ASSIGN_OR_RETURN(const std::string salt, JsonString(json, "salt"));
  return FromBase64Url(salt);
}

}  // namespace

void KeepReasons(const WithoutConsentId& id, const BasisReasons& reasons,
                 Batch& rows) {
  Json json;
  json["officer"] = reasons.officer.text();
  json["salt"] = ToBase64Url(reasons.salt);
  json["texts"] = reasons.texts;
  json["second_approver"] = reasons.second_approver;
  rows.Put(kReasonsPrefix + id.text(), AsBytes(DumpJson(json)));
}

absl::StatusOr<BasisReasons> LoadReasons(const KeyValue& kv,
                                         const WithoutConsentId& id) {
  ASSIGN_OR_RETURN(const Json json, Load(kv, kReasonsPrefix + id.text()));
  ASSIGN_OR_RETURN(const OfficerId officer, OfficerIn(json));
  BasisReasons reasons{
      .officer = officer, .salt = {}, .texts = {}, .second_approver = {}};
  ASSIGN_OR_RETURN(reasons.salt, SaltIn(json));
  ASSIGN_OR_RETURN(reasons.second_approver,
                   JsonString(json, "second_approver"));
  if (const auto texts = json.find("texts"); texts != json.end())
    reasons.texts = *texts;
  return reasons;
}

void KeepReview(const WithoutConsentId& id, const BasisReviewed& review,
                Batch& rows) {
  Json json;
  json["officer"] = review.officer.text();
  json["at"] = FormatUtc(review.at);
  json["outcome"] = review.outcome;
  json["salt"] = ToBase64Url(review.salt);
  json["note"] = review.note;
  rows.Put(kReviewPrefix + id.text(), AsBytes(DumpJson(json)));
}

absl::StatusOr<std::optional<BasisReviewed>> LoadReview(
    const KeyValue& kv, const WithoutConsentId& id) {
  const auto json = Load(kv, kReviewPrefix + id.text());
  if (absl::IsNotFound(json.status())) return std::optional<BasisReviewed>();
  RETURN_IF_ERROR(json.status());
  ASSIGN_OR_RETURN(const OfficerId officer, OfficerIn(*json));
  ASSIGN_OR_RETURN(const std::string at_text, JsonString(*json, "at"));
  ASSIGN_OR_RETURN(const absl::Time at, ParseUtc(at_text));
  BasisReviewed review{
      .officer = officer, .at = at, .outcome = {}, .salt = {}, .note = {}};
  ASSIGN_OR_RETURN(review.outcome, JsonString(*json, "outcome"));
  ASSIGN_OR_RETURN(review.salt, SaltIn(*json));
  ASSIGN_OR_RETURN(review.note, JsonString(*json, "note"));
  return std::optional<BasisReviewed>(std::move(review));
}

}  // namespace amparo::agent

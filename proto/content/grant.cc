#include "proto/content/grant.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/content/narrowing.h"
#include "proto/content/provision_codec.h"
#include "proto/content/strict_reader.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

constexpr char kGrantSchema[] = "grant/1";

absl::Status TooLarge() {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   "the consent does not fit a grant",
                   {.code = "too_large",
                    .expected = "at most 32 provisions once spelled out for "
                                "each recipient, 64 KiB in all"});
}

template <typename T>
std::vector<const T*> Only(const std::vector<Provision>& provisions) {
  std::vector<const T*> only;
  for (const Provision& provision : provisions)
    if (const T* content = std::get_if<T>(&provision.content))
      only.push_back(content);
  return only;
}

absl::Time LatestUntil(
    const std::vector<std::variant<Permit, Denial, Exclusion>>& contents,
    absl::Time now) {
  std::optional<absl::Time> latest;
  for (const auto& content : contents)
    if (const auto* permit = std::get_if<Permit>(&content))
      latest = std::max(latest.value_or(permit->until), permit->until);
  return latest.value_or(DefaultUntil(now));
}

Json EncodeClaims(const ConsentForm& form, const GrantContext& context,
                  absl::Time until) {
  Json json =
      EncodeCommon({context.net, context.issuer, context.now, context.event_id,
                    context.case_id, EventKind::kGranted});
  json["schema"] = kGrantSchema;
  json["grant_id"] = context.id.text();
  json["supersedes"] =
      context.supersedes ? Json(context.supersedes->text()) : Json(nullptr);
  json["jurisdiction"] = form.jurisdiction;
  json["agreement"] = std::string(NameOf(form.agreement));
  json["expressed_by"] = Json::array();
  for (const Expression& expression : form.expressed_by)
    json["expressed_by"].push_back({{"party", expression.party},
                                    {"capacity", expression.capacity},
                                    {"method", expression.method},
                                    {"at", FormatUtc(expression.at)}});
  json["collected_by"] = {{"officer", context.collected_by.text()},
                          {"language", form.language},
                          {"interpreter", form.interpreter}};
  json["notice"] = {
      {"id", form.notice},
      {"hash", context.notice_hash ? Json(context.notice_hash->ToString())
                                   : Json(nullptr)}};
  json["evidence"] = context.evidence_hash
                         ? Json(context.evidence_hash->ToString())
                         : Json(nullptr);
  json["statistics"] = form.statistics;
  json["retention"] = form.retention;
  json["until"] = FormatUtc(until);
  return json;
}

// Claims that nobody decides by are kept as signed, not as fields.
absl::StatusOr<Grant> DecodeClaims(const Json& json) {
  StrictReader reader(json, kBadDocument);
  reader.Keys({"net", "iss", "iat", "jti", "case", "kind", "schema", "grant_id",
               "supersedes", "jurisdiction", "agreement", "expressed_by",
               "collected_by", "notice", "evidence", "statistics", "retention",
               "until"});
  const std::optional<CommonClaims> common = ReadCommon(reader);
  if (common && common->kind != EventKind::kGranted)
    reader.Fail("kind", "granted");
  if (reader.Text("schema") != kGrantSchema)
    reader.Fail("schema", kGrantSchema);
  const auto id = reader.IdAt<GrantId>("grant_id", "a grant's id");
  const auto supersedes =
      reader.OptionalIdAt<GrantId>("supersedes", "a grant's id");
  std::string jurisdiction = reader.Text("jurisdiction");
  const auto agreement = ParseAgreement(reader.Text("agreement"));
  if (!agreement) reader.Fail("agreement", "an agreement");
  const absl::Time until = reader.Time("until");
  RETURN_IF_ERROR(reader.status());
  return Grant{.jwt = {},
               .digest = {},
               .kid = {},
               .net = common->net,
               .issuer = common->issuer,
               .issued_at = common->at,
               .event_id = common->event_id,
               .case_id = *common->case_id,
               .id = *id,
               .supersedes = supersedes,
               .jurisdiction = std::move(jurisdiction),
               .agreement = *agreement,
               .until = until,
               .provisions = {}};
}

// [salt, name, value] of a disclosure.
absl::StatusOr<Json> ValueOf(const Disclosure& disclosure) {
  ASSIGN_OR_RETURN(const Bytes text, FromBase64Url(disclosure));
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(text)));
  if (!json.is_array() || json.size() != 3)
    return FaultAt(kBadDocument, "", "[salt, name, value]");
  return json[2];
}

absl::StatusOr<Grant> Assemble(const Json& claims, absl::string_view jwt,
                               const std::vector<Disclosure>& disclosures) {
  ASSIGN_OR_RETURN(Grant grant, DecodeClaims(claims));
  grant.jwt = std::string(jwt);
  grant.digest = SdJwtDigest(jwt);
  for (const Disclosure& disclosure : disclosures) {
    ASSIGN_OR_RETURN(const Json value, ValueOf(disclosure));
    ASSIGN_OR_RETURN(auto content, DecodeProvision(value));
    grant.provisions.push_back({std::move(content), disclosure});
  }
  return grant;
}

// Whether a denial names `member` itself: then permits for its kind are not
// meant for it, but those that Narrow made in their place.
bool IsNamedByDenial(const Grant& grant, const MemberId& member) {
  for (const Denial* denial : grant.denials())
    for (const RecipientRule& rule : denial->recipients)
      if (rule.member() != nullptr && *rule.member() == member) return true;
  return false;
}

}  // namespace

std::vector<const Permit*> Grant::permits() const {
  return Only<Permit>(provisions);
}
std::vector<const Denial*> Grant::denials() const {
  return Only<Denial>(provisions);
}
std::vector<const Exclusion*> Grant::exclusions() const {
  return Only<Exclusion>(provisions);
}

std::vector<Disclosure> Grant::disclosures() const {
  std::vector<Disclosure> all;
  for (const Provision& provision : provisions)
    all.push_back(provision.disclosure);
  return all;
}

absl::StatusOr<Grant> IssueGrant(const ConsentForm& form,
                                 const GrantContext& context,
                                 const Charter& charter,
                                 const SigningKey& key) {
  ASSIGN_OR_RETURN(auto contents, Narrow(form, charter, context.now));
  if (contents.size() > kDisclosuresMax) return TooLarge();
  std::vector<Json> values;
  for (const auto& content : contents)
    values.push_back(EncodeProvision(content));
  const absl::Time until = LatestUntil(contents, context.now);
  ASSIGN_OR_RETURN(
      const IssuedSet issued,
      IssueSet(key, kGrantTyp, EncodeClaims(form, context, until), values));
  std::vector<Disclosure> disclosures;
  for (const std::string& name : issued.names)
    disclosures.push_back(issued.sd_jwt.disclosures.at(name));
  if (SerializeSdJwt(issued.sd_jwt.jwt, disclosures).size() > kGrantBytesMax)
    return TooLarge();
  // Read back: what is kept is what every verifier will see.
  return VerifyGrant(issued.sd_jwt.jwt, disclosures,
                     [&](const Digest&) -> absl::StatusOr<VerifyKey> {
                       return key.verify_key();
                     });
}

std::vector<Disclosure> DisclosuresFor(const Grant& grant,
                                       const MemberId& member,
                                       MemberKind kind) {
  for (const Exclusion* exclusion : grant.exclusions())
    if (exclusion->ShutsOutMember() && exclusion->member == member) return {};
  const bool named = IsNamedByDenial(grant, member);
  std::vector<Disclosure> disclosures;
  for (const Provision& provision : grant.provisions) {
    const auto* permit = std::get_if<Permit>(&provision.content);
    const auto* exclusion = std::get_if<Exclusion>(&provision.content);
    const bool permits = permit != nullptr &&
                         permit->recipient.Matches(member, kind) &&
                         (permit->recipient.member() != nullptr || !named);
    if (permits || (exclusion != nullptr && exclusion->member == member))
      disclosures.push_back(provision.disclosure);
  }
  return disclosures;
}

absl::StatusOr<Grant> VerifyGrant(absl::string_view jwt,
                                  const std::vector<Disclosure>& disclosures,
                                  const KeyLookup& keys) {
  ASSIGN_OR_RETURN(
      const VerifiedSdJwt verified,
      VerifySdJwt(jwt, disclosures, kGrantTyp, keys, kGrantBytesMax));
  ASSIGN_OR_RETURN(Grant grant, Assemble(verified.claims, jwt, disclosures));
  grant.kid = verified.kid;
  return grant;
}

absl::StatusOr<Grant> LoadGrant(absl::string_view jwt,
                                const std::vector<Disclosure>& disclosures) {
  ASSIGN_OR_RETURN(Json claims, PeekJwsPayload(jwt, kGrantBytesMax));
  ASSIGN_OR_RETURN(const Digest kid, PeekJwsKid(jwt));
  claims.erase("provisions");
  claims.erase("_sd_alg");
  ASSIGN_OR_RETURN(Grant grant, Assemble(claims, jwt, disclosures));
  grant.kid = kid;
  return grant;
}

}  // namespace amparo

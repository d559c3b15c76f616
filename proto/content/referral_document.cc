#include "proto/content/referral_document.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/content/strict_reader.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

Json EncodeClaims(const ReferralClaims& claims) {
  Json json = EncodeCommon(
      {claims.net, claims.issuer, claims.issued_at, claims.event_id,
       claims.case_id,
       claims.is_update() ? EventKind::kUpdated : EventKind::kReferral});
  json["schema"] = kReferralSchema;
  json["referral"] = claims.referral_id.text();
  json["priority"] = std::string(NameOf(claims.priority));
  json["prev"] = claims.prev ? Json(claims.prev->ToString()) : Json(nullptr);
  return json;
}

absl::StatusOr<ReferralClaims> DecodeClaims(const Json& json) {
  StrictReader reader(json, kBadDocument);
  reader.Keys({"net", "iss", "iat", "jti", "case", "kind", "schema", "referral",
               "priority", "prev"});
  const std::optional<CommonClaims> common = ReadCommon(reader);
  if (reader.Text("schema") != kReferralSchema)
    reader.Fail("schema", kReferralSchema);
  const auto referral = reader.IdAt<ReferralId>("referral", "a referral's id");
  const auto priority = ParsePriority(reader.Text("priority"));
  if (!priority) reader.Fail("priority", "a priority");
  const std::optional<Digest> prev = reader.OptionalHash("prev");
  if (common &&
      common->kind != (prev ? EventKind::kUpdated : EventKind::kReferral))
    reader.Fail("kind", "referral, or updated with prev");
  RETURN_IF_ERROR(reader.status());
  return ReferralClaims{
      common->net,      common->issuer, common->at, common->event_id,
      *common->case_id, *referral,      *priority,  prev};
}

// Another list of slots would tell what exists, or hide what was signed.
absl::Status CheckSlots(const std::vector<std::string>& slots) {
  if (slots == SlotNames()) return absl::OkStatus();
  return FaultAt(kBadDocument, "/sections",
                 "every slot of referral/1, in order");
}

}  // namespace

absl::StatusOr<IssuedReferral> IssueReferral(const ReferralClaims& claims,
                                             const std::map<Slot, Json>& values,
                                             const SigningKey& key) {
  std::map<std::string, Json> by_name;
  for (const auto& [slot, value] : values) {
    RETURN_IF_ERROR(ValidateSlot(slot, value));
    by_name.emplace(NameOf(slot), value);
  }
  ASSIGN_OR_RETURN(IssuedSdJwt issued,
                   IssueSlots(key, kReferralTyp, EncodeClaims(claims),
                              SlotNames(), by_name));
  size_t bytes = issued.jwt.size();
  IssuedReferral referral{claims, std::move(issued.jwt), {}, {}};
  referral.claims.issued_at = TimeFromUnix(UnixSeconds(claims.issued_at));
  referral.digest = SdJwtDigest(referral.jwt);
  for (const auto& [slot, unused] : values) {
    Disclosure& disclosure = issued.disclosures.at(NameOf(slot));
    bytes += disclosure.size();
    referral.disclosures.emplace(slot, std::move(disclosure));
  }
  if (bytes > kDocumentBytesMax)
    return MakeError(
        absl::StatusCode::kInvalidArgument,
        "the sections do not fit a document",
        {.code = "too_large", .expected = "at most 256 KiB signed"});
  return referral;
}

std::set<Slot> ReferralDocument::slots() const {
  std::set<Slot> slots;
  for (const auto& [slot, unused] : values) slots.insert(slot);
  return slots;
}

absl::StatusOr<ReferralDocument> VerifyReferral(
    absl::string_view jwt, const std::vector<Disclosure>& disclosures,
    const KeyLookup& keys) {
  ASSIGN_OR_RETURN(
      VerifiedSdJwt verified,
      VerifySdJwt(jwt, disclosures, kReferralTyp, keys, kDocumentBytesMax));
  ASSIGN_OR_RETURN(ReferralClaims claims, DecodeClaims(verified.claims));
  RETURN_IF_ERROR(CheckSlots(verified.slots));
  ReferralDocument document{
      std::move(claims), SdJwtDigest(jwt), verified.kid, {}};
  for (auto& [name, value] : verified.values) {
    ASSIGN_OR_RETURN(const Slot slot, ParseSlot(name));
    RETURN_IF_ERROR(ValidateSlot(slot, value));
    document.values.emplace(slot, std::move(value));
  }
  return document;
}

}  // namespace amparo

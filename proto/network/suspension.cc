#include "proto/network/suspension.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

bool MayDecide(const GovernanceKey& key, const Charter& charter,
               absl::Time at) {
  if (at >= key.until) return false;
  const Member* const holder = charter.Find(key.member);
  return holder == nullptr || (holder->status != MemberStatus::kSuspended &&
                               holder->status != MemberStatus::kLeft);
}

}  // namespace

Json EncodeSuspension(const Suspension& suspension) {
  Json json = Json::object();
  json["net"] = suspension.net.ToString();
  json["charter_hash"] = suspension.charter_hash.ToString();
  json["member"] = suspension.member.text();
  json["from"] = FormatUtc(suspension.from);
  json["until"] = FormatUtc(suspension.until);
  return json;
}

absl::StatusOr<Suspension> DecodeSuspension(const Json& payload) {
  Fields fields(payload);
  const Digest net = fields.Hash("net");
  const Digest charter_hash = fields.Hash("charter_hash");
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const absl::Time from = fields.Time("from");
  const absl::Time until = fields.Time("until");
  if (fields.ok() && until <= from)
    fields.Fail("until", "expected a time after from");
  if (fields.ok() && until - from > kSuspensionLifeMax)
    fields.Fail("until", "expected 7 days after from at most");
  RETURN_IF_ERROR(fields.Finish());
  return Suspension{net, charter_hash, *member, from, until};
}

absl::StatusOr<Suspension> PeekSuspension(absl::string_view document) {
  ASSIGN_OR_RETURN(const MultiJws jws,
                   ParseMultiJws(document, kSuspensionBytesMax));
  ASSIGN_OR_RETURN(const Json payload, ParseJson(jws.payload));
  return DecodeSuspension(payload);
}

absl::StatusOr<std::set<MemberId>> SuspensionSigners(const MultiJws& jws,
                                                     const Charter& charter,
                                                     absl::Time at) {
  std::set<MemberId> signers;
  for (const GovernanceKey& key : charter.governance)
    for (size_t i = 0; i < jws.signatures.size(); ++i) {
      if (jws.signatures[i].kid != key.key.Thumbprint()) continue;
      if (!VerifyMultiJwsEntry(jws, i, kSuspensionTyp, key.key).ok())
        return MakeError(absl::StatusCode::kPermissionDenied,
                         "suspension: a signature that does not fit",
                         {.code = "verification_failed"});
      if (MayDecide(key, charter, at)) signers.insert(key.member);
    }
  return signers;
}

}  // namespace amparo

#include "proto/content/revocation.h"

#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/envelope/limits.h"

namespace amparo {

std::string SignRevocation(const Revocation& revocation,
                           const SigningKey& key) {
  Json claims = EncodeCommon({revocation.net, revocation.issuer, revocation.at,
                              revocation.event_id, revocation.case_id,
                              EventKind::kRevoked});
  claims["grant"] = revocation.grant.ToString();
  return SignJws(key, kRevocationTyp, claims);
}

absl::StatusOr<Revocation> VerifyRevocation(absl::string_view token,
                                            const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedJws jws,
                   VerifyJws(token, kRevocationTyp, keys, kReceiptBytesMax));
  StrictReader reader(jws.payload, kBadDocument);
  reader.Keys({"net", "iss", "iat", "jti", "case", "kind", "grant"});
  const std::optional<CommonClaims> common = ReadCommon(reader);
  if (common && common->kind != EventKind::kRevoked)
    reader.Fail("kind", "revoked");
  const Digest grant = reader.Hash("grant");
  RETURN_IF_ERROR(reader.status());
  return Revocation{common->net,      common->issuer,   common->at,
                    common->event_id, *common->case_id, grant};
}

}  // namespace amparo

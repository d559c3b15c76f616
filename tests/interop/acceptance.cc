#include "tests/interop/acceptance.h"

#include <map>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/hpke.h"
#include "crypto/jws.h"
#include "crypto/sd_jwt.h"
#include "proto/content/grant.h"
#include "proto/content/referral_document.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/receipt.h"
#include "proto/network/charter.h"
#include "proto/network/key_event.h"

namespace amparo {
namespace {

absl::StatusOr<Bytes> BytesOf(const Json& request, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(request, key));
  return FromBase64Url(text);
}

// Knows the one key that the request names, by its thumbprint.
absl::StatusOr<KeyLookup> KeysOf(const Json& request) {
  ASSIGN_OR_RETURN(const Bytes bytes, BytesOf(request, "x"));
  ASSIGN_OR_RETURN(const VerifyKey key, VerifyKey::FromBytes(bytes));
  return [key](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    if (kid != key.Thumbprint())
      return MakeError(absl::StatusCode::kPermissionDenied, "an unknown key",
                       {.code = "verification_failed"});
    return key;
  };
}

absl::StatusOr<Json> OpenSealed(const Json& request) {
  ASSIGN_OR_RETURN(const Bytes secret, BytesOf(request, "private_key"));
  ASSIGN_OR_RETURN(const OpeningKey key,
                   OpeningKey::FromSecret(SecretKeyBytes::CopyOf(secret)));
  ASSIGN_OR_RETURN(const Bytes info, BytesOf(request, "info"));
  ASSIGN_OR_RETURN(const Bytes enc, BytesOf(request, "enc"));
  ASSIGN_OR_RETURN(const Bytes ciphertext, BytesOf(request, "ciphertext"));
  ASSIGN_OR_RETURN(const SecretBuffer plaintext,
                   Open(key, info, enc, ciphertext));
  return Json{{"plaintext", ToBase64Url(plaintext.Expose())}};
}

absl::StatusOr<Json> AcceptJws(const Json& request) {
  ASSIGN_OR_RETURN(const KeyLookup keys, KeysOf(request));
  ASSIGN_OR_RETURN(const std::string token, JsonString(request, "token"));
  ASSIGN_OR_RETURN(const std::string typ, JsonString(request, "typ"));
  ASSIGN_OR_RETURN(VerifiedJws jws,
                   VerifyJws(token, typ, keys, kDocumentBytesMax));
  return std::move(jws.payload);
}

absl::StatusOr<Json> AcceptKeyEvent(const Json& request) {
  ASSIGN_OR_RETURN(const KeyLookup keys, KeysOf(request));
  ASSIGN_OR_RETURN(const std::string token, JsonString(request, "token"));
  RETURN_IF_ERROR(
      VerifyJws(token, kKeyEventTyp, keys, kKeyEventBytesMax).status());
  ASSIGN_OR_RETURN(const KeyEvent event, PeekKeyEvent(token));
  return Json{{"member", event.member.text()}, {"seq", event.seq}};
}

absl::StatusOr<Json> AcceptReceipt(const Json& request) {
  ASSIGN_OR_RETURN(const KeyLookup keys, KeysOf(request));
  ASSIGN_OR_RETURN(const std::string token, JsonString(request, "token"));
  ASSIGN_OR_RETURN(const VerifiedReceipt verified, VerifyReceipt(token, keys));
  return Json{{"kind", std::string(NameOf(verified.receipt.kind))},
              {"leaf", verified.receipt.leaf.value()}};
}

absl::StatusOr<Json> AcceptCharter(const Json& request) {
  ASSIGN_OR_RETURN(const std::string document, JsonString(request, "document"));
  ASSIGN_OR_RETURN(const AcceptedCharter accepted,
                   AcceptFirstCharter(document, Sha256(document), std::nullopt));
  return Json{{"network", accepted.charter.network},
              {"members", accepted.charter.members.size()}};
}

absl::StatusOr<Json> AcceptReferral(const Json& request) {
  ASSIGN_OR_RETURN(const KeyLookup keys, KeysOf(request));
  ASSIGN_OR_RETURN(const std::string text, JsonString(request, "serialized"));
  ASSIGN_OR_RETURN(const ParsedSdJwt parsed,
                   ParseSdJwt(text, kDocumentBytesMax));
  ASSIGN_OR_RETURN(const ReferralDocument document,
                   VerifyReferral(parsed.jwt, parsed.disclosures, keys));
  Json values = Json::object();
  for (const auto& [slot, value] : document.values)
    values[NameOf(slot)] = value;
  return Json{{"case", document.claims.case_id.text()}, {"values", values}};
}

absl::StatusOr<Json> AcceptGrant(const Json& request) {
  ASSIGN_OR_RETURN(const KeyLookup keys, KeysOf(request));
  ASSIGN_OR_RETURN(const std::string text, JsonString(request, "serialized"));
  ASSIGN_OR_RETURN(const ParsedSdJwt parsed, ParseSdJwt(text, kGrantBytesMax));
  ASSIGN_OR_RETURN(const Grant grant,
                   VerifyGrant(parsed.jwt, parsed.disclosures, keys));
  Json permits = Json::array();
  for (const Permit* permit : grant.permits()) {
    Json sections = Json::array();
    for (const Section section : permit->sections)
      sections.push_back(std::string(NameOf(section)));
    permits.push_back(std::move(sections));
  }
  return Json{{"grant", grant.id.text()}, {"permits", permits}};
}

}  // namespace

absl::StatusOr<Json> Accept(const std::string& kind, const Json& request) {
  static const std::map<std::string, absl::StatusOr<Json> (*)(const Json&)>
      kinds = {{"open", OpenSealed},          {"jws", AcceptJws},
               {"key_event", AcceptKeyEvent}, {"receipt", AcceptReceipt},
               {"charter", AcceptCharter},    {"referral", AcceptReferral},
               {"grant", AcceptGrant}};
  const auto found = kinds.find(kind);
  if (found == kinds.end()) return absl::UnimplementedError("no such kind");
  return found->second(request);
}

}  // namespace amparo

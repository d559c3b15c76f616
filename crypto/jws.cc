#include "crypto/jws.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/sign.h"

namespace amparo {
namespace {

// base64url of {"alg":"EdDSA","typ":"...","kid":"43 characters"}: far below.
constexpr size_t kHeaderCharsMax = 512;
constexpr char kAlgorithm[] = "EdDSA";

struct Header {
  std::string typ;
  Digest kid;
};

absl::Status Malformed(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("not a jws: ", what),
                   {.code = "verification_failed"});
}

absl::Status DoesNotFit(absl::string_view what) {
  return MakeError(absl::StatusCode::kPermissionDenied,
                   absl::StrCat("jws refused: ", what),
                   {.code = "verification_failed"});
}

absl::Status TooLarge() {
  return MakeError(absl::StatusCode::kInvalidArgument, "not a jws: too large",
                   {.code = "too_large"});
}

std::string EncodeHeader(const Header& header) {
  Json json = Json::object();
  json["alg"] = kAlgorithm;
  json["typ"] = header.typ;
  json["kid"] = ToBase64Url(header.kid.bytes());
  return ToBase64Url(AsBytes(DumpJson(json)));
}

absl::StatusOr<Header> DecodeHeader(absl::string_view encoded) {
  if (encoded.size() > kHeaderCharsMax) return Malformed("header too large");
  const auto text = FromBase64Url(encoded);
  if (!text.ok()) return Malformed("header is not base64url");
  const auto json = ParseJson(AsText(*text));
  if (!json.ok()) return Malformed("header is not json");
  if (!JsonKeysWithin(*json, {"alg", "typ", "kid"}).ok())
    return Malformed("header holds more than alg, typ and kid");
  const auto alg = JsonString(*json, "alg");
  if (!alg.ok() || *alg != kAlgorithm) return Malformed("alg is not EdDSA");
  auto typ = JsonString(*json, "typ");
  if (!typ.ok()) return Malformed("typ is missing");
  const auto kid_text = JsonString(*json, "kid");
  if (!kid_text.ok()) return Malformed("kid is missing");
  const auto kid_bytes = FromBase64Url(*kid_text);
  if (!kid_bytes.ok()) return Malformed("kid is not base64url");
  const auto kid = Digest::FromBytes(*kid_bytes);
  if (!kid.ok()) return Malformed("kid is not a thumbprint");
  return Header{*std::move(typ), *kid};
}

// Views into the token.
struct Parts {
  absl::string_view header, payload, signature, signing_input;
};

absl::StatusOr<Parts> Split(absl::string_view token) {
  const size_t first = token.find('.');
  if (first == absl::string_view::npos) return Malformed("not three parts");
  const size_t second = token.find('.', first + 1);
  if (second == absl::string_view::npos ||
      token.find('.', second + 1) != absl::string_view::npos)
    return Malformed("not three parts");
  return Parts{token.substr(0, first),
               token.substr(first + 1, second - first - 1),
               token.substr(second + 1), token.substr(0, second)};
}

absl::StatusOr<std::string> DecodePayload(absl::string_view encoded) {
  const auto text = FromBase64Url(encoded);
  if (!text.ok()) return Malformed("payload is not base64url");
  return ToText(*text);
}

absl::StatusOr<Json> ParsePayload(absl::string_view text) {
  auto json = ParseJson(text);
  if (!json.ok()) return Malformed("payload is not json");
  if (!json->is_object()) return Malformed("payload is not an object");
  return json;
}

absl::StatusOr<Bytes> DecodeSignature(absl::string_view encoded) {
  auto signature = FromBase64Url(encoded);
  if (!signature.ok()) return Malformed("signature is not base64url");
  if (signature->size() != std::tuple_size_v<Signature>)
    return Malformed("signature is not of 64 bytes");
  return signature;
}

absl::Status CheckTyp(const Header& header, absl::string_view typ) {
  return header.typ == typ ? absl::OkStatus() : DoesNotFit("another typ");
}

absl::Status CheckSignature(const VerifyKey& key,
                            absl::string_view signing_input,
                            ByteView signature) {
  return VerifyStrictRaw(key, AsBytes(signing_input), signature).ok()
             ? absl::OkStatus()
             : DoesNotFit("the signature does not fit");
}

absl::StatusOr<Header> HeaderOf(absl::string_view token) {
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  return DecodeHeader(parts.header);
}

absl::StatusOr<MultiJws::Entry> ParseEntry(const Json& json) {
  if (!JsonKeysWithin(json, {"protected", "signature"}).ok())
    return Malformed("a signature holds more than protected and signature");
  auto header_text = JsonString(json, "protected");
  const auto signature_text = JsonString(json, "signature");
  if (!header_text.ok() || !signature_text.ok())
    return Malformed("a signature lacks protected or signature");
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(*header_text));
  ASSIGN_OR_RETURN(Bytes signature, DecodeSignature(*signature_text));
  return MultiJws::Entry{*std::move(header_text), header.kid,
                         std::move(signature)};
}

}  // namespace

std::string SignJws(const SigningKey& key, absl::string_view typ,
                    const Json& payload) {
  const Header header{std::string(typ), key.verify_key().Thumbprint()};
  std::string token = absl::StrCat(EncodeHeader(header), ".",
                                   ToBase64Url(AsBytes(DumpJson(payload))));
  const Signature signature = SignRaw(key, AsBytes(token));
  absl::StrAppend(&token, ".", ToBase64Url(signature));
  return token;
}

absl::StatusOr<VerifiedJws> VerifyJws(absl::string_view token,
                                      absl::string_view typ,
                                      const KeyLookup& keys, size_t size_max) {
  if (token.size() > size_max) return TooLarge();
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(parts.header));
  RETURN_IF_ERROR(CheckTyp(header, typ));
  ASSIGN_OR_RETURN(const Bytes signature, DecodeSignature(parts.signature));
  ASSIGN_OR_RETURN(const VerifyKey key, keys(header.kid));
  if (key.Thumbprint() != header.kid) return DoesNotFit("another kid");
  RETURN_IF_ERROR(CheckSignature(key, parts.signing_input, signature));
  // Nothing of the payload is parsed before its signature is known to be good.
  ASSIGN_OR_RETURN(const std::string text, DecodePayload(parts.payload));
  ASSIGN_OR_RETURN(Json payload, ParsePayload(text));
  return VerifiedJws{std::move(payload), header.kid};
}

absl::StatusOr<Json> PeekJwsPayload(absl::string_view token, size_t size_max) {
  if (token.size() > size_max) return TooLarge();
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  ASSIGN_OR_RETURN(const std::string text, DecodePayload(parts.payload));
  return ParsePayload(text);
}

absl::StatusOr<Digest> PeekJwsKid(absl::string_view token) {
  ASSIGN_OR_RETURN(const Header header, HeaderOf(token));
  return header.kid;
}

absl::StatusOr<std::string> PeekJwsTyp(absl::string_view token) {
  ASSIGN_OR_RETURN(Header header, HeaderOf(token));
  return std::move(header.typ);
}

std::string FormatMultiJws(const MultiJws& jws) {
  Json signatures = Json::array();
  for (const MultiJws::Entry& entry : jws.signatures) {
    Json json = Json::object();
    json["protected"] = entry.protected_header;
    json["signature"] = ToBase64Url(entry.signature);
    signatures.push_back(std::move(json));
  }
  Json out = Json::object();
  out["payload"] = ToBase64Url(AsBytes(jws.payload));
  out["signatures"] = std::move(signatures);
  return DumpJson(out);
}

absl::StatusOr<MultiJws> ParseMultiJws(absl::string_view text,
                                       size_t size_max) {
  if (text.size() > size_max) return TooLarge();
  const auto json = ParseJson(text);
  if (!json.ok()) return Malformed("not json");
  if (!JsonKeysWithin(*json, {"payload", "signatures"}).ok())
    return Malformed("it holds more than payload and signatures");
  const auto payload = JsonString(*json, "payload");
  const auto signatures = json->find("signatures");
  if (!payload.ok() || signatures == json->end() || !signatures->is_array())
    return Malformed("payload or signatures missing");
  if (signatures->empty()) return Malformed("no signature");

  MultiJws jws;
  ASSIGN_OR_RETURN(jws.payload, DecodePayload(*payload));
  RETURN_IF_ERROR(ParsePayload(jws.payload).status());
  std::set<Digest> kids;
  for (const Json& entry_json : *signatures) {
    ASSIGN_OR_RETURN(MultiJws::Entry entry, ParseEntry(entry_json));
    // One key counts once, whoever counts.
    if (!kids.insert(entry.kid).second) return Malformed("a kid stands twice");
    jws.signatures.push_back(std::move(entry));
  }
  return jws;
}

void AddSignature(MultiJws& jws, const SigningKey& key, absl::string_view typ) {
  const Digest kid = key.verify_key().Thumbprint();
  std::string header = EncodeHeader({std::string(typ), kid});
  const Signature signature = SignRaw(
      key,
      AsBytes(absl::StrCat(header, ".", ToBase64Url(AsBytes(jws.payload)))));
  MultiJws::Entry entry{std::move(header), kid, ToBytes(signature)};
  const auto old = std::find_if(
      jws.signatures.begin(), jws.signatures.end(),
      [&](const MultiJws::Entry& other) { return other.kid == kid; });
  if (old != jws.signatures.end())
    *old = std::move(entry);
  else
    jws.signatures.push_back(std::move(entry));
}

absl::Status VerifyMultiJwsEntry(const MultiJws& jws, size_t index,
                                 absl::string_view typ, const VerifyKey& key) {
  if (index >= jws.signatures.size()) return Malformed("no such signature");
  const MultiJws::Entry& entry = jws.signatures[index];
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(entry.protected_header));
  RETURN_IF_ERROR(CheckTyp(header, typ));
  const Digest kid = key.Thumbprint();
  if (header.kid != kid || entry.kid != kid) return DoesNotFit("another kid");
  return CheckSignature(key,
                        absl::StrCat(entry.protected_header, ".",
                                     ToBase64Url(AsBytes(jws.payload))),
                        entry.signature);
}

}  // namespace amparo

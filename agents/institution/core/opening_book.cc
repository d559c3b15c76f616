#include "agents/institution/core/opening_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agents/institution/core/sealing.h"
#include "base/encoding.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/envelope/anchor.h"

namespace amparo::agent {
namespace {

using Salt = std::array<uint8_t, 32>;

std::string KeyOf(const Digest& envelope) {
  return absl::StrCat("payload-opening/", ToHex(envelope.bytes()));
}

absl::StatusOr<Salt> SaltAt(const Json& json, const char* key) {
  ASSIGN_OR_RETURN(const std::string text, JsonString(json, key));
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(text));
  Salt salt;
  if (bytes.size() != salt.size())
    return absl::DataLossError("a stored salt is damaged");
  std::copy(bytes.begin(), bytes.end(), salt.begin());
  return salt;
}

}  // namespace

void PutOpening(const Digest& envelope, const Payload& payload, Batch& rows) {
  const Digest manifest =
      ManifestDigest(payload.salt2, payload.disclosures, payload.grants);
  Json json = {
      {"salt", ToBase64Url(payload.salt)},
      {"salt2", ToBase64Url(payload.salt2)},
      {"manifest", manifest.ToString()},
      {"document", CarriesSections(payload.kind) ? "" : payload.document}};
  if (payload.origin) {
    json["origin_leaf"] = payload.origin->leaf.value();
    json["origin_salt"] = ToBase64Url(payload.origin->anchor_salt);
  }
  rows.Put(KeyOf(envelope), AsBytes(DumpJson(json)));
}

absl::StatusOr<PayloadOpening> OpeningOf(const KeyValue& kv,
                                         const Digest& envelope) {
  ASSIGN_OR_RETURN(const Bytes row, kv.Get(KeyOf(envelope)));
  ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(row)));
  PayloadOpening opening;
  ASSIGN_OR_RETURN(opening.salt, SaltAt(json, "salt"));
  ASSIGN_OR_RETURN(opening.salt2, SaltAt(json, "salt2"));
  ASSIGN_OR_RETURN(const std::string manifest, JsonString(json, "manifest"));
  ASSIGN_OR_RETURN(opening.manifest, Digest::Parse(manifest));
  ASSIGN_OR_RETURN(opening.document, JsonString(json, "document"));
  if (!json.contains("origin_leaf")) return opening;
  ASSIGN_OR_RETURN(const int64_t leaf, JsonInt(json, "origin_leaf"));
  opening.origin.emplace();
  opening.origin->leaf = LeafIndex(static_cast<uint64_t>(leaf));
  ASSIGN_OR_RETURN(opening.origin->salt, SaltAt(json, "origin_salt"));
  return opening;
}

}  // namespace amparo::agent

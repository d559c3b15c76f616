#include "proto/network/network_file.h"

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/status.h"
#include "proto/network/member.h"

namespace amparo {
namespace {

constexpr char kSchema[] = "network/1";

absl::Status Bad(const char* field, absl::string_view expected) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("network file: ", field, " is not valid"),
                   {.code = "invalid_form",
                    .field = field,
                    .expected = std::string(expected)});
}

}  // namespace

std::string FormatNetworkFile(const NetworkFile& file) {
  Json json;
  json["schema"] = kSchema;
  json["network"] = file.network;
  json["log_key"] = file.log_key.ToString();
  json["ca"] = ToBase64Url(file.ca_der);
  if (file.next_ca_der) json["ca_next"] = ToBase64Url(*file.next_ca_der);
  if (file.ca_number > 0) json["ca_number"] = file.ca_number;
  json["members"] = file.members;
  json["enrol"] = file.enrol;
  if (file.founding_token)
    json["founding_token"] = ToBase64Url(*file.founding_token);
  return DumpJson(json) + "\n";
}

absl::StatusOr<NetworkFile> ParseNetworkFile(absl::string_view text) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  RETURN_IF_ERROR(JsonKeysWithin(
      json, {"schema", "network", "log_key", "ca", "ca_next", "ca_number",
             "members", "enrol", "founding_token"}));
  ASSIGN_OR_RETURN(const std::string schema, JsonString(json, "schema"));
  if (schema != kSchema) return Bad("schema", kSchema);
  ASSIGN_OR_RETURN(std::string network, JsonString(json, "network"));
  ASSIGN_OR_RETURN(const std::string log_key, JsonString(json, "log_key"));
  ASSIGN_OR_RETURN(const std::string ca, JsonString(json, "ca"));
  ASSIGN_OR_RETURN(std::string members, JsonString(json, "members"));
  ASSIGN_OR_RETURN(std::string enrol, JsonString(json, "enrol"));
  if (!NetworkName::Parse(network).ok())
    return Bad("network", "[a-z][a-z0-9-]{0,31}");
  auto verifier = NoteVerifier::Parse(log_key);
  if (!verifier.ok() || verifier->type() != NoteKeyType::kEd25519)
    return Bad("log_key", "signed-note verifier key of type Ed25519");
  if (verifier->name() != network)
    return Bad("log_key", "a key under the network's name");
  auto der = FromBase64Url(ca);
  if (!der.ok() || der->empty()) return Bad("ca", "base64url of a certificate");
  NetworkFile file{std::move(network), *std::move(verifier), *std::move(der),
                   std::move(members), std::move(enrol),     std::nullopt};
  if (json.contains("ca_next")) {
    ASSIGN_OR_RETURN(const std::string next, JsonString(json, "ca_next"));
    auto next_der = FromBase64Url(next);
    if (!next_der.ok() || next_der->empty())
      return Bad("ca_next", "base64url of a certificate");
    file.next_ca_der = *std::move(next_der);
  }
  if (json.contains("ca_number")) {
    if (!json["ca_number"].is_number_integer() ||
        json["ca_number"].get<int64_t>() < 0)
      return Bad("ca_number", "a number from 0 on");
    file.ca_number = json["ca_number"].get<uint64_t>();
  }
  if (json.contains("founding_token")) {
    ASSIGN_OR_RETURN(const std::string token,
                     JsonString(json, "founding_token"));
    auto bytes = FromBase64Url(token);
    if (!bytes.ok() || bytes->size() != kFoundingTokenBytes)
      return Bad("founding_token", "base64url of 16 bytes");
    file.founding_token = *std::move(bytes);
  }
  return file;
}

}  // namespace amparo

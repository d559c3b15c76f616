#include "agents/committee/key_statement.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/status.h"
#include "crypto/jws.h"
#include "proto/network/fields.h"

namespace amparo::committee {

absl::StatusOr<std::string> ParseKeyId(absl::string_view text) {
  constexpr absl::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
  if (text.empty() || text.size() > 32 || text[0] == '-' ||
      text.find_first_not_of(kAllowed) != absl::string_view::npos)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "not the id of a governance key",
                     {.code = "usage",
                      .field = "ID",
                      .expected = "letters, digits and -, as G1"});
  return std::string(text);
}

std::string SignKeyStatement(const KeyStatement& statement,
                             const SigningKey& key) {
  Json payload = Json::object();
  payload["id"] = statement.id;
  payload["member"] = statement.member.text();
  payload["key"] = statement.key.ToString();
  payload["at"] = FormatUtc(statement.at);
  return SignJws(key, kGovernanceKeyTyp, payload);
}

absl::StatusOr<KeyStatement> VerifyKeyStatement(absl::string_view document) {
  document = absl::StripSuffix(document, "\n");
  ASSIGN_OR_RETURN(const Json payload,
                   PeekJwsPayload(document, kKeyStatementBytesMax));
  Fields fields(payload);
  const auto id = fields.Parsed<std::string>("id", ParseKeyId);
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const auto key = fields.Parsed<VerifyKey>("key", VerifyKey::Parse);
  const absl::Time at = fields.Time("at");
  RETURN_IF_ERROR(fields.Finish());
  const auto lookup = [&](const Digest&) -> absl::StatusOr<VerifyKey> {
    return *key;
  };
  RETURN_IF_ERROR(
      VerifyJws(document, kGovernanceKeyTyp, lookup, kKeyStatementBytesMax)
          .status());
  return KeyStatement{*id, *member, *key, at};
}

absl::StatusOr<KeyStatement> ReadKeyStatement(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string document,
                   ReadFile(path, kKeyStatementBytesMax + 1));
  absl::StatusOr<KeyStatement> statement = VerifyKeyStatement(document);
  if (statement.ok()) return statement;
  const bool denied = absl::IsPermissionDenied(statement.status());
  return MakeError(
      statement.status().code(),
      absl::StrCat(path, denied ? " is not signed by the key in it"
                                : " is not the public half of a key"),
      {.code = denied ? "verification_failed" : "invalid_form",
       .field = "FILE",
       .expected = "the file ID.public that amparo-charter new-key wrote"});
}

}  // namespace amparo::committee

#include "proto/network/invitation.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/jws.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

constexpr char kPrefix[] = "amparo1";
constexpr size_t kInvitationBytesMax = 8192;
constexpr size_t kCertificateBytesMax = 4096;
constexpr size_t kTokenBytes = 16;
constexpr size_t kCheckHexDigits = 8;
constexpr size_t kJoinRequestBytesMax = 4096;

absl::Status Wrong(absl::string_view part, absl::string_view why) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("invitation: ", part, ": ", why),
                   {.code = "invalid_invitation",
                    .field = std::string(part),
                    .hint = "ask the network's operator for a new one"});
}

std::string CheckOf(absl::string_view json) {
  return ToHex(Sha256(json).bytes()).substr(0, kCheckHexDigits);
}

// host:port, the host a name, an IPv4 address or an IPv6 address in brackets.
absl::StatusOr<std::string> ParseHostPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  int port = 0;
  const bool fits = colon != absl::string_view::npos && colon > 0 &&
                    text.size() <= 260 &&
                    text.substr(0, colon).find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01"
                        "23456789.-[]:") == absl::string_view::npos &&
                    (text[0] == '[') == (text[colon - 1] == ']') &&
                    (text[0] == '[' || text.find(':') == colon) &&
                    text.find_first_not_of("0123456789", colon + 1) ==
                        absl::string_view::npos &&
                    absl::SimpleAtoi(text.substr(colon + 1), &port) &&
                    port > 0 && port <= 65535;
  if (!fits) return absl::InvalidArgumentError("expected host:port");
  return std::string(text);
}

absl::StatusOr<Invitation> Decode(const Json& json) {
  Fields fields(json);
  const auto network =
      fields.Parsed<NetworkName>("network", NetworkName::Parse);
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const auto enrol = fields.Parsed<std::string>("enrol", ParseHostPort);
  const auto ca =
      FromBase64Url(fields.Text("ca", kCertificateBytesMax * 4 / 3));
  if (!ca.ok() || ca->empty()) fields.Fail("ca", "expected base64url");
  std::optional<Bytes> next_ca;
  if (fields.Has("ca_next")) {
    const auto next =
        FromBase64Url(fields.Text("ca_next", kCertificateBytesMax * 4 / 3));
    if (next.ok() && !next->empty())
      next_ca = *next;
    else
      fields.Fail("ca_next", "expected base64url");
  }
  const Digest root = fields.Hash("root");
  const auto token = fields.Parsed<Bytes>("token", FromBase64Url);
  if (token.has_value() && token->size() != kTokenBytes)
    fields.Fail("token", "expected 16 bytes");
  const absl::Time until = fields.Time("until");
  if (const absl::Status status = fields.Finish(); !status.ok()) {
    const std::string field = DetailOf(status)->field;
    return Wrong(field.empty() ? "content" : field.substr(1),
                 "missing, unknown or malformed");
  }
  return Invitation{network->text(), *member, *enrol, *ca, root,
                    *token,          until,   next_ca};
}

}  // namespace

std::string FormatInvitation(const Invitation& invitation) {
  Json json = Json::object();
  json["network"] = invitation.network;
  json["member"] = invitation.member.text();
  json["enrol"] = invitation.enrol;
  json["ca"] = ToBase64Url(invitation.ca_der);
  if (invitation.next_ca_der)
    json["ca_next"] = ToBase64Url(*invitation.next_ca_der);
  json["root"] = invitation.root.ToString();
  json["token"] = ToBase64Url(invitation.token);
  json["until"] = FormatUtc(invitation.until);
  const std::string text = DumpJson(json);
  return absl::StrCat(kPrefix, ".", ToBase64Url(AsBytes(text)), ".",
                      CheckOf(text));
}

absl::StatusOr<Invitation> ParseInvitation(absl::string_view text) {
  // Copied from mail or paper: space around it means nothing.
  text = absl::StripAsciiWhitespace(text);
  if (text.size() > kInvitationBytesMax) return Wrong("line", "too long");
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts[0] != kPrefix) return Wrong("line", "does not begin with amparo1.");
  if (parts.size() != 3) return Wrong("line", "cut off or not one line");
  const auto bytes = FromBase64Url(parts[1]);
  if (!bytes.ok()) return Wrong("line", "characters missing or wrong");
  if (parts[2] != CheckOf(AsText(*bytes)))
    return Wrong("line", "its check digits do not fit: mistyped or cut off");
  const auto json = ParseJson(AsText(*bytes));
  if (!json.ok()) return Wrong("content", "not JSON");
  return Decode(*json);
}

std::string SignJoinRequest(const JoinRequest& request,
                            const SigningKey& identity) {
  Json payload = Json::object();
  payload["net"] = request.net.ToString();
  payload["member"] = request.member.text();
  payload["identity_key"] = request.identity_key.ToString();
  payload["witness_key"] = request.witness_key.ToString();
  payload["at"] = FormatUtc(request.at);
  return SignJws(identity, kJoinRequestTyp, payload);
}

absl::StatusOr<JoinRequest> VerifyJoinRequest(absl::string_view document) {
  ASSIGN_OR_RETURN(const Json payload,
                   PeekJwsPayload(document, kJoinRequestBytesMax));
  Fields fields(payload);
  const Digest net = fields.Hash("net");
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const auto identity =
      fields.Parsed<VerifyKey>("identity_key", VerifyKey::Parse);
  const auto witness =
      fields.Parsed<VerifyKey>("witness_key", VerifyKey::Parse);
  if (identity.has_value() && identity == witness)
    fields.Fail("witness_key", "a key has one use");
  const absl::Time at = fields.Time("at");
  RETURN_IF_ERROR(fields.Finish());
  // The one document whose key stands inside: it proves that its sender holds
  // the key, and people compare whose it is.
  const auto lookup = [&](const Digest&) -> absl::StatusOr<VerifyKey> {
    return *identity;
  };
  RETURN_IF_ERROR(
      VerifyJws(document, kJoinRequestTyp, lookup, kJoinRequestBytesMax)
          .status());
  return JoinRequest{net, *member, *identity, *witness, at};
}

}  // namespace amparo

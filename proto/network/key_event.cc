#include "proto/network/key_event.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/status.h"
#include "crypto/jws.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

constexpr char kSealingKeyPrefix[] = "x25519:";

constexpr std::pair<KeyEventKind, const char*> kKinds[] = {
    {KeyEventKind::kSigning, "signing"},
    {KeyEventKind::kPrekey, "prekey"},
    {KeyEventKind::kRevoke, "revoke"},
};

const char* NameOf(KeyEventKind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return name;
  return "";
}

absl::StatusOr<KeyEventKind> ParseKind(absl::string_view name) {
  for (const auto& [value, known] : kKinds)
    if (name == known) return value;
  return absl::InvalidArgumentError("unknown kind of key event");
}

absl::StatusOr<SealingKey> ParseSealingKey(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kSealingKeyPrefix))
    return absl::InvalidArgumentError("expected x25519: and base64url");
  ASSIGN_OR_RETURN(const Bytes bytes, FromBase64Url(text));
  return SealingKey::FromBytes(bytes);
}

using AnyKey = std::variant<VerifyKey, SealingKey>;

std::string FormatKey(const AnyKey& key) {
  if (const auto* verify_key = std::get_if<VerifyKey>(&key))
    return verify_key->ToString();
  return absl::StrCat(kSealingKeyPrefix,
                      ToBase64Url(std::get<SealingKey>(key).bytes()));
}

absl::Status CheckLife(KeyEventKind kind, absl::Duration life) {
  switch (kind) {
    case KeyEventKind::kRevoke:
      return life >= absl::ZeroDuration()
                 ? absl::OkStatus()
                 : absl::InvalidArgumentError("until is before from");
    case KeyEventKind::kSigning:
    case KeyEventKind::kPrekey: {
      const absl::Duration life_max =
          kind == KeyEventKind::kSigning ? kSigningKeyLifeMax : kPrekeyLifeMax;
      if (life > absl::ZeroDuration() && life <= life_max)
        return absl::OkStatus();
      return absl::InvalidArgumentError("the key's life is out of range");
    }
  }
  return absl::InternalError("unknown kind of key event");
}

}  // namespace

std::string SignKeyEvent(const KeyEvent& event, const SigningKey& signer) {
  Json payload = Json::object();
  payload["net"] = event.net.ToString();
  payload["member"] = event.member.text();
  payload["seq"] = event.seq;
  payload["prev_hash"] = event.prev_hash.ToString();
  payload["charter_hash"] = event.charter_hash.ToString();
  payload["kind"] = NameOf(event.kind);
  payload["key"] = FormatKey(event.key);
  payload["from"] = FormatUtc(event.from);
  payload["until"] = FormatUtc(event.until);
  if (event.vouched_by_old.has_value())
    payload["vouched"] = *event.vouched_by_old;
  return SignJws(signer, kKeyEventTyp, payload);
}

std::string VouchForKey(const KeyEvent& event, const SigningKey& old_key) {
  Json payload = Json::object();
  payload["net"] = event.net.ToString();
  payload["member"] = event.member.text();
  payload["seq"] = event.seq;
  payload["key"] = FormatKey(event.key);
  return SignJws(old_key, kKeyVouchTyp, payload);
}

absl::Status VerifyVouch(const KeyEvent& event, const VerifyKey& old_key) {
  const auto refused = [] {
    return absl::PermissionDeniedError("nobody vouches for this key");
  };
  if (!event.vouched_by_old.has_value()) return refused();
  const auto lookup = [&](const Digest& kid) -> absl::StatusOr<VerifyKey> {
    if (kid != old_key.Thumbprint()) return refused();
    return old_key;
  };
  const auto jws =
      VerifyJws(*event.vouched_by_old, kKeyVouchTyp, lookup, kKeyEventBytesMax);
  if (!jws.ok()) return refused();
  Fields fields(jws->payload);
  const Digest net = fields.Hash("net");
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const int64_t seq = fields.Int("seq", 1, INT64_MAX);
  const std::string key = fields.Text("key", 64);
  if (!fields.Finish().ok() || net != event.net || member != event.member ||
      static_cast<uint64_t>(seq) != event.seq || key != FormatKey(event.key))
    return refused();
  return absl::OkStatus();
}

absl::StatusOr<KeyEvent> PeekKeyEvent(absl::string_view document) {
  ASSIGN_OR_RETURN(const Json payload,
                   PeekJwsPayload(document, kKeyEventBytesMax));
  ASSIGN_OR_RETURN(const std::string typ, PeekJwsTyp(document));
  if (typ != kKeyEventTyp) return absl::InvalidArgumentError("no key event");

  Fields fields(payload);
  const Digest net = fields.Hash("net");
  const auto member = fields.Parsed<MemberId>("member", MemberId::Parse);
  const int64_t seq = fields.Int("seq", 1, INT64_MAX);
  const Digest prev_hash = fields.Hash("prev_hash");
  const Digest charter_hash = fields.Hash("charter_hash");
  const auto kind = fields.Parsed<KeyEventKind>("kind", ParseKind);
  std::optional<AnyKey> key;
  if (kind == KeyEventKind::kPrekey)
    key = fields.Parsed<SealingKey>("key", ParseSealingKey);
  else
    key = fields.Parsed<VerifyKey>("key", VerifyKey::Parse);
  const absl::Time from = fields.Time("from");
  const absl::Time until = fields.Time("until");
  std::optional<std::string> vouched;
  if (kind == KeyEventKind::kSigning && fields.Has("vouched"))
    vouched = fields.Text("vouched", kKeyEventBytesMax);
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckLife(*kind, until - from));
  return KeyEvent{net,
                  *member,
                  static_cast<uint64_t>(seq),
                  prev_hash,
                  charter_hash,
                  *kind,
                  *std::move(key),
                  from,
                  until,
                  std::move(vouched)};
}

}  // namespace amparo

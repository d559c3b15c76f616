#include "proto/envelope/receipt.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/status.h"
#include "proto/envelope/limits.h"
#include "proto/network/fields.h"

namespace amparo {
namespace {

constexpr char kEventPrefix[] = "https://amparo.example/events/";

constexpr std::pair<ReceiptKind, const char*> kKinds[] = {
    {ReceiptKind::kDelivered, "delivered"},
    {ReceiptKind::kUndecryptable, "undecryptable"},
    {ReceiptKind::kOpened, "opened"},
    {ReceiptKind::kErased, "erased"},
    {ReceiptKind::kComplaint, "complaint"},
};

// The one event of `events`, read into `kind`, `digest` and `leaf`.
struct Event {
  ReceiptKind kind = ReceiptKind::kDelivered;
  Digest digest;
  LeafIndex leaf;
};

absl::StatusOr<Event> DecodeEvent(const Json& events) {
  if (events.size() != 1)
    return absl::InvalidArgumentError("receipt: expected one event");
  for (const auto& [kind, name] : kKinds) {
    const auto found = events.find(EventUri(kind));
    if (found == events.end()) continue;
    Fields fields(*found, "/events/event");
    const Digest digest = fields.Hash("digest");
    const int64_t leaf = fields.Int("leaf", 0, INT64_MAX);
    RETURN_IF_ERROR(fields.Finish());
    return Event{kind, digest, LeafIndex(static_cast<uint64_t>(leaf))};
  }
  return absl::InvalidArgumentError("receipt: unknown event");
}

absl::StatusOr<Receipt> Decode(const Json& payload) {
  Fields fields(payload);
  const auto issuer = fields.Parsed<MemberId>("iss", MemberId::Parse);
  const auto audience = fields.Parsed<MemberId>("aud", MemberId::Parse);
  const int64_t at = fields.Int("iat", 1, kUnixSecondsMax);
  const auto jti = fields.Parsed<EventId>("jti", EventId::Parse);
  const Digest net = fields.Hash("net");
  const Json& events = fields.Object("events");
  RETURN_IF_ERROR(fields.Finish());
  ASSIGN_OR_RETURN(const Event event, DecodeEvent(events));
  return Receipt{net,  *issuer,    *audience,    TimeFromUnix(at),
                 *jti, event.kind, event.digest, event.leaf};
}

}  // namespace

absl::string_view NameOf(ReceiptKind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return name;
  return "";
}

std::string EventUri(ReceiptKind kind) {
  return absl::StrCat(kEventPrefix, NameOf(kind));
}

std::string SignReceipt(const Receipt& receipt, const SigningKey& key) {
  Json event = Json::object();
  event["digest"] = receipt.digest.ToString();
  event["leaf"] = receipt.leaf.value();
  Json payload = Json::object();
  payload["iss"] = receipt.issuer.text();
  payload["aud"] = receipt.audience.text();
  payload["iat"] = UnixSeconds(receipt.at);
  payload["jti"] = receipt.jti.text();
  payload["net"] = receipt.net.ToString();
  payload["events"][EventUri(receipt.kind)] = std::move(event);
  return SignJws(key, kReceiptTyp, payload);
}

absl::StatusOr<VerifiedReceipt> VerifyReceipt(absl::string_view token,
                                              const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedJws jws,
                   VerifyJws(token, kReceiptTyp, keys, kReceiptBytesMax));
  ASSIGN_OR_RETURN(Receipt receipt, Decode(jws.payload));
  return VerifiedReceipt{std::move(receipt), jws.kid};
}

absl::StatusOr<Receipt> PeekReceipt(absl::string_view token) {
  ASSIGN_OR_RETURN(const Json payload, PeekJwsPayload(token, kReceiptBytesMax));
  return Decode(payload);
}

}  // namespace amparo

#include "proto/content/event_document.h"

#include "base/status.h"
#include "proto/content/claims.h"
#include "proto/content/strict_reader.h"
#include "proto/envelope/limits.h"

namespace amparo {
namespace {

// Which fields a kind's document has.
struct Shape {
  bool referral = false, decline = false, outcome = false, erasure = false,
       links = false;
};

std::optional<Shape> ShapeOf(EventKind kind) {
  switch (kind) {
    case EventKind::kAccepted:
    case EventKind::kCancelRequested:
    case EventKind::kCancelled:
      return Shape{.referral = true};
    case EventKind::kDeclined:
      return Shape{.referral = true, .decline = true};
    case EventKind::kClosed:
      return Shape{.referral = true, .outcome = true};
    case EventKind::kErased:
      return Shape{.erasure = true};
    case EventKind::kResend:
    case EventKind::kSkip:
      return Shape{.links = true};
    case EventKind::kHeartbeat:
      return Shape{};
    default:
      return std::nullopt;  // has a document of its own type
  }
}

void ReadErasure(StrictReader& reader, EventDocument& out) {
  out.grant = reader.Hash("grant");
  out.answer = ParseErasureAnswer(reader.Text("answer"));
  if (!out.answer) reader.Fail("answer", "deleted or kept");
  out.slots = ReadSlotNames(reader, "sections");
  out.legal_basis = reader.Text("legal_basis");
  if ((out.answer == ErasureAnswer::kKept) == out.legal_basis.empty())
    reader.Fail("legal_basis", "what allows to keep, and nothing else");
}

void ReadLinks(StrictReader& reader, EventDocument& out) {
  out.link_kid = reader.Hash("kid");
  out.first = static_cast<uint64_t>(
      reader.Int("first", 1, static_cast<int64_t>(kLinkMax)));
  out.last = static_cast<uint64_t>(reader.Int(
      "last", static_cast<int64_t>(out.first), static_cast<int64_t>(kLinkMax)));
}

absl::StatusOr<EventDocument> Decode(const Json& json) {
  StrictReader reader(json, kBadDocument);
  const std::optional<CommonClaims> common = ReadCommon(reader);
  RETURN_IF_ERROR(reader.status());
  const std::optional<Shape> shape = ShapeOf(common->kind);
  if (!shape) return FaultAt(kBadDocument, "/kind", "a plain event");
  EventDocument out{.net = common->net,
                    .issuer = common->issuer,
                    .at = common->at,
                    .event_id = common->event_id,
                    .kind = common->kind,
                    .case_id = common->case_id};
  if (shape->referral)
    out.referral_id = reader.IdAt<ReferralId>("referral", "a referral's id");
  if (shape->decline) out.code = reader.Code("reason", DeclineReasons());
  if (shape->outcome) out.code = reader.Code("outcome", Outcomes());
  if (shape->erasure) ReadErasure(reader, out);
  if (shape->links) ReadLinks(reader, out);
  RETURN_IF_ERROR(reader.status());
  return out;
}

Json Encode(const EventDocument& event) {
  Json json = EncodeCommon({event.net, event.issuer, event.at, event.event_id,
                            event.case_id, event.kind});
  if (event.referral_id) json["referral"] = event.referral_id->text();
  if (!event.code.empty())
    json[event.kind == EventKind::kClosed ? "outcome" : "reason"] = event.code;
  if (event.grant) json["grant"] = event.grant->ToString();
  if (event.answer) {
    json["answer"] = std::string(NameOf(*event.answer));
    json["sections"] = EncodeNames(event.slots);
    json["legal_basis"] = event.legal_basis;
  }
  if (event.link_kid) {
    json["kid"] = event.link_kid->ToString();
    json["first"] = static_cast<int64_t>(event.first);
    json["last"] = static_cast<int64_t>(event.last);
  }
  return json;
}

// Decoded and encoded again a document is the same: keys that its kind does
// not have, and other spellings, are refused by that alone.
absl::StatusOr<EventDocument> DecodeExactly(const Json& json) {
  ASSIGN_OR_RETURN(EventDocument event, Decode(json));
  if (Encode(event) != json)
    return FaultAt(kBadDocument, "", "the fields of its kind, in order");
  return event;
}

}  // namespace

absl::StatusOr<std::string> SignEvent(const EventDocument& event,
                                      const SigningKey& key) {
  const Json json = Encode(event);
  ASSIGN_OR_RETURN(EventDocument readable, DecodeExactly(json));
  readable.at = event.at;  // signed in whole seconds
  if (!(readable == event))
    return FaultAt(kBadDocument, "", "only the fields of its kind");
  return SignJws(key, kEventTyp, json);
}

absl::StatusOr<EventDocument> VerifyEvent(absl::string_view token,
                                          const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedJws jws,
                   VerifyJws(token, kEventTyp, keys, kReceiptBytesMax));
  return DecodeExactly(jws.payload);
}

}  // namespace amparo

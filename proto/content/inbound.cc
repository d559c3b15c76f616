#include "proto/content/inbound.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/sd_jwt.h"
#include "proto/content/case_authority.h"
#include "proto/content/revocation.h"
#include "proto/envelope/limits.h"
#include "proto/envelope/receipt.h"

namespace amparo {
namespace {

absl::Status Refuse(absl::string_view why) {
  return MakeError(absl::StatusCode::kPermissionDenied, why,
                   {.code = "verification_failed"});
}

// What every document says of itself must fit payload and envelope.
struct Said {
  Digest net;
  MemberId issuer;
  EventId event_id;
  std::optional<CaseId> case_id;
};

absl::Status CheckSaid(const Said& said, const Payload& payload,
                       const Carrier& carrier) {
  if (said.net != carrier.net)
    return Refuse("the document is of another network");
  if (said.issuer != carrier.sender)
    return Refuse("the document is another member's");
  if (said.case_id != payload.case_id)
    return Refuse("the document is of another case");
  if (said.event_id != payload.event_id)
    return Refuse("the document is of another event");
  return absl::OkStatus();
}

absl::Status KindDiffers() {
  return Refuse("the document is of another kind than the payload");
}

CaseEvent MakeEvent(const Payload& payload, const Carrier& carrier,
                    EventBody body) {
  return {.id = payload.event_id,
          .case_id = *payload.case_id,
          .from = carrier.sender,
          .to = carrier.recipient,
          .at = carrier.leaf_time,
          .leaf = carrier.leaf,
          .envelope = carrier.envelope,
          .body = std::move(body)};
}

// Grants and legal bases that travel with a document.
absl::Status ReadAuthority(const Payload& payload, const Carrier& carrier,
                           const KeyLookup& keys, DocumentSent& out) {
  for (const std::string& text : payload.grants) {
    if (absl::StrContains(text, '~')) {
      ASSIGN_OR_RETURN(const ParsedSdJwt parsed,
                       ParseSdJwt(text, kGrantBytesMax));
      ASSIGN_OR_RETURN(Grant grant,
                       VerifyGrant(parsed.jwt, parsed.disclosures, keys));
      RETURN_IF_ERROR(
          CheckSaid({grant.net, grant.issuer, payload.event_id, grant.case_id},
                    payload, carrier));
      out.grants.push_back(std::move(grant));
      continue;
    }
    ASSIGN_OR_RETURN(WithoutConsent basis, VerifyWithoutConsent(text, keys));
    RETURN_IF_ERROR(
        CheckSaid({basis.net, basis.issuer, payload.event_id, basis.case_id},
                  payload, carrier));
    if (basis.recipient != carrier.recipient)
      return Refuse("the legal basis is for another member");
    out.bases.push_back(std::move(basis));
  }
  return absl::OkStatus();
}

// Every file belongs to a section that is here in full and lists it.
absl::Status CheckAttachments(const Payload& payload,
                              const ReferralDocument& document) {
  for (const PayloadAttachment& attachment : payload.attachments) {
    const auto value = document.values.find({attachment.section});
    if (value == document.values.end())
      return Refuse("an attachment of a section that is not here");
    const std::vector<AttachmentInfo> listed = AttachmentsOf(value->second);
    const std::string hash = attachment.plaintext.ToString();
    if (std::none_of(
            listed.begin(), listed.end(),
            [&](const AttachmentInfo& info) { return info.sha256 == hash; }))
      return Refuse("an attachment that its section does not list");
  }
  return absl::OkStatus();
}

// `disclosed` brings an earlier document again, under an event id of its own.
absl::Status CheckDocumentKind(const Payload& payload,
                               const ReferralClaims& claims) {
  const bool own_event = claims.event_id == payload.event_id;
  if (payload.kind == EventKind::kDisclosed)
    return own_event ? KindDiffers() : absl::OkStatus();
  if (claims.is_update() != (payload.kind == EventKind::kUpdated))
    return KindDiffers();
  return own_event ? absl::OkStatus()
                   : Refuse("the document is of another event");
}

absl::StatusOr<InboundEvent> ReadDocument(const Payload& payload,
                                          const Carrier& carrier,
                                          const KeyLookup& keys) {
  ASSIGN_OR_RETURN(ReferralDocument document,
                   VerifyReferral(payload.document, payload.disclosures, keys));
  const ReferralClaims& claims = document.claims;
  RETURN_IF_ERROR(
      CheckSaid({claims.net, claims.issuer, payload.event_id, claims.case_id},
                payload, carrier));
  RETURN_IF_ERROR(CheckDocumentKind(payload, claims));
  if (document.values.empty()) return Refuse("a document without any section");
  RETURN_IF_ERROR(CheckAttachments(payload, document));
  DocumentSent body{.kind = payload.kind,
                    .referral_id = claims.referral_id,
                    .document = document.digest,
                    .prev = claims.prev,
                    .priority = claims.priority,
                    .purpose = payload.purpose,
                    .first_contact = payload.first_contact};
  for (const Slot slot : document.slots()) body.slots.emplace(slot, "");
  RETURN_IF_ERROR(ReadAuthority(payload, carrier, keys, body));
  InboundEvent inbound;
  inbound.event = MakeEvent(payload, carrier, std::move(body));
  inbound.document = std::move(document);
  return inbound;
}

absl::StatusOr<EventBody> ReadGrant(const Payload& payload,
                                    const Carrier& carrier,
                                    const KeyLookup& keys) {
  ASSIGN_OR_RETURN(Grant grant,
                   VerifyGrant(payload.document, payload.disclosures, keys));
  RETURN_IF_ERROR(
      CheckSaid({grant.net, grant.issuer, grant.event_id, grant.case_id},
                payload, carrier));
  return Granted{std::move(grant), {}};
}

absl::StatusOr<EventBody> ReadRevocation(const Payload& payload,
                                         const Carrier& carrier,
                                         const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const Revocation revocation,
                   VerifyRevocation(payload.document, keys));
  RETURN_IF_ERROR(CheckSaid({revocation.net, revocation.issuer,
                             revocation.event_id, revocation.case_id},
                            payload, carrier));
  return Revoked{revocation.grant, "", {}};
}

absl::StatusOr<EventBody> ReadReceipt(const Payload& payload,
                                      const Carrier& carrier,
                                      const KeyLookup& keys) {
  ASSIGN_OR_RETURN(const VerifiedReceipt verified,
                   VerifyReceipt(payload.document, keys));
  const Receipt& receipt = verified.receipt;
  RETURN_IF_ERROR(
      CheckSaid({receipt.net, receipt.issuer, receipt.jti, payload.case_id},
                payload, carrier));
  if (receipt.audience != carrier.recipient)
    return Refuse("the receipt is for another member");
  const ReceiptKind expected = payload.kind == EventKind::kOpened
                                   ? ReceiptKind::kOpened
                                   : ReceiptKind::kComplaint;
  if (receipt.kind != expected) return KindDiffers();
  return Acknowledged{payload.kind, receipt.digest};
}

absl::StatusOr<InboundEvent> ReadPlain(const Payload& payload,
                                       const Carrier& carrier,
                                       const KeyLookup& keys) {
  ASSIGN_OR_RETURN(EventDocument event, VerifyEvent(payload.document, keys));
  if (event.kind != payload.kind) return KindDiffers();
  RETURN_IF_ERROR(
      CheckSaid({event.net, event.issuer, event.event_id, event.case_id},
                payload, carrier));
  InboundEvent inbound;
  if (IsLinkEvent(event.kind)) {
    inbound.link = std::move(event);
    return inbound;
  }
  if (event.kind == EventKind::kErased) {
    inbound.event = MakeEvent(
        payload, carrier,
        Erased{*event.grant, *event.answer, event.slots, event.legal_basis});
  } else {
    inbound.event = MakeEvent(
        payload, carrier, Answered{event.kind, *event.referral_id, event.code});
  }
  return inbound;
}

absl::StatusOr<InboundEvent> AsInbound(const Payload& payload,
                                       const Carrier& carrier,
                                       absl::StatusOr<EventBody> body) {
  RETURN_IF_ERROR(body.status());
  InboundEvent inbound;
  inbound.event = MakeEvent(payload, carrier, *std::move(body));
  return inbound;
}

bool BringsGrants(EventKind kind) {
  return kind == EventKind::kReferral || kind == EventKind::kUpdated ||
         kind == EventKind::kDisclosed;
}

}  // namespace

absl::StatusOr<InboundEvent> VerifyInbound(const Payload& payload,
                                           const Carrier& carrier,
                                           const KeyLookup& keys) {
  if (AnchorOf(payload) != carrier.anchor)
    return Refuse("the header names another content");
  const bool discloses =
      BringsGrants(payload.kind) || payload.kind == EventKind::kGranted;
  if ((!discloses && !payload.disclosures.empty()) ||
      (!BringsGrants(payload.kind) && !payload.grants.empty()))
    return Refuse("disclosures or grants beside a document that has none");
  switch (payload.kind) {
    case EventKind::kReferral:
    case EventKind::kUpdated:
    case EventKind::kDisclosed:
      return ReadDocument(payload, carrier, keys);
    case EventKind::kGranted:
      return AsInbound(payload, carrier, ReadGrant(payload, carrier, keys));
    case EventKind::kRevoked:
      return AsInbound(payload, carrier,
                       ReadRevocation(payload, carrier, keys));
    case EventKind::kOpened:
    case EventKind::kComplaint:
      return AsInbound(payload, carrier, ReadReceipt(payload, carrier, keys));
    default:
      return ReadPlain(payload, carrier, keys);
  }
}

absl::Status RequireCovered(const Charter& charter, const CaseState& state,
                            InboundEvent& inbound, absl::Time now) {
  if (!inbound.event) return absl::OkStatus();
  auto* sent = std::get_if<DocumentSent>(&inbound.event->body);
  if (sent == nullptr) return absl::OkStatus();
  CaseState joined = state;
  for (const Grant& grant : sent->grants) AddGrant(grant, joined);
  for (const WithoutConsent& basis : sent->bases) AddBasis(basis, joined);
  SettleStatuses(joined);
  const Transfer transfer{inbound.event->from, inbound.event->to,
                          inbound.event->case_id, sent->purpose,
                          sent->first_contact};
  std::set<Slot> slots;
  for (const auto& [slot, unused] : sent->slots) slots.insert(slot);
  RETURN_IF_ERROR(
      RequireCovered(charter, joined.authority, transfer, slots, now));
  for (auto& [slot, authority] : sent->slots)
    authority =
        MayShow(charter, joined.authority, transfer, slot, now).authority;
  return absl::OkStatus();
}

}  // namespace amparo

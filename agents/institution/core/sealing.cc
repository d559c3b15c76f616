#include "agents/institution/core/sealing.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/random.h"
#include "crypto/sd_jwt.h"
#include "proto/content/grant.h"
#include "proto/content/policy.h"
#include "proto/envelope/limits.h"

namespace amparo::agent {
namespace {

absl::Status NoSuchEvent() {
  return absl::FailedPreconditionError("the case does not know this event");
}

absl::StatusOr<MemberKind> KindOf(const Peers& peers, const MemberId& id) {
  const Member* member = peers.charter.charter.Find(id);
  if (member == nullptr)
    return MakeError(absl::StatusCode::kNotFound, "the recipient is no member",
                     {.code = "unknown_member"});
  return member->kind;
}

// The stored event of this draft and recipient.
absl::StatusOr<CaseEvent> StoredEvent(const Draft& draft, const Case& entry) {
  for (const CaseEvent& event : entry.events)
    if (event.id == draft.event_id && event.to == draft.recipient &&
        !std::holds_alternative<DeliveryNoted>(event.body))
      return event;
  return NoSuchEvent();
}

// The grants and bases that decided, each with what the recipient may know.
absl::Status AddAuthorities(const std::set<std::string>& ids,
                            const Authority& authority, const MemberId& self,
                            const MemberId& recipient, MemberKind kind,
                            Payload& payload) {
  for (const auto& [key, held] : authority.grants)
    if (key.first == self && ids.contains(key.second.text()))
      payload.grants.push_back(SerializeSdJwt(
          held.grant.jwt, DisclosuresFor(held.grant, recipient, kind)));
  for (const WithoutConsent& basis : authority.bases)
    if (ids.contains(basis.id.text()) && basis.recipient == recipient)
      payload.grants.push_back(basis.token);
  if (payload.grants.size() > kGrantsMax)
    return MakeError(absl::StatusCode::kResourceExhausted,
                     "too many grants for one envelope", {.code = "too_large"});
  return absl::OkStatus();
}

absl::Status FillDocument(const Draft& draft, const Case& entry, const Content& content,
                          const Peers& peers, absl::Time now, CaseEvent& event,
                          Payload& payload) {
  auto* sent = std::get_if<DocumentSent>(&event.body);
  if (sent == nullptr) return NoSuchEvent();
  const auto adjusted =
      peers.keys.standings().Adjust(peers.charter.charter, now);
  const std::vector<SectionDecision> decisions =
      Decide(adjusted ? *adjusted : peers.charter.charter, entry.state.authority,
             Transfer{event.from, event.to, event.case_id, sent->purpose,
                      sent->first_contact},
             draft.sections, now);
  // What went before its recipient may have, whatever goes now.
  if (!event.HasLeft()) sent->slots.clear();
  // Where no leaf of it is known, the broker refused it: before all else.
  const LeafIndex before =
      event.leaf.value_or(event.Place().value_or(LeafIndex(0)));
  for (const auto& [slot, authority] : sent->slots)
    sent->went_before.emplace(slot, before);
  std::set<std::string> authorities;
  payload.document = content.document;
  for (const SectionDecision& decision : decisions) {
    if (!decision.allowed()) continue;
    const auto disclosure = content.disclosures.find(decision.slot());
    if (disclosure == content.disclosures.end()) continue;
    payload.disclosures.push_back(disclosure->second);
    sent->slots[decision.slot()] = decision.authority;
    sent->went_before.erase(decision.slot());
    authorities.insert(decision.authority);
  }
  if (payload.disclosures.empty()) {
    const Reason reason = decisions.empty() ? Reason::kNoPermit : decisions[0].reason;
    return MakeError(absl::StatusCode::kPermissionDenied,
                     "nothing of it may go to this recipient any more",
                     {.code = std::string(ErrorCodeFor(reason))});
  }
  payload.purpose = sent->purpose;
  payload.first_contact = sent->first_contact;
  ASSIGN_OR_RETURN(const MemberKind kind, KindOf(peers, draft.recipient));
  return AddAuthorities(authorities, entry.state.authority, event.from,
                        draft.recipient, kind, payload);
}

// A grant travels with the provisions that concern its recipient, never whole.
absl::Status FillGrant(const Draft& draft, const Peers& peers, Payload& payload) {
  ASSIGN_OR_RETURN(const ParsedSdJwt parsed,
                   ParseSdJwt(draft.document, kGrantBytesMax));
  ASSIGN_OR_RETURN(const Grant grant, LoadGrant(parsed.jwt, parsed.disclosures));
  ASSIGN_OR_RETURN(const MemberKind kind, KindOf(peers, draft.recipient));
  payload.document = grant.jwt;
  payload.disclosures = DisclosuresFor(grant, draft.recipient, kind);
  return absl::OkStatus();
}

}  // namespace

bool CarriesSections(EventKind kind) {
  return kind == EventKind::kReferral || kind == EventKind::kUpdated ||
         kind == EventKind::kDisclosed;
}

absl::StatusOr<Prepared> PreparePayload(const Draft& draft, const Case* entry,
                                        const std::optional<Content>& content,
                                        const Peers& peers,
                                        const LogWatch::View& seen, absl::Time now) {
  Prepared prepared{Payload{.case_id = draft.case_id,
                            .event_id = draft.event_id,
                            .kind = draft.kind,
                            .salt = RandomArray<32>(),
                            .salt2 = RandomArray<32>(),
                            .document = draft.document,
                            .seen_size = seen.size.value(),
                            .seen_root = seen.root},
                    std::nullopt};
  if (IsLinkEvent(draft.kind)) return prepared;
  if (entry == nullptr) return NoSuchEvent();
  ASSIGN_OR_RETURN(prepared.event, StoredEvent(draft, *entry));
  if (CarriesSections(draft.kind)) {
    if (!content) return NoSuchEvent();
    RETURN_IF_ERROR(FillDocument(draft, *entry, *content, peers, now,
                                 *prepared.event, prepared.payload));
  } else if (draft.kind == EventKind::kGranted) {
    RETURN_IF_ERROR(FillGrant(draft, peers, prepared.payload));
  }
  return prepared;
}

}  // namespace amparo::agent

#include <algorithm>

#include "base/error.h"
#include "proto/content/case_state.h"

namespace amparo {
namespace {

absl::Status NotTheirs(absl::string_view why) {
  return MakeError(absl::StatusCode::kPermissionDenied, why,
                   {.code = "verification_failed"});
}

absl::Status Conflict(absl::string_view why) {
  return MakeError(absl::StatusCode::kAlreadyExists, why, {.code = "forked"});
}

// The rules of one event against one case.
struct Rules {
  const MemberId& self;
  const CaseState& state;
  const CaseEvent& event;

  const MemberId& peer() const {
    return event.from == self ? event.to : event.from;
  }

  absl::Status CheckGrant(const Grant& grant) const {
    if (grant.issuer != event.from || grant.case_id != state.case_id)
      return NotTheirs("a grant of another member or case");
    const auto held = state.authority.grants.find({grant.issuer, grant.id});
    if (held != state.authority.grants.end() &&
        held->second.grant.digest != grant.digest)
      return Conflict("a second grant under a known id");
    return absl::OkStatus();
  }

  absl::Status operator()(const DocumentSent& body) const {
    for (const Grant& grant : body.grants)
      if (absl::Status status = CheckGrant(grant); !status.ok()) return status;
    for (const WithoutConsent& basis : body.bases)
      if (basis.issuer != event.from || basis.recipient != event.to ||
          basis.case_id != state.case_id)
        return NotTheirs("a legal basis of another member or case");
    const PeerReferral* known = state.Find(body.referral_id, peer());
    if ((known != nullptr && known->sender != event.from) ||
        (event.from != self &&
         !state.FindAll({self, body.referral_id}).empty()))
      return NotTheirs("the referral is another member's");
    if (known == nullptr || body.kind != EventKind::kReferral)
      return absl::OkStatus();
    const bool same =
        std::find(known->documents.begin(), known->documents.end(),
                  body.document) != known->documents.end();
    if (same || (known->begun_late && known->event_id != event.id))
      return absl::OkStatus();
    return Conflict("a second document under a referral's id");
  }

  absl::Status operator()(const Granted& body) const {
    return CheckGrant(body.grant);
  }

  absl::Status operator()(const Revoked& body) const {
    const auto known = state.grants_by_digest.find(body.grant);
    if (known != state.grants_by_digest.end() &&
        state.authority.grants.at(known->second).grant.issuer != event.from)
      return NotTheirs("only its issuer revokes a grant");
    return absl::OkStatus();
  }

  absl::Status operator()(const Answered& body) const {
    const PeerReferral* known = state.Find(body.referral_id, peer());
    if (body.kind == EventKind::kCancelRequested) {
      if (known == nullptr || known->sender == event.from)
        return absl::OkStatus();
      return NotTheirs("only its sender asks to cancel a referral");
    }
    if (known == nullptr || known->recipient != event.from ||
        known->sender != event.to)
      return NotTheirs("only its recipient answers a referral");
    return absl::OkStatus();
  }

  absl::Status operator()(const Erased& body) const {
    const auto known = state.grants_by_digest.find(body.grant);
    if (known == state.grants_by_digest.end() ||
        state.authority.grants.at(known->second).grant.issuer != event.to)
      return NotTheirs("an erasure is answered to the grant's issuer");
    return absl::OkStatus();
  }

  absl::Status operator()(const Acknowledged&) const {
    return absl::OkStatus();
  }

  absl::Status operator()(const DeliveryNoted&) const {
    return event.from == self
               ? absl::OkStatus()
               : NotTheirs("delivery is noted by the sender alone");
  }
};

// Whether this event may be the first of its sender in a case that is known, or
// that is not.
bool Opens(const CaseEvent& event, bool known) {
  const auto* answer = std::get_if<Answered>(&event.body);
  return std::holds_alternative<DocumentSent>(event.body) ||
         std::holds_alternative<Granted>(event.body) ||
         std::holds_alternative<Revoked>(event.body) ||
         (!known && answer != nullptr &&
          answer->kind == EventKind::kCancelRequested);
}

}  // namespace

absl::Status MayAdd(const MemberId& self, const CaseState& state,
                    const CaseEvent& event) {
  if (event.case_id != state.case_id)
    return NotTheirs("an event of another case");
  if (event.from != self && event.to != self)
    return NotTheirs("an event between others");
  // Not by whom the case became known here: a member that knows its id could
  // otherwise keep everybody else's mail about it out by being the first.
  if (event.from != self && !state.parties.contains(event.from) &&
      !Opens(event, !state.parties.empty()))
    return NotTheirs("the sender is no party to the case");
  return std::visit(Rules{self, state, event}, event.body);
}

}  // namespace amparo

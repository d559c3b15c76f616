#include "agents/institution/core/own_versions.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace amparo::agent {

std::vector<OwnVersion> OwnVersionsOf(const Case& entry, const MemberId& self,
                                      const ReferralId& id) {
  std::vector<OwnVersion> versions;
  for (const CaseEvent& event : entry.events) {
    const auto* sent = std::get_if<DocumentSent>(&event.body);
    if (sent == nullptr || event.from != self || sent->referral_id != id ||
        sent->kind == EventKind::kDisclosed)
      continue;
    // One event to several recipients is one version.
    const bool known = std::any_of(
        versions.begin(), versions.end(),
        [&](const OwnVersion& v) { return v.event_id == event.id; });
    if (!known) versions.push_back({event.id, *sent});
  }
  return versions;
}

Transfer TransferOf(const PeerReferral& referral) {
  return {.sender = referral.sender,
          .recipient = referral.recipient,
          .case_id = referral.case_id,
          .purpose = referral.purpose,
          .first_contact = referral.first_contact};
}

absl::StatusOr<bool> IsOpen(const Desk& desk, const PeerReferral& referral) {
  if (IsEnd(referral.state) || referral.delivery >= Delivery::kRecalled)
    return false;
  ASSIGN_OR_RETURN(
      const bool taken_back,
      desk.outbox.IsCancelDue(referral.referral_id, referral.recipient));
  return !taken_back;
}

absl::Status WrongState(absl::string_view message) {
  return MakeError(absl::StatusCode::kFailedPrecondition, message,
                   {.code = "invalid_state", .field = "referral"});
}

absl::Status Refused(const SectionDecision& decision) {
  return MakeError(absl::StatusCode::kPermissionDenied, decision.text,
                   {.code = std::string(ErrorCodeFor(decision.reason)),
                    .field = std::string(NameOf(decision.section)),
                    .hint = "nothing was sent"});
}

absl::Status LogStep(const Desk& desk, const Officer& officer,
                     const char* action, const CaseId& case_id,
                     const CaseChange& change) {
  std::map<std::string, std::set<Slot>> grounds;
  for (const CaseEvent& event : change.events)
    if (const auto* sent = std::get_if<DocumentSent>(&event.body))
      for (const auto& [slot, authority] : sent->slots)
        grounds[authority].insert(slot);
  if (grounds.empty()) grounds[""];
  for (const auto& [ground, slots] : grounds) {
    AccessLog::Entry entry{.officer = officer.id,
                           .action = action,
                           .case_id = case_id,
                           .grant_or_basis = ground};
    for (const Slot slot : slots) entry.sections.push_back(NameOf(slot));
    RETURN_IF_ERROR(desk.access_log.Write(entry));
  }
  return absl::OkStatus();
}

}  // namespace amparo::agent

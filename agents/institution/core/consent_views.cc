#include "agents/institution/core/consent_views.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agents/institution/core/consent_rows.h"
#include "agents/institution/core/own_versions.h"
#include "base/json.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

// When the permit behind a slot ends.
absl::Time UntilOf(const Grant& grant, const PeerReferral& referral,
                   MemberKind kind, Slot slot) {
  absl::Time until = kNoTime;
  for (const Permit* permit : grant.permits())
    if (permit->sections.contains(slot.section) &&
        permit->recipient.Matches(referral.recipient, kind) &&
        permit->purposes.contains(referral.purpose))
      until = std::max(until, permit->until);
  return until;
}

// What members may see by this grant now.
std::vector<ConsentAccess> AccessBy(const Desk& desk, const Moment& moment,
                                    const Case& entry, const Grant& grant) {
  std::vector<ConsentAccess> access;
  for (const auto& [key, referral] : entry.state.referrals) {
    const Member* member = moment.charter().Find(referral.recipient);
    if (referral.sender != desk.cases.self() || member == nullptr ||
        referral.delivery >= Delivery::kRecalled)
      continue;
    for (const auto& [slot, shared] : referral.shared) {
      const SectionDecision decision =
          MayShow(moment.charter(), entry.state.authority, TransferOf(referral),
                  slot, moment.now);
      if (shared.erased || !shared.reached || !decision.allowed() ||
          decision.authority != grant.id.text())
        continue;
      access.push_back({referral.recipient, slot,
                        UntilOf(grant, referral, member->kind, slot),
                        shared.shared_at});
    }
  }
  return access;
}

// Exclusions of this institution's own people, as a peer's grant names them.
Json OwnExclusions(const Grant& grant) {
  Json list = Json::array();
  for (const Exclusion* exclusion : grant.exclusions()) {
    Json json;
    json["member"] = exclusion->member.text();
    if (exclusion->person) json["person"] = *exclusion->person;
    if (exclusion->officer) json["officer"] = exclusion->officer->text();
    list.push_back(std::move(json));
  }
  return list;
}

// Whether some of what is to be erased went to that member, and was not given
// back by the broker: who never had it has nothing to answer.
bool MayHave(const Case& entry, const AskedErasure& erasure) {
  for (const auto& [key, referral] : entry.state.referrals)
    if (referral.recipient == erasure.member)
      for (const Slot slot : erasure.slots)
        if (const auto found = referral.shared.find(slot);
            found != referral.shared.end() && found->second.reached)
          return true;
  return false;
}

std::string AnswerOf(const Moment& moment, const AskedErasure& erasure) {
  if (erasure.answer) return std::string(NameOf(*erasure.answer));
  const Member* member = moment.charter().Find(erasure.member);
  const bool reachable =
      member != nullptr && member->status == MemberStatus::kActive;
  return reachable ? "pending" : "unreachable";
}

}  // namespace

std::vector<RevokedRecipient> RevokedRecipientsOf(const Moment& moment,
                                                  const Case& entry,
                                                  const Grant& grant) {
  std::set<Digest> grants = {grant.digest};
  for (const auto& [key, held] : entry.state.authority.grants)
    if (held.grant.supersedes == grant.id && held.grant.issuer == grant.issuer)
      grants.insert(held.grant.digest);
  std::vector<RevokedRecipient> recipients;
  for (const AskedErasure& erasure : entry.state.erasures)
    if (grants.contains(erasure.grant) &&
        (erasure.answer || MayHave(entry, erasure)))
      recipients.push_back({erasure.member,
                            {erasure.slots.begin(), erasure.slots.end()},
                            AnswerOf(moment, erasure),
                            erasure.legal_basis,
                            erasure.answered_at.value_or(kNoTime)});
  return recipients;
}

ConsentView RowOf(const Desk&, const Moment& moment, const Case& entry,
                  const HeldGrant& held) {
  const Grant& grant = held.grant;
  ConsentView view{.grant_id = grant.id,
                   .case_id = grant.case_id,
                   .agreement = grant.agreement,
                   .status = StatusAt(held, moment.now),
                   .revoked_by = {},
                   .collected_at = grant.issued_at,
                   .until = grant.until,
                   .supersedes = grant.supersedes,
                   .digest = grant.digest,
                   .provisions_json = "[]",
                   .exclusions_json = "[]",
                   .recipients = RevokedRecipientsOf(moment, entry, grant)};
  if (const std::string* by = entry.state.Revocation(grant); by != nullptr)
    view.revoked_by = *by;
  return view;
}

absl::StatusOr<ConsentView> WholeOf(const Desk& desk, const Moment& moment,
                                    const Case& entry, const HeldGrant& held) {
  ConsentView view = RowOf(desk, moment, entry, held);
  if (held.grant.issuer != desk.cases.self()) {
    view.exclusions_json = DumpJson(OwnExclusions(held.grant));
    return view;
  }
  ASSIGN_OR_RETURN(const ConsentRecord record,
                   LoadConsent(desk.kv, held.grant.id));
  const Json form = EncodeConsentForm(record.form);
  view.provisions_json = DumpJson(form.at("provisions"));
  view.exclusions_json = DumpJson(form.at("exclusions"));
  view.access = AccessBy(desk, moment, entry, held.grant);
  return view;
}

std::vector<ConsentView> RowsOf(const Desk& desk, const Moment& moment,
                                const Case& entry) {
  std::vector<ConsentView> rows;
  for (const auto& [id, held] : entry.state.authority.grants)
    rows.push_back(RowOf(desk, moment, entry, held));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ConsentView& a, const ConsentView& b) {
                     return a.collected_at < b.collected_at;
                   });
  return rows;
}

}  // namespace amparo::agent

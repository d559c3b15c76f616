#include "agents/institution/core/consent_desk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "agents/institution/core/access.h"
#include "agents/institution/core/consent_views.h"
#include "agents/institution/core/referral_views.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

// Nothing to look at yet: a revocation came for something that never did.
bool IsEmpty(const Case& entry) {
  return entry.state.referrals.empty() && entry.state.authority.grants.empty();
}

CaseRow CaseRowOf(const Case& entry, const MemberId& self) {
  std::set<ReferralId> referrals;
  for (const auto& [key, referral] : entry.state.referrals)
    referrals.insert(key.first);
  return {.case_id = entry.state.case_id,
          .opened_at = entry.state.opened_at,
          .changed_at = entry.state.changed_at,
          .referrals = static_cast<uint32_t>(referrals.size()),
          .own = entry.state.opener == self};
}

}  // namespace

absl::StatusOr<std::vector<ConsentView>> ConsentDesk::List(
    const Officer& officer, absl::string_view case_id) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeCases));
  const Moment moment = TakeMoment(desk_);
  if (!case_id.empty()) {
    ASSIGN_OR_RETURN(const auto entry, VisibleCase(desk_, officer, case_id));
    return RowsOf(desk_, moment, *entry);
  }
  std::vector<ConsentView> all;
  for (const auto& entry : VisibleCases(desk_, officer))
    for (ConsentView& row : RowsOf(desk_, moment, *entry))
      all.push_back(std::move(row));
  std::stable_sort(all.begin(), all.end(),
                   [](const ConsentView& a, const ConsentView& b) {
                     return a.collected_at > b.collected_at;
                   });
  return all;
}

absl::StatusOr<ConsentView> ConsentDesk::Show(const Officer& officer,
                                              absl::string_view id) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kOpenContent));
  ASSIGN_OR_RETURN(const VisibleGrant found, FindGrant(desk_, officer, id));
  const HeldGrant& held = found.entry->state.authority.grants.at(found.key);
  RETURN_IF_ERROR(desk_.access_log.Write({.officer = officer.id,
                                          .action = "consent_show",
                                          .case_id = found.entry->state.case_id,
                                          .sections = {},
                                          .grant_or_basis = found.id().text()}));
  ASSIGN_OR_RETURN(ConsentView view,
                   WholeOf(desk_, TakeMoment(desk_), *found.entry, held));
  // Now a supervisor knows whom to keep away.
  if (officer.Has(Role::kSupervisor))
    RETURN_IF_ERROR(NoteNamesRead(desk_, held.grant));
  return view;
}

absl::StatusOr<std::vector<CaseRow>> ConsentDesk::ListCases(
    const Officer& officer) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeCases));
  std::vector<CaseRow> rows;
  for (const auto& entry : VisibleCases(desk_, officer))
    if (!IsEmpty(*entry)) rows.push_back(CaseRowOf(*entry, desk_.cases.self()));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const CaseRow& a, const CaseRow& b) {
                     return a.changed_at > b.changed_at;
                   });
  return rows;
}

absl::StatusOr<CaseView> ConsentDesk::ShowCase(const Officer& officer,
                                               absl::string_view id) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeCases));
  ASSIGN_OR_RETURN(const auto entry, VisibleCase(desk_, officer, id));
  const Moment moment = TakeMoment(desk_);
  const ReferralViews views(desk_, moment);
  CaseView view{.row = CaseRowOf(*entry, desk_.cases.self()),
                .referrals = {},
                .consents = RowsOf(desk_, moment, *entry),
                .events = EventsOf(*entry, std::nullopt)};
  for (const auto& [key, referral] : entry->state.referrals)
    view.referrals.push_back(views.RowOf(referral));
  return view;
}

}  // namespace amparo::agent

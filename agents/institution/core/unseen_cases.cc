#include "agents/institution/core/unseen_cases.h"

#include <algorithm>
#include <set>
#include <vector>

#include "agents/institution/core/access.h"
#include "agents/institution/core/officers.h"

namespace amparo::agent {
namespace {

bool ExcludesHere(const Desk& desk, const Case& entry) {
  const auto& exclusions = entry.state.authority.exclusions;
  return std::any_of(exclusions.begin(), exclusions.end(),
                     [&](const auto& one) {
                       return one.exclusion.member == desk.cases.self();
                     });
}

bool SomebodySees(const Desk& desk, const std::vector<Officer>& officers,
                  const Case& entry) {
  return std::any_of(officers.begin(), officers.end(),
                     [&](const Officer& officer) {
                       return !officer.removed_at &&
                              AllowedByRole(officer, Action::kSeeCases).ok() &&
                              NotExcluded(desk, officer, entry).ok();
                     });
}

}  // namespace

void RingForUnseen(const Desk& desk, Alarms& alarms, absl::Time now) {
  const std::vector<Officer> officers = desk.officers.List();
  std::set<MemberId> unseen;
  for (const auto& entry : desk.cases.All()) {
    if (!ExcludesHere(desk, *entry) || SomebodySees(desk, officers, *entry))
      continue;
    for (const auto& [place, referral] : entry->state.referrals)
      if (referral.IsIncoming(desk.cases.self()))
        unseen.insert(referral.sender);
  }
  for (const MemberId& sender : unseen) alarms.Raise("unseen", sender, now);
  for (const AlarmRecord& alarm : alarms.List())
    if (alarm.code == "unseen" && alarm.member &&
        !unseen.contains(*alarm.member))
      alarms.Settle("unseen", alarm.member);
}

}  // namespace amparo::agent

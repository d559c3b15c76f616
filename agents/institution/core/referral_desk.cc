#include "agents/institution/core/referral_desk.h"

#include <algorithm>
#include <optional>

#include "agents/institution/core/access.h"
#include "agents/institution/core/referral_views.h"
#include "base/error.h"
#include "base/status.h"

namespace amparo::agent {
namespace {

absl::Status Usage(const char* field, const char* expected) {
  return MakeError(absl::StatusCode::kInvalidArgument, "no such filter",
                   {.code = "usage", .field = field, .expected = expected});
}

absl::StatusOr<std::optional<bool>> IncomingOnly(const std::string& box) {
  if (box.empty()) return std::optional<bool>();
  if (box == "in") return std::optional<bool>(true);
  if (box == "out") return std::optional<bool>(false);
  return Usage("box", "in or out");
}

// What must be done next stands first: by its due time, then the more urgent
// priority, then the older one.
bool IsBefore(const InboxItem& a, const InboxItem& b) {
  const auto due = [](const InboxItem& item) {
    return item.due_at == kNoTime ? absl::InfiniteFuture() : item.due_at;
  };
  if (due(a) != due(b)) return due(a) < due(b);
  if (a.row.priority != b.row.priority) return a.row.priority < b.row.priority;
  return a.row.created_at < b.row.created_at;
}

}  // namespace

absl::StatusOr<std::vector<ReferralRow>> ReferralDesk::List(
    const Officer& officer, const Filter& filter) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeCases));
  ASSIGN_OR_RETURN(const std::optional<bool> incoming,
                   IncomingOnly(filter.box));
  const auto state = ParseReferralState(filter.state);
  if (!filter.state.empty() && !state)
    return Usage("state", "a state such as sent, received or accepted");
  const Moment moment = TakeMoment(desk_);
  const ReferralViews views(desk_, moment);
  std::vector<ReferralRow> rows;
  for (const auto& entry : VisibleCases(desk_, officer)) {
    for (const auto& [key, referral] : entry->state.referrals) {
      ReferralRow row = views.RowOf(referral);
      if ((incoming && row.incoming != *incoming) ||
          (state && row.state != *state) || (filter.overdue && !row.overdue))
        continue;
      rows.push_back(std::move(row));
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const ReferralRow& a, const ReferralRow& b) {
                     return a.created_at > b.created_at;
                   });
  return rows;
}

absl::StatusOr<InboxView> ReferralDesk::Inbox(const Officer& officer) const {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kSeeCases));
  const Moment moment = TakeMoment(desk_);
  const ReferralViews views(desk_, moment);
  InboxView inbox;
  for (const auto& entry : VisibleCases(desk_, officer)) {
    for (const auto& [key, referral] : entry->state.referrals) {
      if (!referral.IsIncoming(desk_.cases.self()) || IsEnd(referral.state))
        continue;
      InboxItem item{views.RowOf(referral), views.DueOf(referral),
                     views.NextOf(referral)};
      inbox.unread += item.row.unread ? 1 : 0;
      inbox.overdue += item.row.overdue ? 1 : 0;
      inbox.items.push_back(std::move(item));
    }
  }
  inbox.held = desk_.held.BySender();
  std::stable_sort(inbox.items.begin(), inbox.items.end(), IsBefore);
  return inbox;
}

}  // namespace amparo::agent

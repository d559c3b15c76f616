#include "agents/institution/core/confirm_key.h"

#include "agents/institution/core/access.h"
#include "base/status.h"

namespace amparo::agent {

absl::Status ConfirmKey(const Desk& desk, const Officer& officer,
                        const MemberId& member, absl::string_view words) {
  RETURN_IF_ERROR(AllowedByRole(officer, Action::kConfirmKeys));
  RETURN_IF_ERROR(
      desk.access_log.Write({.officer = officer.id, .action = "key_confirm"}));
  RETURN_IF_ERROR(desk.peers.ConfirmKeys(member, words));
  desk.keys_confirmed();
  desk.wake_courier();
  return absl::OkStatus();
}

}  // namespace amparo::agent

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "agents/institution/core/views.h"

namespace amparo::agent {

struct SendRequest {
  std::vector<std::string> to;
  std::string form_json;
  std::string consent;  // id or prefix; or:
  std::string basis;    // reason code, with
  std::string reason_json;
  std::string priority;  // empty: the form's
  std::string case_id;   // with basis only
  std::vector<std::string> confirm_key;
  bool dry_run = false;
  std::string request_id;
};

// What an officer can do with referrals. Decides nothing itself: policy, state
// tables and authority are proto/content's; each change is one step of the
// case book. Thread-safe.
class ReferralDesk {
 public:
  explicit ReferralDesk(const Desk& desk) : desk_(desk) {}

  // All or nothing: `allowed` false when one recipient would get no section.
  absl::StatusOr<SendOutcome> Send(const Officer& officer,
                                   const SendRequest& request);

  struct Filter {
    std::string box, state;  // empty: all
    bool overdue = false;
  };
  absl::StatusOr<std::vector<ReferralRow>> List(const Officer& officer,
                                                const Filter& filter) const;
  absl::StatusOr<InboxView> Inbox(const Officer& officer) const;

  // Writes the access log, then shows. The first look at an incoming referral
  // queues the `opened` receipt, later where no signing key is in force.
  // `status_only` shows states and events alone.
  absl::StatusOr<ReferralView> Show(
      const Officer& officer, absl::string_view id,
      const std::vector<std::string>& open_sections, bool status_only);

  // Queues the `opened` receipts that Show could not sign, once there is a key
  // again. Call now and then.
  absl::Status SendReceiptsDue();

  absl::StatusOr<ReferralChange> Accept(const Officer& officer,
                                        absl::string_view id);
  absl::StatusOr<ReferralChange> Decline(const Officer& officer,
                                         absl::string_view id,
                                         absl::string_view reason);
  absl::StatusOr<ReferralChange> Close(const Officer& officer,
                                       absl::string_view id,
                                       absl::string_view outcome);
  // Before delivery: recalls. After: asks the recipient to cancel.
  absl::StatusOr<ReferralChange> Withdraw(const Officer& officer,
                                          absl::string_view id);
  absl::StatusOr<ReferralChange> Update(const Officer& officer,
                                        absl::string_view id,
                                        absl::string_view form_json);
  absl::StatusOr<ReferralChange> Disclose(
      const Officer& officer, absl::string_view id, absl::string_view to,
      const std::vector<std::string>& sections);

 private:
  Desk desk_;
};

}  // namespace amparo::agent

#pragma once

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "agents/institution/core/case_book.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/views.h"
#include "proto/content/case_state.h"

namespace amparo::agent {

// Makes the views of referrals that carry no content, as of one moment. All
// arguments must outlive it. One thread at a time.
class ReferralViews {
 public:
  ReferralViews(const Desk& desk, const Moment& moment);

  // All that was shared is erased: nothing is left to act on.
  static bool IsEmptied(const PeerReferral& referral);
  ReferralRow RowOf(const PeerReferral& referral) const;
  RecipientState StateOf(const PeerReferral& referral) const;
  // One for each recipient; at a recipient, itself alone.
  std::vector<RecipientState> StatesOf(const Case& entry,
                                       const ReferralKey& key) const;
  // Which verbs its recipient may use now: "accept", "decline", "close".
  std::vector<std::string> NextOf(const PeerReferral& referral) const;
  // By when something must be done about it; kNoTime when nothing is due.
  absl::Time DueOf(const PeerReferral& referral) const;

 private:
  DueTimes DueTimesFor(const PeerReferral& referral) const;

  const Desk& desk_;
  const Moment& moment_;
  absl::TimeZone zone_;
};

// What happened in a case, in its order; of one referral and the consents
// behind it when `referral` names one. An event that went to several members
// stands there once.
std::vector<EventView> EventsOf(const Case& entry,
                                const std::optional<ReferralKey>& referral);

// Whether nobody here has opened it yet.
bool IsUnread(const PeerReferral& referral, const MemberId& self);

}  // namespace amparo::agent

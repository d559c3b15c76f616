#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "agents/institution/core/alarms.h"
#include "agents/institution/core/basis_rows.h"
#include "agents/institution/core/desk.h"
#include "agents/institution/core/officers.h"
#include "proto/content/section.h"

namespace amparo::agent {

inline constexpr size_t kReviewNoteBytesMax = 64 << 10;

// A disclosure without consent of this institution, and its review.
struct ReviewView {
  WithoutConsentId id;
  CaseId case_id;
  std::set<ReferralId> referrals;
  std::set<MemberId> recipients;
  std::set<Section> sections;
  std::string reason_code;
  std::string risk_level;
  // As signed: codes of a reason form, and the charter's legal bases.
  std::string purpose;
  std::vector<std::string> legal_basis;
  std::string agreement_sought;
  std::string informed_answer;
  std::optional<std::string> informed_date;
  std::optional<OfficerId> decided_by;
  absl::Time decided_at;
  absl::Time due;
  std::optional<BasisReviewed> review;
  bool late = false;  // or not reviewed, and the time is over
};

// The reviews that are due of each disclosure without consent, within 72 hours
// and by a supervisor who did not decide it. Thread-safe.
class ReviewDesk {
 public:
  explicit ReviewDesk(const Desk& desk) : desk_(desk) {}

  // What is not reviewed yet, or everything; the most pressing first. The
  // access log has no record of it: ids and codes alone.
  absl::StatusOr<std::vector<ReviewView>> List(const Officer& officer,
                                               bool all) const;
  // One of them, with the officer's reasons; `id` as in CaseBook. NOT_FOUND
  // (code "not_found") for what is not this institution's, or hidden.
  struct Whole {
    ReviewView view;
    BasisReasons reasons;
  };
  absl::StatusOr<Whole> Show(const Officer& officer,
                             absl::string_view id) const;
  // Once and for good. INVALID_ARGUMENT (code "usage") for another outcome,
  // "too_large" for the note; PERMISSION_DENIED (code "role_missing") for who
  // decided it, or is named as its second approver; ALREADY_EXISTS (code
  // "conflict") when it was reviewed, but for the same review again.
  absl::StatusOr<ReviewView> Record(const Officer& officer,
                                    absl::string_view id,
                                    const std::string& outcome,
                                    const std::string& note);

  // Alarm "review_due" while a review is due or late, since the disclosure.
  absl::Status Ring(Alarms& alarms) const;

 private:
  Desk desk_;
};

}  // namespace amparo::agent

#include "agents/auditor/access_reviews.h"

#include "absl/strings/match.h"
#include "proto/envelope/review.h"

namespace amparo::auditor {
namespace {

constexpr char kBasisPrefix[] = "w-";  // of WithoutConsentId

bool IsDisclosure(const AccessRecord& record) {
  return record.action == "referral_send" && record.outcome == "ok" &&
         absl::StartsWith(record.grant_or_basis, kBasisPrefix);
}

}  // namespace

absl::string_view NameOf(BasisReview::State state) {
  switch (state) {
    case BasisReview::State::kDue:
      return "due";
    case BasisReview::State::kMissing:
      return "missing";
    case BasisReview::State::kInTime:
      return "in_time";
    case BasisReview::State::kLate:
      return "late";
  }
  return "";
}

void AccessReviews::Learn(const AccessRecord& record) {
  if (IsDisclosure(record)) {
    bases_.try_emplace(record.grant_or_basis,
                       Basis{record.officer, record.at, std::nullopt});
    return;
  }
  if (record.action != "without_consent_review" || record.outcome != "ok" ||
      !IsReviewOutcome(record.review))
    return;
  const auto basis = bases_.find(record.grant_or_basis);
  // Who decided cannot be who reviews, nor somebody without a name.
  if (basis == bases_.end() || basis->second.review || record.officer.empty() ||
      record.officer == basis->second.officer)
    return;
  basis->second.review = record;
}

std::optional<BasisReview> AccessReviews::Of(const AccessRecord& record,
                                             absl::Time now) const {
  if (!IsDisclosure(record)) return std::nullopt;
  const auto found = bases_.find(record.grant_or_basis);
  if (found == bases_.end()) return std::nullopt;
  const Basis& basis = found->second;
  BasisReview review{.due = basis.at + kReviewWithin};
  if (!basis.review) {
    review.state = now > review.due ? BasisReview::State::kMissing
                                    : BasisReview::State::kDue;
    return review;
  }
  review.state = basis.review->at > review.due ? BasisReview::State::kLate
                                               : BasisReview::State::kInTime;
  review.outcome = basis.review->review;
  review.officer = basis.review->officer;
  review.record = basis.review->seq;
  review.at = basis.review->at;
  return review;
}

}  // namespace amparo::auditor

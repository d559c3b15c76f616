#include "agents/auditor/access_filter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace amparo::auditor {
namespace {

constexpr char kBasisPrefix[] = "w-";  // of WithoutConsentId

// The sections of such a record are what a consent lost or has, and nobody saw
// them by it.
bool IsAboutConsent(const AccessRecord& record) {
  return absl::StartsWith(record.action, "consent_");
}

}  // namespace

void AccessPick::Learn(const AccessRecord& record) {
  newest_ = std::max(newest_, record.at);
  if (filter_.outside_own_cases) own_cases_.Learn(record);
  if (filter_.without_consent || filter_.late_reviews) reviews_.Learn(record);
}

absl::Status AccessPick::CheckKnown() const {
  return filter_.outside_own_cases ? own_cases_.CheckKnown() : absl::OkStatus();
}

void AccessPick::NoteAnchor(absl::Time at) {
  anchored_ = std::max(anchored_, at);
}

bool AccessPick::Takes(const AccessRecord& record) {
  if (filter_.after_revocation) {
    endings_.Take(record);
    if (!endings_.IsAfterEnd(record)) return false;
  }
  if (filter_.outside_own_cases && !own_cases_.IsOutside(record)) return false;
  if (filter_.late_reviews) {
    const std::optional<BasisReview> review = ReviewOf(record);
    if (!review || !review->IsLate()) return false;
  }
  return Fits(record);
}

std::optional<BasisReview> AccessPick::ReviewOf(
    const AccessRecord& record) const {
  return reviews_.Of(record, judged_at());
}

bool AccessPick::Fits(const AccessRecord& record) const {
  const auto begins = [](const std::string& id, const std::string& asked) {
    return absl::StartsWith(id, asked);
  };
  if (!begins(record.case_pseudonym, filter_.case_id) ||
      !begins(record.officer, filter_.officer) ||
      !(begins(record.grant_or_basis, filter_.grant) ||
        begins(record.supersedes, filter_.grant)))
    return false;
  if (filter_.without_consent && !begins(record.grant_or_basis, kBasisPrefix))
    return false;
  if (!filter_.action.empty() && record.action != filter_.action) return false;
  // A summary is a look at its section, too.
  const auto asked = [&](const std::string& section) {
    return section == filter_.section ||
           section == absl::StrCat(filter_.section, "_summary");
  };
  // Who asks for such records by their action gets them by section, too.
  if (!filter_.section.empty() && filter_.action.empty() &&
      IsAboutConsent(record))
    return false;
  if (!filter_.section.empty() &&
      std::none_of(record.sections.begin(), record.sections.end(), asked))
    return false;
  return (!filter_.from.has_value() || record.at >= *filter_.from) &&
         (!filter_.until.has_value() || record.at < *filter_.until);
}

}  // namespace amparo::auditor

#include "agents/auditor/access_filter.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace amparo::auditor {
namespace {

constexpr char kBasisPrefix[] = "w-";  // of WithoutConsentId

bool IsLook(const AccessRecord& record) {
  return record.action == "section_open" || record.action == "referral_show";
}

}  // namespace

bool AccessPick::Takes(const AccessRecord& record) {
  if (record.action == "consent_revoke" && record.outcome == "ok" &&
      !record.grant_or_basis.empty())
    revoked_.insert(record.grant_or_basis);
  if (filter_.after_revocation &&
      !(IsLook(record) && revoked_.contains(record.grant_or_basis)))
    return false;
  return Fits(record);
}

bool AccessPick::Fits(const AccessRecord& record) const {
  const auto begins = [](const std::string& id, const std::string& asked) {
    return absl::StartsWith(id, asked);
  };
  if (!begins(record.case_pseudonym, filter_.case_id) ||
      !begins(record.officer, filter_.officer) ||
      !begins(record.grant_or_basis, filter_.grant))
    return false;
  if (filter_.without_consent && !begins(record.grant_or_basis, kBasisPrefix))
    return false;
  if (!filter_.action.empty() && record.action != filter_.action) return false;
  // A summary is a look at its section, too.
  const auto asked = [&](const std::string& section) {
    return section == filter_.section ||
           section == absl::StrCat(filter_.section, "_summary");
  };
  if (!filter_.section.empty() &&
      std::none_of(record.sections.begin(), record.sections.end(), asked))
    return false;
  return (!filter_.from.has_value() || record.at >= *filter_.from) &&
         (!filter_.until.has_value() || record.at < *filter_.until);
}

}  // namespace amparo::auditor

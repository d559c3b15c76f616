#include "agents/auditor/own_cases.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "proto/envelope/ids.h"

namespace amparo::auditor {
namespace {

constexpr std::array<absl::string_view, 10> kActs = {
    "consent_record",    "consent_extend",  "consent_revoke",
    "referral_send",     "referral_update", "referral_disclose",
    "referral_withdraw", "referral_accept", "referral_decline",
    "referral_close"};
// What takes content out of the agent is a look, too.
constexpr std::array<absl::string_view, 7> kLooks = {
    "referral_show",     "section_open", "consent_show", "without_consent_show",
    "evidence_document", "case_opening", "case_search"};

template <size_t kSize>
bool Has(const std::array<absl::string_view, kSize>& names,
         const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

absl::Status Usage(const std::string& message) {
  return MakeError(absl::StatusCode::kInvalidArgument, message,
                   {.code = "usage",
                    .field = "--own-cases",
                    .expected = "one whole case id a line: c-..."});
}

}  // namespace

absl::StatusOr<std::set<std::string>> ParseOwnCases(absl::string_view text) {
  std::set<std::string> cases;
  size_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    const auto id = CaseId::Parse(line);
    if (!id.ok())
      return Usage(absl::StrCat("line ", number, " of the list is no case id"));
    cases.insert(id->text());
  }
  if (cases.empty()) return Usage("the list of own cases names none");
  return cases;
}

void OwnCases::Learn(const AccessRecord& record) {
  if (listed_ && listed_->contains(record.case_pseudonym))
    seen_.insert(record.case_pseudonym);
  if (record.officer.empty() || !absl::StartsWith(record.officer, officer_))
    return;
  officers_.insert(record.officer);
  if (!record.case_pseudonym.empty() && record.outcome == "ok" &&
      Has(kActs, record.action))
    acted_.emplace(record.officer, record.case_pseudonym);
}

absl::Status OwnCases::CheckKnown() const {
  if (officers_.empty())
    return MakeError(
        absl::StatusCode::kNotFound, "no record is of such an officer",
        {.code = "not_found",
         .field = "--officer",
         .hint = "the institution's `amparo officer list` has the ids"});
  if (!listed_) return absl::OkStatus();
  if (officers_.size() > 1)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "several officers begin like this, and a list of cases is "
                     "one officer's",
                     {.code = "ambiguous_id",
                      .field = "--officer",
                      .expected = "more characters of the id"});
  if (seen_.empty())
    return MakeError(absl::StatusCode::kNotFound,
                     "no record is of any case of the list",
                     {.code = "not_found",
                      .field = "--own-cases",
                      .hint = "is it the list of this institution?"});
  return absl::OkStatus();
}

bool OwnCases::IsOutside(const AccessRecord& record) const {
  if (!officers_.contains(record.officer) || !Has(kLooks, record.action))
    return false;
  return listed_ ? !listed_->contains(record.case_pseudonym)
                 : !acted_.contains({record.officer, record.case_pseudonym});
}

uint64_t OwnCases::unseen() const {
  return listed_ ? listed_->size() - seen_.size() : 0;
}

}  // namespace amparo::auditor

// What a filter of an access log may name at all.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agents/auditor/access_filter.h"
#include "agents/auditor/access_names.h"
#include "base/error.h"
#include "proto/content/section.h"

namespace amparo::auditor {
namespace {

// All that agents write as `action`: docs/AUDIT_EVENTS.md.
const std::vector<std::string>& Actions() {
  static const auto* const actions = new std::vector<std::string>{
      "referral_send",     "referral_show",        "section_open",
      "referral_accept",   "referral_decline",     "referral_close",
      "referral_update",   "referral_disclose",    "referral_withdraw",
      "alarm_acknowledge", "alarm_evidence",       "evidence_document",
      "case_opening",      "consent_record",       "consent_extend",
      "consent_revoke",    "consent_withdrawn",    "consent_show",
      "case_search",       "without_consent_show", "without_consent_review",
      "key_confirm",       "officer_add",          "officer_remove",
      "keys_rotate",       "key_revoke",           "backup",
      "access_log_read"};
  return *actions;
}

absl::Status NoSuch(const char* what, const char* field,
                    const std::vector<std::string>& expected) {
  return MakeError(absl::StatusCode::kInvalidArgument,
                   absl::StrCat("no record has such ", what, "; expected ",
                                absl::StrJoin(expected, ", ")),
                   {.code = "usage", .field = field});
}

bool IsKnown(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr absl::string_view kCasePrefix = "c-";

// Whether one of both is the beginning of the other.
bool BeginsAlike(absl::string_view text, absl::string_view prefix) {
  return absl::StartsWith(text, prefix) || absl::StartsWith(prefix, text);
}

}  // namespace

bool IsSlotName(absl::string_view name) {
  return IsKnown(std::string(name), SlotNames());
}

absl::Status CheckFilter(const AccessFilter& filter) {
  if (!filter.section.empty() && !IsKnown(filter.section, SlotNames()))
    return NoSuch("a section", "--section", SlotNames());
  if (!filter.action.empty() && !IsKnown(filter.action, Actions()))
    return NoSuch("an action", "--action", Actions());
  if (!BeginsAlike(filter.case_id, kCasePrefix))
    return MakeError(absl::StatusCode::kInvalidArgument, "this is no case's id",
                     {.code = "usage",
                      .field = "--case",
                      .expected = "c-...: records name cases, not referrals",
                      .hint = "the institution reads a referral's case with "
                              "amparo referral show"});
  if (filter.outside_own_cases && filter.officer.empty())
    return MakeError(
        absl::StatusCode::kInvalidArgument,
        "--outside-own-cases is about one officer",
        {.code = "usage", .field = "--officer", .expected = "--officer o-..."});
  if (filter.own_cases && !filter.outside_own_cases)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "--own-cases goes with --outside-own-cases",
                     {.code = "usage", .field = "--own-cases"});
  return absl::OkStatus();
}

}  // namespace amparo::auditor

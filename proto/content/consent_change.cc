#include <algorithm>

#include "base/error.h"
#include "proto/content/consent_form.h"

namespace amparo {
namespace {

bool Denies(const DenyProvision& denial, Section section,
            const RecipientRule& recipient) {
  return (denial.all_sections || denial.sections.contains(section)) &&
         std::find(denial.recipients.begin(), denial.recipients.end(),
                   recipient) != denial.recipients.end();
}

// Whether `form` denies what `permit` lists by name.
bool Contradicts(const ConsentForm& form, const PermitProvision& permit) {
  for (const DenyProvision& denial : form.denials)
    for (const Section section : permit.sections)
      for (const RecipientRule& recipient : permit.recipients)
        if (Denies(denial, section, recipient)) return true;
  return false;
}

// `rules` with the members of the kind of `member` named one by one.
std::vector<RecipientRule> SpellOutKindOf(
    const std::vector<RecipientRule>& rules, const MemberId& member,
    const Charter& charter) {
  const Member* known = charter.Find(member);
  std::vector<RecipientRule> spelt;
  const auto add = [&](const RecipientRule& rule) {
    if (std::find(spelt.begin(), spelt.end(), rule) == spelt.end())
      spelt.push_back(rule);
  };
  for (const RecipientRule& rule : rules) {
    if (known == nullptr || rule.kind() == nullptr ||
        *rule.kind() != known->kind) {
      add(rule);
      continue;
    }
    for (const Member& other : charter.members)
      if (other.kind == known->kind) add(RecipientRule(other.id));
  }
  return spelt;
}

bool Concerns(const PermitProvision& permit, const Withdrawal& withdrawal,
              const Charter& charter) {
  if (withdrawal.section && !permit.all_sections &&
      !permit.sections.contains(*withdrawal.section))
    return false;
  if (withdrawal.purpose && !permit.purposes.contains(*withdrawal.purpose))
    return false;
  if (!withdrawal.member) return true;
  const Member* member = charter.Find(*withdrawal.member);
  return std::any_of(permit.recipients.begin(), permit.recipients.end(),
                     [&](const RecipientRule& rule) {
                       return (rule.member() != nullptr &&
                               *rule.member() == *withdrawal.member) ||
                              (member != nullptr && rule.kind() != nullptr &&
                               *rule.kind() == member->kind);
                     });
}

}  // namespace

absl::StatusOr<ConsentForm> Extend(const ConsentForm& current,
                                   const ConsentForm& added) {
  for (const PermitProvision& permit : added.permits)
    if (Contradicts(current, permit))
      return MakeError(absl::StatusCode::kFailedPrecondition,
                       "the consent denies what would be added",
                       {.code = "conflict",
                        .field = "/provisions",
                        .hint = "revoke it and record a new consent"});
  ConsentForm whole = added;
  whole.case_id = current.case_id;
  // Words without a permit take nothing back of what was agreed to before.
  if (added.permits.empty()) whole.agreement = current.agreement;
  whole.expressed_by = current.expressed_by;
  whole.expressed_by.insert(whole.expressed_by.end(),
                            added.expressed_by.begin(),
                            added.expressed_by.end());
  if (!whole.child_view) whole.child_view = current.child_view;
  if (added.statistics == "not_asked") whole.statistics = current.statistics;
  if (added.retention.empty()) whole.retention = current.retention;
  whole.permits.insert(whole.permits.begin(), current.permits.begin(),
                       current.permits.end());
  whole.denials.insert(whole.denials.begin(), current.denials.begin(),
                       current.denials.end());
  for (const Exclusion& exclusion : current.exclusions)
    if (std::find(whole.exclusions.begin(), whole.exclusions.end(),
                  exclusion) == whole.exclusions.end())
      whole.exclusions.push_back(exclusion);
  return whole;
}

ConsentForm Without(const ConsentForm& current, const Withdrawal& withdrawal,
                    const Charter& charter) {
  ConsentForm form = current;
  for (PermitProvision& permit : form.permits) {
    if (!Concerns(permit, withdrawal, charter)) continue;
    if (withdrawal.member)
      permit.recipients =
          SpellOutKindOf(permit.recipients, *withdrawal.member, charter);
    permit.withdrawn.push_back(withdrawal);
  }
  return form;
}

}  // namespace amparo

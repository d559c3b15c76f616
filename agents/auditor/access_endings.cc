#include "agents/auditor/access_endings.h"

#include <algorithm>
#include <vector>

#include "absl/strings/strip.h"
#include "agents/auditor/access_names.h"

namespace amparo::auditor {
namespace {

// Whether whole or as a summary: who may not have the one has no right to the
// other by the same consent.
std::string SectionOf(const std::string& slot) {
  return std::string(absl::StripSuffix(slot, "_summary"));
}

}  // namespace

bool IsLook(const AccessRecord& record) {
  return record.action == "section_open" || record.action == "referral_show";
}

void AccessEndings::Take(const AccessRecord& record) {
  const bool taken_in = record.action == "consent_withdrawn";
  const bool revoked = record.action == "consent_revoke";
  if (!taken_in && !revoked && record.action != "consent_extend") return;
  if (record.outcome != "ok" || record.grant_or_basis.empty()) return;
  const std::string& issuer = taken_in ? record.from : record.affiliation;
  const Grant grant(record.grant_or_basis, issuer);
  if (record.supersedes.empty()) {
    if (taken_in || revoked) End(grant);
    return;
  }
  const Grant old(record.supersedes, issuer);
  supersedes_.try_emplace(grant, old);
  const auto ending = endings_.find(grant);
  if (ending != endings_.end() && ending->second.whole) End(old);
  TakeBack(old, record.sections);
}

// With all that it took the place of. Where one ended before, so did those
// before it.
void AccessEndings::End(Grant grant) {
  while (true) {
    Ending& ending = endings_[grant];
    if (ending.whole) return;
    ending.whole = true;
    const auto older = supersedes_.find(grant);
    if (older == supersedes_.end()) return;
    grant = older->second;
  }
}

void AccessEndings::TakeBack(Grant grant,
                             const std::vector<std::string>& sections) {
  while (true) {
    Ending& ending = endings_[grant];
    bool more = false;
    // There are few slots: what an export makes up does not make this long.
    for (const std::string& section : sections)
      if (IsSlotName(section))
        more |= ending.sections.insert(SectionOf(section)).second;
    const auto older = supersedes_.find(grant);
    if (!more || older == supersedes_.end()) return;
    grant = older->second;
  }
}

bool AccessEndings::IsAfterEnd(const AccessRecord& look) const {
  if (!IsLook(look) || look.grant_or_basis.empty() ||
      (!look.from.empty() && look.from == look.affiliation))
    return false;
  for (auto at = endings_.lower_bound({look.grant_or_basis, ""});
       at != endings_.end() && at->first.first == look.grant_or_basis; ++at) {
    // Records of earlier versions do not say whose sections they are about.
    if (!look.from.empty() && !at->first.second.empty() &&
        at->first.second != look.from)
      continue;
    const Ending& ending = at->second;
    if (ending.whole ||
        std::any_of(look.sections.begin(), look.sections.end(),
                    [&](const std::string& section) {
                      return ending.sections.contains(SectionOf(section));
                    }))
      return true;
  }
  return false;
}

}  // namespace amparo::auditor

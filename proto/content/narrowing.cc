#include "proto/content/narrowing.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/content/form.h"
#include "proto/content/matrix.h"
#include "proto/content/strict_reader.h"

namespace amparo {
namespace {

using Content = std::variant<Permit, Denial, Exclusion>;

// One member, or (no member) every member of a kind that has no rule of its
// own: whom one permit of a grant is for.
struct Target {
  MemberKind kind;
  std::optional<MemberId> member;

  bool IsMeantBy(const RecipientRule& rule) const {
    if (rule.kind() != nullptr) return *rule.kind() == kind;
    return member && *rule.member() == *member;
  }
  RecipientRule rule() const {
    return member ? RecipientRule(*member) : RecipientRule(kind);
  }
};

absl::Status UnknownMember() {
  return MakeError(absl::StatusCode::kNotFound,
                   "the form names a member that is not in the charter",
                   {.code = "unknown_member"});
}

absl::StatusOr<MemberKind> KindOf(const Charter& charter, const MemberId& id) {
  const Member* member = charter.Find(id);
  if (member == nullptr || !HasMailbox(member->kind)) return UnknownMember();
  return member->kind;
}

bool IsShutOut(const ConsentForm& form, const Target& target) {
  return std::any_of(form.exclusions.begin(), form.exclusions.end(),
                     [&](const Exclusion& exclusion) {
                       return exclusion.ShutsOutMember() && target.member &&
                              exclusion.member == *target.member;
                     });
}

bool IsDenied(const ConsentForm& form, const Target& target, Section section) {
  for (const DenyProvision& denial : form.denials) {
    if (!denial.all_sections && !denial.sections.contains(section)) continue;
    for (const RecipientRule& rule : denial.recipients)
      if (target.IsMeantBy(rule)) return true;
  }
  return false;
}

bool IsWithdrawn(const PermitProvision& permit, const Target& target,
                 Section section, const std::string& purpose) {
  return std::any_of(
      permit.withdrawn.begin(), permit.withdrawn.end(),
      [&](const Withdrawal& w) {
        return (!w.section || *w.section == section) &&
               (!w.purpose || *w.purpose == purpose) &&
               (!w.member || (target.member && *w.member == *target.member));
      });
}

// What "*" means to a kind: neither what the matrix leaves to grants that name
// it, nor what is lethal in the wrong hands.
std::set<Section> SectionsOf(const PermitProvision& permit, MemberKind kind,
                             const Charter& charter) {
  if (!permit.all_sections) return permit.sections;
  std::set<Section> sections;
  for (const Section section : AllSections())
    if (SensitivityOf(section) < 4 &&
        LetterFor(charter, kind, section) != Letter::kGrantNames)
      sections.insert(section);
  return sections;
}

// Appends the permits that `target` has from `permit`: one for each group of
// purposes with the same sections.
void NarrowFor(const Target& target, const PermitProvision& permit,
               const ConsentForm& form, const Charter& charter, absl::Time now,
               std::vector<Content>& out) {
  if (IsShutOut(form, target)) return;
  std::map<std::set<Section>, std::set<std::string>> groups;
  for (const std::string& purpose : permit.purposes) {
    std::set<Section> left;
    for (const Section section : SectionsOf(permit, target.kind, charter))
      if (!IsDenied(form, target, section) &&
          !IsWithdrawn(permit, target, section, purpose))
        left.insert(section);
    if (!left.empty()) groups[left].insert(purpose);
  }
  for (const auto& [sections, purposes] : groups)
    out.push_back(Permit{target.rule(), sections, !permit.all_sections,
                         purposes, permit.direction, permit.redisclosure,
                         permit.legal_basis, permit.from.value_or(now),
                         permit.until.value_or(DefaultUntil(now))});
}

// Members that denials or exclusions name: permits for their kind are not
// theirs.
absl::StatusOr<std::map<MemberId, MemberKind>> NamedMembers(
    const ConsentForm& form, const Charter& charter) {
  std::map<MemberId, MemberKind> named;
  for (const DenyProvision& denial : form.denials)
    for (const RecipientRule& rule : denial.recipients)
      if (const MemberId* member = rule.member()) {
        ASSIGN_OR_RETURN(const MemberKind kind, KindOf(charter, *member));
        named.emplace(*member, kind);
      }
  for (const Exclusion& exclusion : form.exclusions) {
    ASSIGN_OR_RETURN(const MemberKind kind, KindOf(charter, exclusion.member));
    if (exclusion.ShutsOutMember()) named.emplace(exclusion.member, kind);
  }
  return named;
}

absl::Status CheckAllowed(const ConsentForm& form, const Charter& charter) {
  const auto holds = [](const std::vector<std::string>& list,
                        const std::string& item) {
    return std::find(list.begin(), list.end(), item) != list.end();
  };
  for (const PermitProvision& permit : form.permits) {
    for (const std::string& purpose : permit.purposes)
      if (!holds(charter.purposes, purpose))
        return FaultAt(kInvalidForm, "/provisions",
                       "purposes that the charter allows");
    for (const std::string& basis : permit.legal_basis)
      RETURN_IF_ERROR(CheckLegalBasis(basis, charter, "/provisions"));
  }
  return absl::OkStatus();
}

// "A9-2-h", "PT-x": whatever else somebody wrote there stays unsaid.
bool ReadsAsCode(const std::string& text) {
  constexpr size_t kSizeMax = 16;
  const size_t dash = text.find('-');
  return text.size() <= kSizeMax && dash >= 2 && dash <= 3 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '-';
         });
}

std::set<Section> SectionsOf(const DenyProvision& denial) {
  if (!denial.all_sections) return denial.sections;
  return {AllSections().begin(), AllSections().end()};
}

}  // namespace

absl::Status CheckLegalBasis(const std::string& basis, const Charter& charter,
                             absl::string_view field) {
  if (std::find(charter.bases.begin(), charter.bases.end(), basis) !=
      charter.bases.end())
    return absl::OkStatus();
  return FaultAt(
      kInvalidForm, field,
      absl::StrCat("legal bases that the charter allows (",
                   absl::StrJoin(charter.bases, " "), ")",
                   ReadsAsCode(basis) ? absl::StrCat(", not ", basis) : ""));
}

absl::Time DefaultUntil(absl::Time now) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilSecond at = absl::ToCivilSecond(now, utc);
  const absl::CivilMonth month = absl::CivilMonth(at) + 6;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return absl::FromCivil(absl::CivilSecond(month.year(), month.month(),
                                           std::min(at.day(), last.day()),
                                           at.hour(), at.minute(), at.second()),
                         utc);
}

absl::StatusOr<std::vector<Content>> Narrow(const ConsentForm& form,
                                            const Charter& charter,
                                            absl::Time now) {
  RETURN_IF_ERROR(CheckAllowed(form, charter));
  ASSIGN_OR_RETURN(const auto named, NamedMembers(form, charter));
  std::vector<Content> out;
  for (const PermitProvision& permit : form.permits) {
    for (const RecipientRule& rule : permit.recipients) {
      if (const MemberId* member = rule.member()) {
        ASSIGN_OR_RETURN(const MemberKind kind, KindOf(charter, *member));
        NarrowFor({kind, *member}, permit, form, charter, now, out);
        continue;
      }
      NarrowFor({*rule.kind(), std::nullopt}, permit, form, charter, now, out);
      for (const auto& [member, kind] : named)
        if (kind == *rule.kind())
          NarrowFor({kind, member}, permit, form, charter, now, out);
    }
  }
  for (const DenyProvision& denial : form.denials)
    out.push_back(Denial{SectionsOf(denial), denial.recipients});
  for (const Exclusion& exclusion : form.exclusions) out.push_back(exclusion);
  return out;
}

}  // namespace amparo

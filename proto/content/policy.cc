#include "proto/content/policy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"

namespace amparo {
namespace {

bool Holds(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// One question: may `section` go this way now?
struct Question {
  const Charter& charter;
  const Authority& authority;
  const Transfer& transfer;
  const Member& recipient;
  Section section;
  absl::Time now;

  Letter letter() const { return LetterFor(charter, recipient.kind, section); }
};

struct Answer {
  View view = View::kNone;
  Reason reason = Reason::kNoPermit;
  std::string authority;
};

bool IsShutOut(const Authority& authority, const Transfer& transfer) {
  return std::any_of(authority.exclusions.begin(), authority.exclusions.end(),
                     [&](const HeldExclusion& held) {
                       return held.issuer == transfer.sender &&
                              held.exclusion.ShutsOutMember() &&
                              held.exclusion.member == transfer.recipient;
                     });
}

bool Speaks(const Question& q, const Grant& grant) {
  return grant.issuer == q.transfer.sender &&
         grant.case_id == q.transfer.case_id;
}

// The grant that denies the section to the recipient. Denials do not expire.
const Grant* FindDenial(const Question& q) {
  for (const auto& [key, held] : q.authority.grants) {
    if (held.status != GrantStatus::kActive || !Speaks(q, held.grant)) continue;
    for (const Denial* denial : held.grant.denials()) {
      if (!denial->sections.contains(q.section)) continue;
      for (const RecipientRule& rule : denial->recipients)
        if (rule.Matches(q.recipient.id, q.recipient.kind)) return &held.grant;
    }
  }
  return nullptr;
}

// What the letter leaves of a permission; nothing is kMatrix or
// kNotFirstContact.
Answer Limit(const Question& q, bool by_basis) {
  switch (q.letter()) {
    case Letter::kFull:
    case Letter::kGrantNames:
      return {View::kFull, Reason::kGranted, ""};
    case Letter::kSummary:
      if (by_basis) return {View::kFull, Reason::kGranted, ""};
      if (!HasSummary(q.section)) break;
      return {View::kSummary, Reason::kGranted, ""};
    case Letter::kFirstContact:
      if (q.transfer.first_contact) return {View::kFull, Reason::kGranted, ""};
      return {View::kNone, Reason::kNotFirstContact, ""};
    case Letter::kNone:
    case Letter::kNever:
      break;
  }
  return {View::kNone, Reason::kMatrix, ""};
}

// Why a permit of a grant does not hold, or kGranted; kNoPermit when it is
// about something else. Later names in the list are nearer to a yes.
constexpr Reason kNearest[] = {
    Reason::kNoPermit, Reason::kNotNamed, Reason::kPurpose, Reason::kRevoked,
    Reason::kNotYet,   Reason::kExpired,  Reason::kGranted};
size_t RankOf(Reason reason) {
  return static_cast<size_t>(
      std::find(std::begin(kNearest), std::end(kNearest), reason) -
      std::begin(kNearest));
}

Reason Examine(const Question& q, const HeldGrant& held, const Permit& permit) {
  const std::string& purpose = q.transfer.purpose;
  if (!permit.sections.contains(q.section) ||
      !permit.recipient.Matches(q.recipient.id, q.recipient.kind) ||
      permit.direction == Direction::kReturn)
    return Reason::kNoPermit;
  if (q.letter() == Letter::kGrantNames && !permit.by_name)
    return Reason::kNotNamed;
  if (!permit.purposes.contains(purpose) || !Holds(q.charter.purposes, purpose))
    return Reason::kPurpose;
  if (held.status != GrantStatus::kActive) return Reason::kRevoked;
  // What holds from the grant's own first second holds for whoever has the
  // grant: a clock that is a little behind its issuer's refuses nothing.
  if (q.now < permit.from && permit.from > held.grant.issued_at)
    return Reason::kNotYet;
  if (q.now >= permit.until) return Reason::kExpired;
  return Reason::kGranted;
}

Answer AskConsent(const Question& q) {
  if (const Grant* grant = FindDenial(q))
    return {View::kNone, Reason::kDenied, grant->id.text()};
  const Answer limit = Limit(q, /*by_basis=*/false);
  if (limit.view == View::kNone) return limit;
  Answer best;
  for (const auto& [key, held] : q.authority.grants) {
    const Grant& grant = held.grant;
    if (!Speaks(q, grant) || (grant.agreement != Agreement::kGiven &&
                              grant.agreement != Agreement::kPartial))
      continue;
    for (const Permit* permit : grant.permits()) {
      const Reason reason = Examine(q, held, *permit);
      if (RankOf(reason) > RankOf(best.reason))
        best = {View::kNone, reason, grant.id.text()};
    }
  }
  if (best.reason == Reason::kGranted) best.view = limit.view;
  return best;
}

bool Covers(const Question& q, const WithoutConsent& basis) {
  return basis.issuer == q.transfer.sender &&
         basis.recipient == q.recipient.id &&
         basis.case_id == q.transfer.case_id &&
         basis.sections.contains(q.section) &&
         basis.purpose == q.transfer.purpose &&
         Holds(q.charter.purposes, basis.purpose) && q.now < basis.expires &&
         Holds(q.charter.reason_codes, basis.reason_code) &&
         std::all_of(basis.legal_basis.begin(), basis.legal_basis.end(),
                     [&](const std::string& legal) {
                       return Holds(q.charter.bases, legal);
                     });
}

Answer AskBasis(const Question& q) {
  Answer answer;
  // Whoever works with the aggressor learns nothing that nobody agreed to.
  if (q.recipient.kind == MemberKind::kPerpetratorProgramme) return answer;
  for (const WithoutConsent& basis : q.authority.bases) {
    if (!Covers(q, basis)) continue;
    answer = Limit(q, /*by_basis=*/true);
    if (answer.view != View::kNone) answer.reason = Reason::kBasis;
    answer.authority = basis.id.text();
    return answer;
  }
  return answer;
}

Answer Ask(const Question& q) {
  if (IsShutOut(q.authority, q.transfer))
    return {View::kNone, Reason::kExcluded, ""};
  Answer consent = AskConsent(q);
  if (consent.view == View::kFull) return consent;
  Answer basis = AskBasis(q);
  return basis.view == View::kNone ? consent : basis;
}

std::string TextFor(const Question& q, const Answer& answer) {
  const absl::string_view section = NameOf(q.section);
  const absl::string_view kind = NameOf(q.recipient.kind);
  const std::string& member = q.recipient.id.text();
  switch (answer.reason) {
    case Reason::kGranted:
      if (answer.view == View::kSummary)
        return absl::StrCat("the consent covers ", section, ", of which ", kind,
                            " gets the summary");
      return absl::StrCat("the consent lets ", section, " go to ", member);
    case Reason::kBasis:
      return absl::StrCat("a legal basis covers ", section, " without consent");
    case Reason::kMatrix:
      return absl::StrCat("the charter gives no ", section, " to ", kind);
    case Reason::kDenied:
      return absl::StrCat("the consent keeps ", section, " from ", kind);
    case Reason::kExcluded:
      return absl::StrCat(member, " is excluded from this case");
    case Reason::kNotFirstContact:
      return absl::StrCat(section,
                          " is for the member that makes first contact");
    case Reason::kNotNamed:
      return absl::StrCat("the consent does not name ", section, " for ", kind);
    case Reason::kNoPermit:
      return absl::StrCat("no consent lets ", section, " go to ", member);
    case Reason::kPurpose:
      return absl::StrCat("the consent does not cover ", section, " for ",
                          q.transfer.purpose);
    case Reason::kNotYet:
      return absl::StrCat("the consent for ", section, " has not begun");
    case Reason::kExpired:
      return absl::StrCat("the consent for ", section, " has expired");
    case Reason::kRevoked:
      return absl::StrCat("the consent for ", section, " was revoked");
    case Reason::kSuspended:
      break;
  }
  return absl::StrCat(member, " is not an active member");
}

SectionDecision DecideOne(const Question& q) {
  Answer answer = Ask(q);
  std::string text = TextFor(q, answer);
  return {q.section, answer.view, answer.reason, std::move(answer.authority),
          std::move(text)};
}

SectionDecision NotAMember(Section section, const MemberId& recipient) {
  return {section, View::kNone, Reason::kSuspended, "",
          absl::StrCat(recipient.text(), " is not an active member")};
}

}  // namespace

std::vector<SectionDecision> Decide(const Charter& charter,
                                    const Authority& authority,
                                    const Transfer& transfer,
                                    const std::set<Section>& sections,
                                    absl::Time now) {
  const Member* recipient = charter.Find(transfer.recipient);
  const bool reachable = recipient != nullptr &&
                         recipient->status == MemberStatus::kActive &&
                         HasMailbox(recipient->kind);
  std::vector<SectionDecision> decisions;
  for (const Section section : sections)
    decisions.push_back(reachable ? DecideOne({charter, authority, transfer,
                                               *recipient, section, now})
                                  : NotAMember(section, transfer.recipient));
  return decisions;
}

SectionDecision MayShow(const Charter& charter, const Authority& authority,
                        const Transfer& transfer, Slot slot, absl::Time now) {
  const Member* recipient = charter.Find(transfer.recipient);
  if (recipient == nullptr) return NotAMember(slot.section, transfer.recipient);
  const Question q{charter, authority, transfer, *recipient, slot.section, now};
  SectionDecision decision = DecideOne(q);
  if (decision.view == View::kFull && slot.summary)
    decision.view = View::kSummary;
  if (decision.view == View::kSummary && !slot.summary) {
    const Answer refusal{View::kNone, Reason::kMatrix, decision.authority};
    decision.view = refusal.view;
    decision.reason = refusal.reason;
    decision.text = TextFor(q, refusal);
  }
  return decision;
}

absl::Status RequireCovered(const Charter& charter, const Authority& authority,
                            const Transfer& transfer,
                            const std::set<Slot>& slots, absl::Time now) {
  for (const Slot slot : slots) {
    const SectionDecision decision =
        MayShow(charter, authority, transfer, slot, now);
    if (decision.allowed()) continue;
    return MakeError(absl::StatusCode::kPermissionDenied,
                     absl::StrCat("not covered: ", NameOf(slot), ", ",
                                  NameOf(decision.reason)),
                     {.code = std::string(ErrorCodeFor(decision.reason)),
                      .field = NameOf(slot)});
  }
  return absl::OkStatus();
}

}  // namespace amparo

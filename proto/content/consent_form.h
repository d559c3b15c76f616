#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "proto/content/codes.h"
#include "proto/content/exclusion.h"
#include "proto/content/recipient.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/charter.h"

namespace amparo {

inline constexpr char kConsentFormSchema[] = "consent_form/1";

// Cells of a permit that were revoked later: all given parts must match.
struct Withdrawal {
  std::optional<Section> section;
  std::optional<MemberId> member;
  std::optional<std::string> purpose;
  bool operator==(const Withdrawal&) const = default;
};

struct PermitProvision {
  bool all_sections = false;   // "*": what the matrix marks G for the kind, and
  std::set<Section> sections;  // sensitivity 4, are not meant
  std::vector<RecipientRule> recipients;
  std::set<std::string> purposes;
  Direction direction = Direction::kSend;
  Redisclosure redisclosure = Redisclosure::kForbidden;
  std::vector<std::string> legal_basis;
  std::optional<absl::Time> from;     // none: when the grant is issued
  std::optional<absl::Time> until;    // none: 6 months after it is issued
  std::vector<Withdrawal> withdrawn;  // never in a form from outside
};

struct DenyProvision {
  bool all_sections = false;  // "*": every section without exception
  std::set<Section> sections;
  std::vector<RecipientRule> recipients;
  std::string reason;  // stays with the issuer
};

struct Expression {  // who agreed, and how
  std::string party, capacity, method;
  absl::Time at;
};

struct ChildView {
  int age = 0;
  std::string position;  // no_objection objection not_heard
};

// What the person agreed to: consent_form/1.
struct ConsentForm {
  std::optional<CaseId> case_id;
  std::string jurisdiction;
  Agreement agreement = Agreement::kNotSought;
  std::vector<Expression> expressed_by;
  std::optional<ChildView> child_view;  // stays with the issuer
  std::string language;
  bool interpreter = false;
  std::string notice;
  std::vector<PermitProvision> permits;
  std::vector<DenyProvision> denials;
  std::vector<Exclusion> exclusions;
  std::string statistics;  // given refused not_asked
  std::string retention;   // ISO 8601 duration
};

// INVALID_ARGUMENT: "invalid_form" with pointer and expectation, "too_large".
// Permits need an agreement that is given or partial.
absl::StatusOr<ConsentForm> ParseConsentForm(absl::string_view text);

// For the agent's own store and `consent show`: the form's keys, and
// `withdrawn` where a permit has it. Decode takes what Encode made.
Json EncodeConsentForm(const ConsentForm& form);
absl::StatusOr<ConsentForm> DecodeConsentForm(const Json& json);

// `current` with what `added` says as well, for a superseding grant.
// FAILED_PRECONDITION (code "conflict") when `added` lists a section by name
// that `current` denies to the same recipient: only a new consent lifts a
// denial.
absl::StatusOr<ConsentForm> Extend(const ConsentForm& current,
                                   const ConsentForm& added);

// `current` without what `withdrawal` names, for a superseding grant. Where a
// permit for a kind loses one member, the charter's other members of that kind
// are named in its place: who joins later is not among them.
ConsentForm Without(const ConsentForm& current, const Withdrawal& withdrawal,
                    const Charter& charter);

}  // namespace amparo

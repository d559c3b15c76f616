#include "proto/content/codes.h"

#include <algorithm>

#include "proto/content/names.h"

namespace amparo {
namespace {

constexpr Names<Priority, 4> kPriorities = {{
    {Priority::kImmediate, "immediate"},
    {Priority::kEmergency, "emergency"},
    {Priority::kUrgent, "urgent"},
    {Priority::kRoutine, "routine"},
}};

constexpr Names<Agreement, 5> kAgreements = {{
    {Agreement::kGiven, "given"},
    {Agreement::kPartial, "partial"},
    {Agreement::kRefused, "refused"},
    {Agreement::kNotSought, "not_sought"},
    {Agreement::kUnable, "unable"},
}};

constexpr Names<Direction, 3> kDirections = {{
    {Direction::kSend, "send"},
    {Direction::kReturn, "return"},
    {Direction::kBoth, "both"},
}};

constexpr Names<Redisclosure, 2> kRedisclosures = {{
    {Redisclosure::kForbidden, "forbidden"},
    {Redisclosure::kAllowed, "allowed"},
}};

constexpr Names<ErasureAnswer, 2> kErasureAnswers = {{
    {ErasureAnswer::kDeleted, "deleted"},
    {ErasureAnswer::kKept, "kept"},
}};

constexpr Names<Delivery, 7> kDeliveries = {{
    {Delivery::kQueued, "queued"},
    {Delivery::kSubmitted, "submitted"},
    {Delivery::kDelivered, "delivered"},
    {Delivery::kOpened, "opened"},
    {Delivery::kAcknowledged, "acknowledged"},
    {Delivery::kRecalled, "recalled"},
    {Delivery::kFailed, "failed"},
}};

using Text = absl::string_view;

constexpr Text kPurposes[] = {
    "support",          "safety",    "risk_assessment",
    "health_care",      "legal_aid", "criminal_proceedings",
    "child_protection", "housing",   "case_conference",
    "statistics",       "audit"};
constexpr Text kDeclineReasons[] = {
    "no_capacity",          "waiting_list",
    "outside_area",         "criteria_not_met",
    "wrong_service",        "insufficient_information",
    "client_declined",      "client_unreachable",
    "already_served",       "location_unsafe",
    "conflict_of_interest", "duplicate",
    "no_legal_competence",  "other"};
constexpr Text kOutcomes[] = {
    "goals_met",         "service_delivered", "partly_delivered",
    "client_disengaged", "consent_withdrawn", "moved_away",
    "referred_on",       "unreachable",       "deceased",
    "transferred",       "duplicate",         "other"};
constexpr Text kNotCompletedOutcomes[] = {
    "client_disengaged", "consent_withdrawn", "unreachable",
    "moved_away",        "deceased",          "duplicate"};
constexpr Text kBasisReasons[] = {
    "imminent_danger_life", "child_in_danger",           "incapacity",
    "legal_duty_report",    "court_or_prosecutor_order", "high_risk_conference",
    "missing_person",       "threat_to_staff_or_others"};
constexpr Text kExclusionReasons[] = {"fear_of_harm", "wants_to_tell_herself",
                                      "relative_works_there", "other"};
constexpr Text kRiskLevels[] = {"low", "medium", "high", "extreme"};
constexpr Text kViolenceTypes[] = {"physical", "psychological",   "sexual",
                                   "economic", "stalking",        "digital",
                                   "fgm",      "forced_marriage", "trafficking",
                                   "neglect",  "vicarious"};
constexpr Text kServices[] = {
    "shelter",      "health",     "psychosocial",     "police",
    "legal",        "livelihood", "child_protection", "education",
    "material_aid", "food",       "registration",     "other"};
constexpr Text kAssertions[] = {"fact", "assessment", "hearsay"};
constexpr Text kAbsentReasons[] = {"unknown", "refused", "not_asked",
                                   "not_applicable"};
constexpr Text kAgeBands[] = {"0-2",   "3-5",   "6-11",  "12-15",
                              "16-17", "18-24", "25-34", "35-44",
                              "45-54", "55-64", "65+"};
constexpr Text kRevokedBy[] = {"subject", "guardian", "member", "court"};

}  // namespace

absl::string_view NameOf(Priority priority) {
  return NameIn(kPriorities, priority);
}
std::optional<Priority> ParsePriority(absl::string_view name) {
  return ValueIn(kPriorities, name);
}

absl::string_view NameOf(Agreement agreement) {
  return NameIn(kAgreements, agreement);
}
std::optional<Agreement> ParseAgreement(absl::string_view name) {
  return ValueIn(kAgreements, name);
}

absl::string_view NameOf(Direction direction) {
  return NameIn(kDirections, direction);
}
std::optional<Direction> ParseDirection(absl::string_view name) {
  return ValueIn(kDirections, name);
}

absl::string_view NameOf(Redisclosure redisclosure) {
  return NameIn(kRedisclosures, redisclosure);
}
std::optional<Redisclosure> ParseRedisclosure(absl::string_view name) {
  return ValueIn(kRedisclosures, name);
}

absl::string_view NameOf(ErasureAnswer answer) {
  return NameIn(kErasureAnswers, answer);
}
std::optional<ErasureAnswer> ParseErasureAnswer(absl::string_view name) {
  return ValueIn(kErasureAnswers, name);
}

absl::string_view NameOf(Delivery delivery) {
  return NameIn(kDeliveries, delivery);
}
std::optional<Delivery> ParseDelivery(absl::string_view name) {
  return ValueIn(kDeliveries, name);
}

bool IsOneOf(CodeList codes, absl::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

CodeList Purposes() { return kPurposes; }
CodeList DeclineReasons() { return kDeclineReasons; }
CodeList Outcomes() { return kOutcomes; }
CodeList BasisReasons() { return kBasisReasons; }
CodeList ExclusionReasons() { return kExclusionReasons; }
CodeList RiskLevels() { return kRiskLevels; }
CodeList ViolenceTypes() { return kViolenceTypes; }
CodeList Services() { return kServices; }
CodeList Assertions() { return kAssertions; }
CodeList AbsentReasons() { return kAbsentReasons; }
CodeList AgeBands() { return kAgeBands; }
CodeList RevokedBy() { return kRevokedBy; }

bool MeansNotCompleted(absl::string_view outcome) {
  return IsOneOf(kNotCompletedOutcomes, outcome);
}

}  // namespace amparo

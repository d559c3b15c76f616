#include "proto/content/section_fields.h"

namespace amparo {
namespace {

using enum FieldType;

constexpr absl::string_view kDays[] = {"mon", "tue", "wed", "thu",
                                       "fri", "sat", "sun"};
CodeList Days() { return kDays; }

constexpr FieldRule kAttachment[] = {{"name", kText},
                                     {"media_type", kText},
                                     {"size_bytes", kSize},
                                     {"sha256", kHash}};
constexpr FieldRule kAttachments = {"attachments", kRecords, nullptr,
                                    kAttachment};

constexpr FieldRule kIdentity[] = {{"case_ref", kText},
                                   {"local_refs", kTexts},
                                   {"given_name", kText},
                                   {"family_name", kText},
                                   {"other_names", kTexts},
                                   {"birth_date", kDate},
                                   {"birth_year", kYear},
                                   {"age_band", kCode, AgeBands},
                                   {"sex", kText},
                                   {"national_id", kText},
                                   {"municipality", kText},
                                   {"language", kText},
                                   {"interpreter_needed", kYesNo},
                                   {"person_category", kText},
                                   kAttachments};

constexpr FieldRule kWindow[] = {
    {"days", kCodes, Days}, {"from", kClock}, {"to", kClock}};
constexpr FieldRule kSafeContact[] = {{"phone", kText},
                                      {"phone_owner", kText},
                                      {"safe_to_call", kYesNo},
                                      {"safe_to_text", kYesNo},
                                      {"safe_to_leave_message", kYesNo},
                                      {"windows", kRecords, nullptr, kWindow},
                                      {"code_word", kText},
                                      {"email", kText},
                                      {"via_trusted_person", kText},
                                      {"safe_to_talk_to", kText},
                                      {"not_safe_to_talk_to", kText},
                                      {"current_address", kText},
                                      {"address_secret", kYesNo},
                                      {"postal_alias", kText},
                                      {"device_compromised", kYesNo},
                                      {"verified_at", kTime},
                                      {"verified_by", kText},
                                      kAttachments};

constexpr FieldRule kOverride[] = {{"level", kCode, RiskLevels},
                                   {"reason", kText}};
constexpr FieldRule kRisk[] = {{"instrument", kText},
                               {"version", kText},
                               {"typology", kText},
                               {"items", kAnswers},
                               {"native_level", kText},
                               {"native_score", kNumber},
                               {"level", kCode, RiskLevels},
                               {"override", kRecord, nullptr, kOverride},
                               {"victim_own_view", kText},
                               {"weapons", kYesNo},
                               {"strangulation", kYesNo},
                               {"death_threats", kYesNo},
                               {"escalation", kYesNo},
                               {"separation", kYesNo},
                               {"pregnancy", kYesNo},
                               {"assessed_at", kTime},
                               {"assessed_by", kText},
                               {"reassess_due", kDate},
                               {"safety_plan", kText},
                               {"assertion", kCode, Assertions},
                               kAttachments};
constexpr FieldRule kRiskSummary[] = {{"level", kCode, RiskLevels},
                                      {"instrument", kText},
                                      {"assessed_at", kTime},
                                      {"reassess_due", kDate}};

constexpr FieldRule kIncident[] = {{"date", kDate},
                                   {"date_accuracy", kText},
                                   {"time_of_day", kText},
                                   {"place_type", kText},
                                   {"municipality", kText},
                                   {"violence_types", kCodes, ViolenceTypes},
                                   {"context", kText},
                                   {"injury", kYesNo},
                                   {"weapon", kText},
                                   {"children_present", kYesNo},
                                   {"first_reported_to", kText},
                                   {"previous_count", kCount},
                                   {"evidence_refs", kTexts},
                                   {"assertion", kCode, Assertions},
                                   kAttachments};
constexpr FieldRule kIncidentSummary[] = {
    {"month", kMonth},
    {"violence_types", kCodes, ViolenceTypes},
    {"injury", kYesNo},
    {"children_present", kYesNo}};

constexpr FieldRule kPerpetrator[] = {{"name", kText},
                                      {"aliases", kTexts},
                                      {"birth_year", kYear},
                                      {"sex", kText},
                                      {"relationship", kText},
                                      {"cohabits", kYesNo},
                                      {"area", kText},
                                      {"weapons", kYesNo},
                                      {"substances", kText},
                                      {"orders_known", kText},
                                      {"in_custody", kYesNo},
                                      {"works_for", kText},
                                      {"photo_ref", kText},
                                      {"assertion", kCode, Assertions},
                                      kAttachments};
constexpr FieldRule kPerpetratorSummary[] = {{"relationship", kText},
                                             {"cohabits", kYesNo},
                                             {"weapons", kYesNo},
                                             {"in_custody", kYesNo}};

constexpr FieldRule kHealth[] = {{"injuries", kText},
                                 {"exam_at", kTime},
                                 {"forensic_kit", kYesNo},
                                 {"prophylaxis_window", kText},
                                 {"pregnancy", kYesNo},
                                 {"mental_health", kText},
                                 {"substance_use", kText},
                                 {"disability_care", kText},
                                 {"certificate_ref", kText},
                                 {"incapacity_days", kCount},
                                 kAttachments};

constexpr FieldRule kOrder[] = {{"type", kText},
                                {"authority", kText},
                                {"from", kDate},
                                {"to", kDate},
                                {"terms", kText}};
constexpr FieldRule kOrderSummary[] = {{"type", kText}, {"to", kDate}};
constexpr FieldRule kLegal[] = {{"complaint_filed", kYesNo},
                                {"complaint_ref", kText},
                                {"victim_status", kYesNo},
                                {"orders", kRecords, nullptr, kOrder},
                                {"hearings", kTexts},
                                {"lawyer", kText},
                                {"wants_legal_action", kYesNo},
                                {"custody_case", kText},
                                kAttachments};
constexpr FieldRule kLegalSummary[] = {
    {"complaint_filed", kYesNo},
    {"orders", kRecords, nullptr, kOrderSummary},
    {"wants_legal_action", kYesNo}};

constexpr FieldRule kChild[] = {{"pseudonym", kText},
                                {"birth_year", kYear},
                                {"sex", kText},
                                {"lives_with", kText},
                                {"school", kText},
                                {"exposure", kText},
                                {"parental_responsibility", kText},
                                {"measure", kText},
                                {"child_view", kText},
                                {"excluded_guardian", kYesNo}};
constexpr FieldRule kChildrenSummary[] = {
    {"count", kCount}, {"age_bands", kCodes, AgeBands}, {"exposure", kTexts}};

constexpr FieldRule kHousing[] = {{"tenure", kText},
                                  {"household", kCount},
                                  {"can_stay_safely", kYesNo},
                                  {"shelter_needed", kYesNo},
                                  {"places", kCount},
                                  {"accessibility", kText},
                                  {"pets", kYesNo},
                                  {"transport", kText},
                                  {"areas_to_avoid", kTexts},
                                  kAttachments};
constexpr FieldRule kHousingSummary[] = {{"can_stay_safely", kYesNo},
                                         {"shelter_needed", kYesNo},
                                         {"places", kCount}};

constexpr FieldRule kNeeds[] = {{"services_requested", kCodes, Services},
                                {"kit", kText},
                                {"childcare", kYesNo},
                                {"income", kText},
                                {"communication_support", kText},
                                {"preferred_provider", kText},
                                {"already_receiving", kTexts},
                                kAttachments};
constexpr FieldRule kNeedsSummary[] = {
    {"services_requested", kCodes, Services}};

constexpr FieldRule kIdentitySummary[] = {{"age_band", kCode, AgeBands},
                                          {"sex", kText},
                                          {"municipality", kText},
                                          {"language", kText},
                                          {"interpreter_needed", kYesNo}};

constexpr FieldRule kSpecial[] = {
    {"nationality", kText},     {"migration_status", kText},
    {"ethnicity", kText},       {"religion", kText},
    {"disability", kText},      {"sexual_orientation", kText},
    {"gender_identity", kText}, kAttachments};

constexpr FieldRule kNarrative[] = {
    {"reason", kText}, {"history", kText}, {"opinion", kText}, kAttachments};

SlotRule SummaryRule(Section section) {
  switch (section) {
    case Section::kIdentity:
      return {kIdentitySummary};
    case Section::kRisk:
      return {kRiskSummary};
    case Section::kIncident:
      return {kIncidentSummary};
    case Section::kPerpetrator:
      return {kPerpetratorSummary};
    case Section::kLegal:
      return {kLegalSummary};
    case Section::kChildren:
      return {kChildrenSummary};
    case Section::kHousing:
      return {kHousingSummary};
    case Section::kNeeds:
      return {kNeedsSummary};
    default:
      return {};
  }
}

}  // namespace

SlotRule RuleOf(Slot slot) {
  if (slot.summary) return SummaryRule(slot.section);
  switch (slot.section) {
    case Section::kIdentity:
      return {kIdentity};
    case Section::kSafeContact:
      return {kSafeContact};
    case Section::kRisk:
      return {kRisk};
    case Section::kIncident:
      return {kIncident};
    case Section::kPerpetrator:
      return {kPerpetrator};
    case Section::kHealth:
      return {kHealth};
    case Section::kLegal:
      return {kLegal};
    case Section::kChildren:
      return {kChild, /*is_list=*/true};
    case Section::kHousing:
      return {kHousing};
    case Section::kNeeds:
      return {kNeeds};
    case Section::kSpecial:
      return {kSpecial};
    case Section::kNarrative:
      return {kNarrative};
  }
  return {};
}

}  // namespace amparo

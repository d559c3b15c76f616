#pragma once

#include "amparo/agent/v1/agent.pb.h"

// Answers of an agent, with fictional persons only.

namespace amparo::officer::samples {

namespace v1 = ::amparo::agent::v1;

inline constexpr char kReferral[] = "r-abcdefghijklmnopqrstuvwxyz";
inline constexpr char kCase[] = "c-abcdefghijklmnopqrstuvwxyz";
inline constexpr char kGrant[] = "g-abcdefghijklmnopqrstuvwxyz";
inline constexpr char kEvent[] = "e-abcdefghijklmnopqrstuvwxyz";
inline constexpr char kEnvelope[] = "n-abcdefghijklmnopqrstuvwxyz";
inline constexpr uint64_t kMorning_s = 1795165200;  // 2026-11-20T09:00:00Z
inline constexpr uint64_t kDay_s = 24 * 60 * 60;

inline v1::RecipientState Recipient(const char* state, const char* delivery) {
  v1::RecipientState to;
  to.set_member("uls");
  to.set_state(state);
  to.set_delivery(delivery);
  to.add_sections("identity");
  to.set_acknowledge_by_s(kMorning_s + kDay_s);
  to.set_decide_by_s(kMorning_s + 3 * kDay_s);
  return to;
}

inline v1::SendResponse Sent() {
  v1::SendResponse sent;
  sent.set_allowed(true);
  sent.set_referral_id(kReferral);
  sent.set_case_id(kCase);
  sent.set_priority("urgent");
  sent.set_consent_id(kGrant);
  sent.set_created_at_s(kMorning_s);
  *sent.add_recipients() = Recipient("sent", "queued");
  sent.mutable_recipients(0)->add_sections("risk_summary");
  return sent;
}

inline v1::SendResponse Finding(bool allowed) {
  v1::SendResponse finding;
  finding.set_allowed(allowed);
  v1::RecipientDecision& decision = *finding.add_decisions();
  decision.set_member("gnr");
  decision.set_allowed(allowed);
  decision.set_reachable(true);
  v1::SectionDecision& section = *decision.add_sections();
  section.set_section("safe_contact");
  section.set_view("none");
  section.set_reason("denied");
  section.set_grant_id(kGrant);
  section.set_text("the consent keeps safe_contact from police");
  return finding;
}

inline v1::ReferralRow Row() {
  v1::ReferralRow row;
  row.set_referral_id(kReferral);
  row.set_case_id(kCase);
  row.set_box("out");
  row.set_peer("uls");
  row.set_priority("urgent");
  row.set_state("received");
  row.set_delivery("opened");
  row.set_created_at_s(kMorning_s);
  row.set_changed_at_s(kMorning_s + 60);
  row.set_acknowledge_by_s(kMorning_s + kDay_s);
  row.set_decide_by_s(kMorning_s + 3 * kDay_s);
  return row;
}

inline v1::EventView Event() {
  v1::EventView event;
  event.set_event_id(kEvent);
  event.set_kind("accepted");
  event.set_by("uls");
  event.set_at_s(kMorning_s + 120);
  event.set_in_log(true);
  event.set_log_index(21);
  return event;
}

inline v1::ReferralView Referral() {
  v1::ReferralView referral;
  referral.set_referral_id(kReferral);
  referral.set_case_id(kCase);
  referral.set_box("in");
  referral.set_from("ong");
  referral.set_priority("urgent");
  referral.set_created_at_s(kMorning_s);
  *referral.add_recipients() = Recipient("accepted", "opened");
  referral.mutable_recipients(0)->set_in_log(true);
  referral.mutable_recipients(0)->set_log_index(17);
  referral.mutable_recipients(0)->set_witnessed(true);
  v1::SectionView& identity = *referral.add_sections();
  identity.set_section("identity");
  identity.set_view("full");
  identity.set_status("open");
  identity.set_fields_json(R"({"given_name":"Marta","sex":"female"})");
  identity.set_version(1);
  identity.set_shared_at_s(kMorning_s);
  identity.set_grant_id(kGrant);
  identity.set_fits_first_digest(true);
  v1::SectionView& contact = *referral.add_sections();
  contact.set_section("safe_contact");
  contact.set_view("full");
  contact.set_status("masked");
  contact.set_version(1);
  contact.set_shared_at_s(kMorning_s);
  *referral.add_events() = Event();
  return referral;
}

inline v1::InboxItem Item() {
  v1::InboxItem item;
  item.set_kind("referral");
  item.set_referral_id(kReferral);
  item.set_case_id(kCase);
  item.set_from("ong");
  item.set_priority("urgent");
  item.set_state("received");
  item.set_arrived_at_s(kMorning_s);
  item.set_due_at_s(kMorning_s + kDay_s);
  item.set_unread(true);
  item.add_next("accept");
  item.add_next("decline");
  return item;
}

inline v1::ConsentView Consent() {
  v1::ConsentView consent;
  consent.set_grant_id(kGrant);
  consent.set_case_id(kCase);
  consent.set_agreement("given");
  consent.set_status("active");
  consent.set_collected_at_s(kMorning_s);
  consent.set_until_s(kMorning_s + 90 * kDay_s);
  consent.set_provisions_json(
      R"([{"effect":"permit","sections":["identity","risk"],)"
      R"("recipients":[{"member":"uls"},{"kind":"police"}],)"
      R"("purposes":["health_care"],"until":null},)"
      R"({"effect":"deny","sections":["safe_contact"],)"
      R"("recipients":[{"kind":"police"}],"reason":"fear_of_harm"}])");
  consent.set_exclusions_json(R"([{"member":"cpcj","reason":"fear_of_harm"}])");
  v1::ConsentAccess& access = *consent.add_access();
  access.set_member("uls");
  access.set_section("risk");
  access.set_view("summary");
  access.set_until_s(kMorning_s + 90 * kDay_s);
  access.set_shared_at_s(kMorning_s);
  return consent;
}

inline v1::RevokedRecipient Asked() {
  v1::RevokedRecipient asked;
  asked.set_member("uls");
  asked.add_sections("narrative");
  asked.set_answer("pending");
  return asked;
}

}  // namespace amparo::officer::samples

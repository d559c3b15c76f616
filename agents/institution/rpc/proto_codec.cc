#include "agents/institution/rpc/proto_codec.h"

#include "base/clock.h"

namespace amparo::agent {
namespace {

std::string Text(absl::string_view text) { return std::string(text); }

template <typename Id>
std::string Text(const std::optional<Id>& id) {
  return id ? id->text() : "";
}

void FillSlots(google::protobuf::RepeatedPtrField<std::string>& out,
               const std::vector<Slot>& slots) {
  for (const Slot slot : slots) *out.Add() = NameOf(slot);
}

std::string StatusName(SectionView::Status status) {
  switch (status) {
    case SectionView::Status::kOpen:
      return "open";
    case SectionView::Status::kMasked:
      return "masked";
    case SectionView::Status::kErased:
      break;
  }
  return "erased";
}

std::string ViewName(Slot slot) {
  return Text(NameOf(slot.summary ? View::kSummary : View::kFull));
}

}  // namespace

uint64_t ToSeconds(absl::Time time) {
  if (time <= absl::UnixEpoch() || time == absl::InfiniteFuture()) return 0;
  return static_cast<uint64_t>(UnixSeconds(time));
}

std::vector<std::string> TextsOf(
    const google::protobuf::RepeatedPtrField<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

v1::SectionDecision ToProto(const SectionDecision& decision) {
  v1::SectionDecision out;
  out.set_section(Text(NameOf(decision.section)));
  out.set_view(Text(NameOf(decision.view)));
  out.set_reason(Text(NameOf(decision.reason)));
  out.set_grant_id(decision.authority);
  out.set_text(decision.text);
  return out;
}

v1::InboxItem ToProto(const InboxItem& item) {
  v1::InboxItem out;
  out.set_kind("referral");
  out.set_referral_id(item.row.referral_id.text());
  out.set_case_id(item.row.case_id.text());
  out.set_from(item.row.peer.text());
  out.set_priority(Text(NameOf(item.row.priority)));
  out.set_state(Text(NameOf(item.row.state)));
  out.set_arrived_at_s(ToSeconds(item.row.created_at));
  out.set_due_at_s(ToSeconds(item.due_at));
  out.set_overdue(item.row.overdue);
  out.set_unread(item.row.unread);
  out.set_emptied(item.row.emptied);
  for (const std::string& verb : item.next) out.add_next(verb);
  return out;
}

v1::ConsentAccess ToProto(const ConsentAccess& access) {
  v1::ConsentAccess out;
  out.set_member(access.member.text());
  out.set_section(Text(NameOf(access.slot.section)));
  out.set_view(ViewName(access.slot));
  out.set_until_s(ToSeconds(access.until));
  out.set_shared_at_s(ToSeconds(access.shared_at));
  return out;
}

v1::RecipientState ToProto(const RecipientState& state) {
  v1::RecipientState out;
  out.set_member(state.member.text());
  out.set_state(Text(NameOf(state.state)));
  out.set_delivery(Text(NameOf(state.delivery)));
  out.set_envelope_id(Text(state.envelope_id));
  FillSlots(*out.mutable_sections(), state.slots);
  out.set_in_log(state.leaf.has_value());
  if (state.leaf) out.set_log_index(state.leaf->value());
  out.set_witnessed(state.witnessed);
  out.set_reason_code(state.reason_code);
  out.set_outcome(state.outcome);
  out.set_acknowledge_by_s(ToSeconds(state.acknowledge_by));
  out.set_decide_by_s(ToSeconds(state.decide_by));
  out.set_overdue(state.overdue);
  out.set_failure(state.failure);
  return out;
}

v1::RecipientDecision ToProto(const RecipientDecision& decision) {
  v1::RecipientDecision out;
  out.set_member(decision.member.text());
  out.set_allowed(decision.allowed);
  out.set_reachable(decision.reachable);
  Fill(*out.mutable_sections(), decision.sections);
  return out;
}

v1::ReferralRow ToProto(const ReferralRow& row) {
  v1::ReferralRow out;
  out.set_referral_id(row.referral_id.text());
  out.set_case_id(row.case_id.text());
  out.set_box(row.incoming ? "in" : "out");
  out.set_peer(row.peer.text());
  out.set_priority(Text(NameOf(row.priority)));
  out.set_state(Text(NameOf(row.state)));
  out.set_delivery(Text(NameOf(row.delivery)));
  out.set_created_at_s(ToSeconds(row.created_at));
  out.set_changed_at_s(ToSeconds(row.changed_at));
  out.set_acknowledge_by_s(ToSeconds(row.acknowledge_by));
  out.set_decide_by_s(ToSeconds(row.decide_by));
  out.set_overdue(row.overdue);
  out.set_unread(row.unread);
  out.set_emptied(row.emptied);
  return out;
}

v1::SectionView ToProto(const SectionView& section) {
  v1::SectionView out;
  out.set_section(NameOf(section.slot));
  out.set_view(ViewName(section.slot));
  out.set_status(StatusName(section.status));
  out.set_fields_json(section.fields_json);
  out.set_version(section.version);
  out.set_shared_at_s(ToSeconds(section.shared_at));
  out.set_grant_id(section.authority);
  out.set_fits_first_digest(section.fits_first_digest);
  return out;
}

v1::EventView ToProto(const EventView& event) {
  v1::EventView out;
  out.set_event_id(event.event_id.text());
  out.set_kind(event.kind);
  out.set_by(event.by.text());
  out.set_at_s(ToSeconds(event.at));
  out.set_in_log(event.leaf.has_value());
  if (event.leaf) out.set_log_index(event.leaf->value());
  return out;
}

v1::WithoutConsentView ToProto(const WithoutConsent& basis) {
  v1::WithoutConsentView out;
  out.set_basis_id(basis.id.text());
  out.set_member(basis.recipient.text());
  for (const Section section : basis.sections)
    out.add_sections(Text(NameOf(section)));
  out.set_reason_code(basis.reason_code);
  out.set_risk_level(basis.risk_level);
  for (const std::string& code : basis.legal_basis) out.add_legal_basis(code);
  out.set_agreement_sought(basis.agreement_sought);
  out.set_person_informed(basis.informed_answer);
  out.set_person_informed_date(basis.informed_date.value_or(""));
  return out;
}

v1::ReferralView ToProto(const ReferralView& view) {
  v1::ReferralView out;
  out.set_referral_id(view.referral_id.text());
  out.set_case_id(view.case_id.text());
  out.set_box(view.incoming ? "in" : "out");
  out.set_from(view.from.text());
  out.set_priority(Text(NameOf(view.priority)));
  out.set_created_at_s(ToSeconds(view.created_at));
  Fill(*out.mutable_recipients(), view.recipients);
  Fill(*out.mutable_sections(), view.sections);
  for (const WithoutConsent& basis : view.without_consent)
    *out.add_without_consent() = ToProto(basis);
  Fill(*out.mutable_events(), view.events);
  out.set_erasures_expected(view.erasures_expected);
  out.set_erasures_received(view.erasures_received);
  return out;
}

v1::ReferralChange ToProto(const ReferralChange& change) {
  v1::ReferralChange out;
  out.set_referral_id(change.referral_id.text());
  out.set_event_id(change.event_id.text());
  Fill(*out.mutable_recipients(), change.recipients);
  FillSlots(*out.mutable_sections(), change.slots);
  out.set_fits_first_digest(change.fits_first_digest);
  return out;
}

v1::SendResponse ToProto(const SendOutcome& outcome) {
  v1::SendResponse out;
  out.set_allowed(outcome.allowed);
  out.set_referral_id(Text(outcome.referral_id));
  out.set_case_id(Text(outcome.case_id));
  out.set_priority(Text(NameOf(outcome.priority)));
  out.set_consent_id(Text(outcome.consent_id));
  out.set_without_consent_id(Text(outcome.without_consent_id));
  out.set_created_at_s(ToSeconds(outcome.created_at));
  Fill(*out.mutable_recipients(), outcome.recipients);
  Fill(*out.mutable_decisions(), outcome.decisions);
  return out;
}

v1::HeldFrom ToProto(const HeldFrom& held) {
  v1::HeldFrom out;
  out.set_member(held.member.text());
  out.set_messages(held.messages);
  out.set_since_s(ToSeconds(held.since));
  if (held.priority) out.set_priority(Text(NameOf(*held.priority)));
  return out;
}

v1::InboxResponse ToProto(const InboxView& inbox) {
  v1::InboxResponse out;
  Fill(*out.mutable_items(), inbox.items);
  out.set_unread(inbox.unread);
  out.set_overdue(inbox.overdue);
  Fill(*out.mutable_held(), inbox.held);
  return out;
}

v1::RevokedRecipient ToProto(const RevokedRecipient& recipient) {
  v1::RevokedRecipient out;
  out.set_member(recipient.member.text());
  FillSlots(*out.mutable_sections(), recipient.slots);
  out.set_answer(recipient.answer);
  out.set_legal_basis(recipient.legal_basis);
  out.set_receipt_at_s(ToSeconds(recipient.receipt_at));
  return out;
}

v1::RevokeConsentResponse ToProto(const RevokeOutcome& outcome) {
  v1::RevokeConsentResponse out;
  if (outcome.superseded_by)
    out.set_superseded_by(outcome.superseded_by->text());
  out.set_grant_id(outcome.grant_id.text());
  out.set_status(Text(NameOf(outcome.status)));
  out.set_revoked_by(outcome.revoked_by);
  out.set_revoked_at_s(ToSeconds(outcome.revoked_at));
  for (const EnvelopeId& id : outcome.recalled) out.add_recalled(id.text());
  Fill(*out.mutable_recipients(), outcome.recipients);
  return out;
}

v1::RecordConsentResponse ToRecordProto(const ConsentView& consent) {
  v1::RecordConsentResponse out;
  out.set_grant_id(consent.grant_id.text());
  out.set_case_id(consent.case_id.text());
  out.set_supersedes(Text(consent.supersedes));
  out.set_status(Text(NameOf(consent.status)));
  out.set_digest(consent.digest.ToString());
  out.set_until_s(ToSeconds(consent.until));
  return out;
}

v1::ConsentView ToProto(const ConsentView& consent) {
  v1::ConsentView out;
  out.set_grant_id(consent.grant_id.text());
  out.set_case_id(consent.case_id.text());
  out.set_agreement(Text(NameOf(consent.agreement)));
  out.set_status(Text(NameOf(consent.status)));
  out.set_revoked_by(consent.revoked_by);
  out.set_collected_at_s(ToSeconds(consent.collected_at));
  out.set_supersedes(Text(consent.supersedes));
  out.set_provisions_json(consent.provisions_json);
  out.set_exclusions_json(consent.exclusions_json);
  Fill(*out.mutable_recipients(), consent.recipients);
  Fill(*out.mutable_access(), consent.access);
  out.set_until_s(ToSeconds(consent.until));
  return out;
}

v1::CaseRow ToProto(const CaseRow& row) {
  v1::CaseRow out;
  out.set_case_id(row.case_id.text());
  out.set_opened_at_s(ToSeconds(row.opened_at));
  out.set_changed_at_s(ToSeconds(row.changed_at));
  out.set_referrals(row.referrals);
  out.set_own(row.own);
  return out;
}

v1::CaseView ToProto(const CaseView& view) {
  v1::CaseView out;
  *out.mutable_row() = ToProto(view.row);
  Fill(*out.mutable_referrals(), view.referrals);
  Fill(*out.mutable_consents(), view.consents);
  Fill(*out.mutable_events(), view.events);
  return out;
}

v1::OfficerView ToProto(const Officer& officer) {
  v1::OfficerView out;
  out.set_officer_id(officer.id.text());
  out.set_handle(officer.handle.text());
  for (const Role role : officer.roles) out.add_roles(Text(NameOf(role)));
  for (const uint32_t uid : officer.uids) out.add_uids(uid);
  if (officer.certificate) {
    out.set_certificate_hash(officer.certificate->hash.ToString());
    out.set_certificate_until_s(ToSeconds(officer.certificate->until));
  }
  if (officer.removed_at) out.set_removed_at_s(ToSeconds(*officer.removed_at));
  return out;
}

}  // namespace amparo::agent

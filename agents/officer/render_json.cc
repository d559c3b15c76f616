#include "agents/officer/render_json.h"

#include <string>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/status.h"

namespace amparo::officer {
namespace {

Json Text(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}
Json Time(uint64_t unix_s) {
  if (unix_s == 0) return nullptr;
  return FormatUtc(TimeFromUnix(static_cast<int64_t>(unix_s)));
}
Json LogIndex(bool in_log, uint64_t index) {
  return in_log ? Json(index) : Json(nullptr);
}
template <typename Texts>
Json TextList(const Texts& texts) {
  Json list = Json::array();
  for (const auto& text : texts) list.push_back(text);
  return list;
}
template <typename Messages, typename Make>
Json List(const Messages& messages, Make make) {
  Json list = Json::array();
  for (const auto& message : messages) list.push_back(make(message));
  return list;
}
absl::StatusOr<Json> Embedded(const std::string& json, Json absent) {
  if (json.empty()) return absent;
  auto value = ParseJson(json);
  if (!value.ok())
    return absl::InternalError("the agent gave fields that are no JSON");
  return value;
}

// `body` after "schema".
Json Result(const char* schema, const Json& body) {
  Json result = {{"schema", schema}};
  result.update(body);
  return result;
}

Json Review(const v1::ReviewView& review) {
  return {{"basis_id", review.basis_id()},
          {"case_id", review.case_id()},
          {"referrals", TextList(review.referral_ids())},
          {"recipients", TextList(review.recipients())},
          {"sections", TextList(review.sections())},
          {"reason_code", review.reason_code()},
          {"risk_level", review.risk_level()},
          {"decided_by", review.decided_by()},
          {"decided_at", Time(review.decided_at_s())},
          {"due_at", Time(review.due_at_s())},
          {"late", review.late()},
          {"outcome", Text(review.outcome())},
          {"reviewed_by", Text(review.reviewed_by())},
          {"reviewed_at", Time(review.reviewed_at_s())}};
}

Json SentRecipient(const v1::RecipientState& to) {
  return {{"member", to.member()},
          {"state", to.state()},
          {"delivery", to.delivery()},
          {"envelope_id", Text(to.envelope_id())},
          {"sections", TextList(to.sections())},
          {"log_index", LogIndex(to.in_log(), to.log_index())}};
}

Json Recipient(const v1::RecipientState& to) {
  return {{"member", to.member()},
          {"state", to.state()},
          {"delivery", to.delivery()},
          {"reason_code", Text(to.reason_code())},
          {"outcome", Text(to.outcome())},
          {"acknowledge_by", Time(to.acknowledge_by_s())},
          {"decide_by", Time(to.decide_by_s())},
          {"overdue", to.overdue()},
          {"shared", TextList(to.sections())},
          {"log_index", LogIndex(to.in_log(), to.log_index())},
          {"witnessed", to.witnessed()},
          {"failure", Text(to.failure())}};
}

Json Decision(const v1::RecipientDecision& decision) {
  return {{"member", decision.member()},
          {"allowed", decision.allowed()},
          {"reachable", decision.reachable()},
          {"sections",
           List(decision.sections(), [](const v1::SectionDecision& section) {
             return Json{{"section", section.section()},
                         {"view", section.view()},
                         {"reason", section.reason()},
                         {"grant_id", Text(section.grant_id())},
                         {"text", section.text()}};
           })}};
}

Json Row(const v1::ReferralRow& row) {
  return {{"referral_id", row.referral_id()},
          {"case_id", row.case_id()},
          {"box", row.box()},
          {"peer", row.peer()},
          {"priority", row.priority()},
          {"state", row.state()},
          {"delivery", row.delivery()},
          {"created_at", Time(row.created_at_s())},
          {"changed_at", Time(row.changed_at_s())},
          {"acknowledge_by", Time(row.acknowledge_by_s())},
          {"decide_by", Time(row.decide_by_s())},
          {"overdue", row.overdue()},
          {"unread", row.unread()},
          {"emptied", row.emptied()}};
}

Json Basis(const v1::WithoutConsentView& basis) {
  return {{"basis_id", basis.basis_id()},
          {"member", basis.member()},
          {"sections", TextList(basis.sections())},
          {"reason_code", basis.reason_code()},
          {"risk_level", basis.risk_level()},
          {"legal_basis", TextList(basis.legal_basis())},
          {"agreement_sought", basis.agreement_sought()},
          {"person_informed", basis.person_informed()},
          {"person_informed_date", Text(basis.person_informed_date())}};
}

Json Event(const v1::EventView& event) {
  return {{"event_id", event.event_id()},
          {"kind", event.kind()},
          {"by", event.by()},
          {"at", Time(event.at_s())},
          {"log_index", LogIndex(event.in_log(), event.log_index())}};
}

absl::StatusOr<Json> SectionJson(const v1::SectionView& section) {
  ASSIGN_OR_RETURN(Json fields, Embedded(section.fields_json(), nullptr));
  return Json{{"section", section.section()},
              {"view", section.view()},
              {"status", section.status()},
              {"fields", std::move(fields)},
              {"version", section.version()},
              {"shared_at", Time(section.shared_at_s())},
              {"grant_id", Text(section.grant_id())},
              {"fits_first_digest", section.fits_first_digest()}};
}

Json Revoked(const v1::RevokedRecipient& recipient) {
  return {{"member", recipient.member()},
          {"sections", TextList(recipient.sections())},
          {"answer", recipient.answer()},
          {"legal_basis", Text(recipient.legal_basis())},
          {"receipt_at", Time(recipient.receipt_at_s())}};
}

Json ConsentRow(const v1::ConsentView& consent) {
  return {{"grant_id", consent.grant_id()},
          {"case_id", consent.case_id()},
          {"agreement", consent.agreement()},
          {"status", consent.status()},
          {"revoked_by", Text(consent.revoked_by())},
          {"collected_at", Time(consent.collected_at_s())},
          {"supersedes", Text(consent.supersedes())},
          {"until", Time(consent.until_s())}};
}

Json Case(const v1::CaseRow& row) {
  return {{"case_id", row.case_id()},
          {"opened_at", Time(row.opened_at_s())},
          {"changed_at", Time(row.changed_at_s())},
          {"own", row.own()},
          {"referral_count", row.referrals()}};
}

Json Member(const v1::MemberView& member) {
  return {{"member", member.member()},
          {"name", member.name()},
          {"kind", member.kind()},
          {"parent", Text(member.parent())},
          {"territory", TextList(member.territory())},
          {"contact", Text(member.contact())},
          {"status", member.status()},
          {"since", Time(member.since_s())},
          {"reachable", member.reachable()},
          {"key_words", Text(member.key_words())},
          {"key_confirmed", member.key_confirmed()}};
}

Json Officer(const v1::OfficerView& officer) {
  return {{"officer_id", officer.officer_id()},
          {"handle", officer.handle()},
          {"roles", TextList(officer.roles())},
          {"uids", TextList(officer.uids())},
          {"certificate_hash", Text(officer.certificate_hash())},
          {"certificate_until", Time(officer.certificate_until_s())},
          {"removed_at", Time(officer.removed_at_s())}};
}

}  // namespace

bool IsFinding(const v1::SendResponse& sent) {
  return !sent.allowed() || sent.referral_id().empty();
}

absl::StatusOr<Json> ToJson(const v1::SendResponse& sent) {
  if (IsFinding(sent))
    return Json{{"schema", "referral_dry_run/1"},
                {"allowed", sent.allowed()},
                {"recipients", List(sent.decisions(), Decision)}};
  return Json{{"schema", "referral_send/1"},
              {"referral_id", sent.referral_id()},
              {"case_id", sent.case_id()},
              {"priority", sent.priority()},
              {"consent_id", Text(sent.consent_id())},
              {"without_consent_id", Text(sent.without_consent_id())},
              {"created_at", Time(sent.created_at_s())},
              {"recipients", List(sent.recipients(), SentRecipient)}};
}

absl::StatusOr<Json> ToJson(const v1::ListReferralsResponse& list) {
  return Json{{"schema", "referral_list/1"},
              {"referrals", List(list.referrals(), Row)}};
}

absl::StatusOr<Json> ToJson(const v1::ReferralView& referral) {
  Json sections = Json::array();
  for (const v1::SectionView& section : referral.sections()) {
    ASSIGN_OR_RETURN(Json json, SectionJson(section));
    sections.push_back(std::move(json));
  }
  return Json{{"schema", "referral_show/1"},
              {"referral_id", referral.referral_id()},
              {"case_id", referral.case_id()},
              {"box", referral.box()},
              {"from", referral.from()},
              {"priority", referral.priority()},
              {"created_at", Time(referral.created_at_s())},
              {"recipients", List(referral.recipients(), Recipient)},
              {"sections", std::move(sections)},
              {"without_consent", List(referral.without_consent(), Basis)},
              {"events", List(referral.events(), Event)}};
}

absl::StatusOr<Json> ToJson(const v1::ReferralChange& change) {
  Json json = {{"schema", "referral_change/1"},
               {"referral_id", change.referral_id()},
               {"event_id", change.event_id()},
               {"recipients", List(change.recipients(), Recipient)}};
  if (!change.sections().empty()) {
    json["sections"] = TextList(change.sections());
    json["fits_first_digest"] = change.fits_first_digest();
  }
  return json;
}

absl::StatusOr<Json> ToJson(const v1::InboxResponse& inbox) {
  Json items = List(inbox.items(), [](const v1::InboxItem& item) {
    return Json{{"kind", item.kind()},
                {"referral_id", item.referral_id()},
                {"case_id", item.case_id()},
                {"from", item.from()},
                {"priority", item.priority()},
                {"state", item.state()},
                {"arrived_at", Time(item.arrived_at_s())},
                {"due_at", Time(item.due_at_s())},
                {"overdue", item.overdue()},
                {"unread", item.unread()},
                {"emptied", item.emptied()},
                {"next", TextList(item.next())}};
  });
  return Json{{"schema", "inbox/1"},
              {"items", std::move(items)},
              {"unread", inbox.unread()},
              {"overdue", inbox.overdue()},
              {"quarantined", inbox.quarantined()},
              {"held", List(inbox.held(), [](const v1::HeldFrom& held) {
                 return Json{{"from", held.member()},
                             {"messages", held.messages()},
                             {"since", Time(held.since_s())},
                             {"priority", Text(held.priority())}};
               })}};
}

absl::StatusOr<Json> ToJson(const v1::RecordConsentResponse& recorded) {
  return Json{{"schema", "consent_record/1"},
              {"grant_id", recorded.grant_id()},
              {"case_id", recorded.case_id()},
              {"supersedes", Text(recorded.supersedes())},
              {"status", recorded.status()},
              {"digest", recorded.digest()},
              {"until", Time(recorded.until_s())}};
}

absl::StatusOr<Json> ToJson(const v1::RevokeConsentResponse& revoked) {
  return Json{{"schema", "consent_revoke/1"},
              {"grant_id", revoked.grant_id()},
              {"status", revoked.status()},
              {"revoked_by", Text(revoked.revoked_by())},
              {"revoked_at", Time(revoked.revoked_at_s())},
              {"recalled", TextList(revoked.recalled())},
              {"recipients", List(revoked.recipients(), Revoked)},
              {"superseded_by", Text(revoked.superseded_by())}};
}

absl::StatusOr<Json> ToJson(const v1::ListConsentsResponse& list) {
  return Json{{"schema", "consent_list/1"},
              {"consents", List(list.consents(), ConsentRow)}};
}

absl::StatusOr<Json> ToJson(const v1::ConsentView& consent) {
  ASSIGN_OR_RETURN(Json provisions,
                   Embedded(consent.provisions_json(), Json::array()));
  ASSIGN_OR_RETURN(Json exclusions,
                   Embedded(consent.exclusions_json(), Json::array()));
  Json access = List(consent.access(), [](const v1::ConsentAccess& entry) {
    return Json{{"member", entry.member()},
                {"section", entry.section()},
                {"view", entry.view()},
                {"until", Time(entry.until_s())},
                {"shared_at", Time(entry.shared_at_s())}};
  });
  return Json{{"schema", "consent_show/1"},
              {"grant_id", consent.grant_id()},
              {"case_id", consent.case_id()},
              {"agreement", consent.agreement()},
              {"status", consent.status()},
              {"revoked_by", Text(consent.revoked_by())},
              {"collected_at", Time(consent.collected_at_s())},
              {"supersedes", Text(consent.supersedes())},
              {"provisions", std::move(provisions)},
              {"exclusions", std::move(exclusions)},
              {"recipients", List(consent.recipients(), Revoked)},
              {"access", std::move(access)},
              {"until", Time(consent.until_s())}};
}

absl::StatusOr<Json> ToJson(const v1::ListCasesResponse& list) {
  return Json{{"schema", "case_list/1"}, {"cases", List(list.cases(), Case)}};
}

absl::StatusOr<Json> ToJson(const v1::CaseView& view) {
  Json json = Result("case_show/1", Case(view.row()));
  json["referrals"] = List(view.referrals(), Row);
  json["consents"] = List(view.consents(), ConsentRow);
  json["events"] = List(view.events(), Event);
  return json;
}

absl::StatusOr<Json> ToJson(const v1::EvidenceDocument& document) {
  Json sections = Json::array();
  for (const std::string& name : document.sections()) sections.push_back(name);
  return Json{{"schema", "referral_evidence/1"},
              {"referral_id", document.referral_id()},
              {"entry", document.entry()},
              {"version", document.version()},
              {"sections", std::move(sections)}};
}

absl::StatusOr<Json> ToJson(const v1::CaseOpening& opening) {
  return Json{{"schema", "case_open/1"},
              {"case_id", opening.case_id()},
              {"envelopes", opening.envelopes()},
              {"unopened", opening.unopened()},
              {"withheld", opening.withheld()},
              {"erased", opening.erased()},
              {"erased_at", Time(opening.erased_at_s())}};
}

absl::StatusOr<Json> ToJson(const v1::ListReviewsResponse& list) {
  return Json{{"schema", "review_list/1"},
              {"reviews", List(list.reviews(), Review)}};
}

absl::StatusOr<Json> ToJson(const v1::ReviewView& review) {
  Json result = Result("review/1", Review(review));
  ASSIGN_OR_RETURN(result["reasons"], Embedded(review.reasons_json(), nullptr));
  result["note"] = Text(review.note());
  result["purpose"] = Text(review.purpose());
  result["legal_basis"] = TextList(review.legal_basis());
  result["agreement_sought"] = Text(review.agreement_sought());
  result["person_informed"] = Text(review.person_informed());
  result["person_informed_date"] = Text(review.person_informed_date());
  result["second_approver"] = Text(review.second_approver());
  return result;
}

absl::StatusOr<Json> ToJson(const v1::ListMembersResponse& list) {
  return Json{{"schema", "directory_list/1"},
              {"members", List(list.members(), Member)}};
}

absl::StatusOr<Json> ToJson(const v1::MemberView& member) {
  return Result("directory_show/1", Member(member));
}

absl::StatusOr<Json> ToJson(const v1::StatusResponse& status) {
  Json officer = nullptr;
  if (status.has_officer())
    officer = {{"handle", status.officer().handle()},
               {"roles", TextList(status.officer().roles())}};
  Json alarms = List(status.alarms(), [](const v1::Alarm& alarm) {
    return Json{{"code", alarm.code()},
                {"member", Text(alarm.member())},
                {"since", Time(alarm.since_s())}};
  });
  return Json{{"schema", "status/1"},
              {"member", status.member()},
              {"network", status.network()},
              {"version", status.version()},
              {"officer", std::move(officer)},
              {"broker",
               {{"reachable", status.broker_reachable()},
                {"last_seen_at", Time(status.broker_last_seen_at_s())}}},
              {"charter",
               {{"version", status.charter_version()},
                {"expires_at", Time(status.charter_expires_at_s())}}},
              {"keys",
               {{"signing_until", Time(status.signing_until_s())},
                {"prekey_until", Time(status.prekey_until_s())}}},
              {"log",
               {{"size", status.log_size()},
                {"witnessed_size", status.witnessed_size()}}},
              {"outbox_queued", status.outbox_queued()},
              {"sealing_waits_for", Text(status.sealing_waits_for())},
              {"unread", status.unread()},
              {"overdue", status.overdue()},
              {"quarantined", status.quarantined()},
              {"held", status.held()},
              {"alarms", std::move(alarms)},
              {"member_status", Text(status.member_status())}};
}

absl::StatusOr<Json> ToJson(const v1::OfficerView& officer) {
  return Result(
      officer.removed_at_s() > 0 ? "officer_remove/1" : "officer_add/1",
      Officer(officer));
}

absl::StatusOr<Json> ToJson(const v1::ListOfficersResponse& list) {
  return Json{{"schema", "officer_list/1"},
              {"officers", List(list.officers(), Officer)}};
}

absl::StatusOr<Json> ToJson(const v1::AccessLogResponse& log) {
  Json records = List(log.records(), [](const v1::AccessRecord& record) {
    return Json{{"seq", record.seq()},
                {"at", Time(record.at_s())},
                {"officer", record.officer()},
                {"affiliation", Text(record.affiliation())},
                {"action", record.action()},
                {"case", Text(record.case_pseudonym())},
                {"sections", TextList(record.sections())},
                {"grant_or_basis", Text(record.grant_or_basis())},
                {"outcome", record.outcome()},
                {"from", Text(record.from())},
                {"supersedes", Text(record.supersedes())},
                {"review", Text(record.review())}};
  });
  return Json{{"schema", "access_log/1"},
              {"records", std::move(records)},
              {"checkpoint", Text(log.checkpoint())}};
}

}  // namespace amparo::officer

#include "agents/officer/render_json.h"

#include "tests/support/status_matchers.h"
#include "tests/unit/agents/officer/samples.h"

namespace amparo::officer {
namespace {

template <typename Message>
std::string Rendered(const Message& message) {
  return DumpJson(VALUE_OF(ToJson(message)));
}

// docs/PROTOCOL.md, Results: scripts rely on every byte of a key.

TEST(RenderJson, Send) {
  EXPECT_EQ(
      Rendered(samples::Sent()),
      R"({"schema":"referral_send/1","referral_id":"r-abcdefghijklmnopqrstuvwxyz",)"
      R"("case_id":"c-abcdefghijklmnopqrstuvwxyz","priority":"urgent",)"
      R"("consent_id":"g-abcdefghijklmnopqrstuvwxyz","without_consent_id":null,)"
      R"("created_at":"2026-11-20T09:00:00Z","recipients":[{"member":"uls",)"
      R"("state":"sent","delivery":"queued","envelope_id":null,)"
      R"("sections":["identity","risk_summary"],"log_index":null}]})");
}

TEST(RenderJson, SendThatIsInTheLogAtZero) {
  v1::SendResponse sent = samples::Sent();
  sent.mutable_recipients(0)->set_in_log(true);
  sent.mutable_recipients(0)->set_log_index(0);
  sent.mutable_recipients(0)->set_envelope_id(samples::kEnvelope);
  const Json json = VALUE_OF(ToJson(sent));
  EXPECT_EQ(json["recipients"][0]["log_index"], 0);
  EXPECT_EQ(json["recipients"][0]["envelope_id"], samples::kEnvelope);
}

TEST(RenderJson, DryRunAndRefusal) {
  for (const bool allowed : {true, false})
    EXPECT_EQ(
        Rendered(samples::Finding(allowed)),
        std::string(R"({"schema":"referral_dry_run/1","allowed":)") +
            (allowed ? "true" : "false") +
            R"(,"recipients":[{"member":"gnr","allowed":)" +
            (allowed ? "true" : "false") +
            R"(,"reachable":true,"sections":[{"section":"safe_contact",)"
            R"("view":"none","reason":"denied",)"
            R"("grant_id":"g-abcdefghijklmnopqrstuvwxyz",)"
            R"("text":"the consent keeps safe_contact from police"}]}]})");
}

TEST(RenderJson, List) {
  v1::ListReferralsResponse list;
  EXPECT_EQ(Rendered(list), R"({"schema":"referral_list/1","referrals":[]})");
  *list.add_referrals() = samples::Row();
  EXPECT_EQ(
      Rendered(list),
      R"({"schema":"referral_list/1","referrals":[{)"
      R"("referral_id":"r-abcdefghijklmnopqrstuvwxyz",)"
      R"("case_id":"c-abcdefghijklmnopqrstuvwxyz","box":"out","peer":"uls",)"
      R"("priority":"urgent","state":"received","delivery":"opened",)"
      R"("created_at":"2026-11-20T09:00:00Z","changed_at":"2026-11-20T09:01:00Z",)"
      R"("acknowledge_by":"2026-11-21T09:00:00Z",)"
      R"("decide_by":"2026-11-23T09:00:00Z","overdue":false,"unread":false,)"
      R"("emptied":false}]})");
}

TEST(RenderJson, Show) {
  EXPECT_EQ(
      Rendered(samples::Referral()),
      R"({"schema":"referral_show/1",)"
      R"("referral_id":"r-abcdefghijklmnopqrstuvwxyz",)"
      R"("case_id":"c-abcdefghijklmnopqrstuvwxyz","box":"in","from":"ong",)"
      R"("priority":"urgent","created_at":"2026-11-20T09:00:00Z",)"
      R"("recipients":[{"member":"uls","state":"accepted","delivery":"opened",)"
      R"("reason_code":null,"outcome":null,)"
      R"("acknowledge_by":"2026-11-21T09:00:00Z",)"
      R"("decide_by":"2026-11-23T09:00:00Z","overdue":false,)"
      R"("shared":["identity"],"log_index":17,"witnessed":true,"failure":null}],)"
      R"("sections":[{"section":"identity","view":"full","status":"open",)"
      R"("fields":{"given_name":"Marta","sex":"female"},"version":1,)"
      R"("shared_at":"2026-11-20T09:00:00Z",)"
      R"("grant_id":"g-abcdefghijklmnopqrstuvwxyz","fits_first_digest":true},)"
      R"({"section":"safe_contact","view":"full","status":"masked",)"
      R"("fields":null,"version":1,"shared_at":"2026-11-20T09:00:00Z",)"
      R"("grant_id":null,"fits_first_digest":false}],)"
      R"("without_consent":[],)"
      R"("events":[{"event_id":"e-abcdefghijklmnopqrstuvwxyz",)"
      R"("kind":"accepted","by":"uls","at":"2026-11-20T09:02:00Z",)"
      R"("log_index":21}]})");
}

TEST(RenderJson, RefusesFieldsThatAreNoJson) {
  v1::ReferralView referral = samples::Referral();
  referral.mutable_sections(0)->set_fields_json("{\"a\":");
  EXPECT_THAT(ToJson(referral), StatusIs(absl::StatusCode::kInternal));
}

TEST(RenderJson, Change) {
  v1::ReferralChange change;
  change.set_referral_id(samples::kReferral);
  change.set_event_id(samples::kEvent);
  EXPECT_EQ(Rendered(change),
            R"({"schema":"referral_change/1",)"
            R"("referral_id":"r-abcdefghijklmnopqrstuvwxyz",)"
            R"("event_id":"e-abcdefghijklmnopqrstuvwxyz","recipients":[]})");
  change.add_sections("health");
  change.set_fits_first_digest(true);
  EXPECT_EQ(Rendered(change),
            R"({"schema":"referral_change/1",)"
            R"("referral_id":"r-abcdefghijklmnopqrstuvwxyz",)"
            R"("event_id":"e-abcdefghijklmnopqrstuvwxyz","recipients":[],)"
            R"("sections":["health"],"fits_first_digest":true})");
}

TEST(RenderJson, Inbox) {
  v1::InboxResponse inbox;
  *inbox.add_items() = samples::Item();
  inbox.set_unread(1);
  v1::HeldFrom& held = *inbox.add_held();
  held.set_member("cpcj");
  held.set_messages(2);
  held.set_since_s(samples::kMorning_s);
  EXPECT_EQ(
      Rendered(inbox),
      R"({"schema":"inbox/1","items":[{"kind":"referral",)"
      R"("referral_id":"r-abcdefghijklmnopqrstuvwxyz",)"
      R"("case_id":"c-abcdefghijklmnopqrstuvwxyz","from":"ong",)"
      R"("priority":"urgent","state":"received",)"
      R"("arrived_at":"2026-11-20T09:00:00Z","due_at":"2026-11-21T09:00:00Z",)"
      R"("overdue":false,"unread":true,"emptied":false,)"
      R"("next":["accept","decline"]}],)"
      R"("unread":1,"overdue":0,"quarantined":0,)"
      R"("held":[{"from":"cpcj","messages":2,)"
      R"("since":"2026-11-20T09:00:00Z","priority":null}]})");
}

TEST(RenderJson, ConsentRecord) {
  v1::RecordConsentResponse recorded;
  recorded.set_grant_id(samples::kGrant);
  recorded.set_case_id(samples::kCase);
  recorded.set_status("active");
  recorded.set_digest("sha256:00");
  recorded.set_until_s(samples::kMorning_s);
  EXPECT_EQ(Rendered(recorded),
            R"({"schema":"consent_record/1",)"
            R"("grant_id":"g-abcdefghijklmnopqrstuvwxyz",)"
            R"("case_id":"c-abcdefghijklmnopqrstuvwxyz","supersedes":null,)"
            R"("status":"active","digest":"sha256:00",)"
            R"("until":"2026-11-20T09:00:00Z"})");
}

TEST(RenderJson, ConsentShow) {
  v1::ConsentView consent = samples::Consent();
  consent.set_provisions_json(R"([{"effect":"permit"}])");
  consent.set_exclusions_json("");
  EXPECT_EQ(
      Rendered(consent),
      R"({"schema":"consent_show/1",)"
      R"("grant_id":"g-abcdefghijklmnopqrstuvwxyz",)"
      R"("case_id":"c-abcdefghijklmnopqrstuvwxyz","agreement":"given",)"
      R"("status":"active","revoked_by":null,)"
      R"("collected_at":"2026-11-20T09:00:00Z","supersedes":null,)"
      R"("provisions":[{"effect":"permit"}],"exclusions":[],"recipients":[],)"
      R"("access":[{"member":"uls","section":"risk","view":"summary",)"
      R"("until":"2027-02-18T09:00:00Z","shared_at":"2026-11-20T09:00:00Z"}],)"
      R"("until":"2027-02-18T09:00:00Z"})");
}

TEST(RenderJson, ConsentRevoke) {
  v1::RevokeConsentResponse revoked;
  revoked.set_grant_id(samples::kGrant);
  revoked.set_status("revoked");
  revoked.set_revoked_by("subject");
  revoked.set_revoked_at_s(samples::kMorning_s);
  revoked.add_recalled(samples::kEnvelope);
  *revoked.add_recipients() = samples::Asked();
  EXPECT_EQ(Rendered(revoked),
            R"({"schema":"consent_revoke/1",)"
            R"("grant_id":"g-abcdefghijklmnopqrstuvwxyz","status":"revoked",)"
            R"("revoked_by":"subject","revoked_at":"2026-11-20T09:00:00Z",)"
            R"("recalled":["n-abcdefghijklmnopqrstuvwxyz"],)"
            R"("recipients":[{"member":"uls","sections":["narrative"],)"
            R"("answer":"pending","legal_basis":null,"receipt_at":null}],)"
            R"("superseded_by":null})");
}

TEST(RenderJson, Status) {
  v1::StatusResponse status;
  status.set_member("ong");
  status.set_network("pt-exemplo");
  status.set_version("0.1.0");
  status.mutable_officer()->set_handle("ana");
  status.mutable_officer()->add_roles("officer");
  status.set_broker_reachable(true);
  status.set_broker_last_seen_at_s(samples::kMorning_s);
  status.set_charter_version(2);
  status.set_charter_expires_at_s(samples::kMorning_s);
  status.set_log_size(40);
  status.set_witnessed_size(40);
  status.set_unread(1);
  v1::Alarm& alarm = *status.add_alarms();
  alarm.set_code("gap");
  alarm.set_member("gnr");
  alarm.set_since_s(samples::kMorning_s);
  status.set_member_status("active");
  EXPECT_EQ(
      Rendered(status),
      R"({"schema":"status/1","member":"ong","network":"pt-exemplo",)"
      R"("version":"0.1.0","officer":{"handle":"ana","roles":["officer"]},)"
      R"("broker":{"reachable":true,"last_seen_at":"2026-11-20T09:00:00Z"},)"
      R"("charter":{"version":2,"expires_at":"2026-11-20T09:00:00Z"},)"
      R"("keys":{"signing_until":null,"prekey_until":null},)"
      R"("log":{"size":40,"witnessed_size":40},"outbox_queued":0,)"
      R"("sealing_waits_for":null,"unread":1,)"
      R"("overdue":0,"quarantined":0,"held":0,"alarms":[{"code":"gap","member":"gnr",)"
      R"("since":"2026-11-20T09:00:00Z"}],"member_status":"active"})");
}

TEST(RenderJson, CaseDirectoryOfficersAndAccessLog) {
  v1::CaseView view;
  view.mutable_row()->set_case_id(samples::kCase);
  view.mutable_row()->set_referrals(1);
  *view.add_referrals() = samples::Row();
  const Json shown = VALUE_OF(ToJson(view));
  EXPECT_EQ(shown["schema"], "case_show/1");
  EXPECT_EQ(shown["referral_count"], 1);
  EXPECT_EQ(shown["referrals"].size(), 1u);
  EXPECT_EQ(shown["consents"], Json::array());

  v1::ListMembersResponse members;
  v1::MemberView& member = *members.add_members();
  member.set_member("uls");
  member.add_territory("PT-13");
  const Json row = VALUE_OF(ToJson(members))["members"][0];
  EXPECT_EQ(row["territory"], Json({"PT-13"}));
  EXPECT_EQ(row["parent"], nullptr);
  EXPECT_EQ(VALUE_OF(ToJson(member))["schema"], "directory_show/1");

  v1::ListOfficersResponse officers;
  v1::OfficerView& officer = *officers.add_officers();
  officer.set_handle("ana");
  officer.add_uids(1001);
  EXPECT_EQ(VALUE_OF(ToJson(officers))["officers"][0]["uids"], Json({1001}));
  EXPECT_EQ(VALUE_OF(ToJson(officer))["schema"], "officer_add/1");

  v1::AccessLogResponse log;
  log.add_records()->set_seq(3);
  const Json access = VALUE_OF(ToJson(log));
  EXPECT_EQ(access["records"][0]["seq"], 3);
  EXPECT_EQ(access["checkpoint"], nullptr);
}

}  // namespace
}  // namespace amparo::officer

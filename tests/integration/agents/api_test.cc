#include "agents/institution/core/consent_rows.h"
#include "tests/integration/agents/api_fixture.h"

// The agent's API as an officer's program uses it: real gRPC on a real socket.

namespace amparo::agent {
namespace {

using Referrals = v1::ReferralService::Stub;
using Consents = v1::ConsentService::Stub;
using Cases = v1::CaseService::Stub;
using Directory = v1::DirectoryService::Stub;
using Agents = v1::AgentService::Stub;

class Api : public ApiTest {
 protected:
  Api()
      : referrals_(channel_),
        consents_(channel_),
        cases_(channel_),
        directory_(channel_),
        agents_(channel_) {}

  v1::RecordConsentResponse Record() {
    v1::RecordConsentRequest request;
    request.set_form_json(kExampleConsentForm);
    return VALUE_OF(Call(consents_, &Consents::Record, request, "me"));
  }
  v1::SendRequest Sending(const std::string& consent) {
    v1::SendRequest request;
    request.add_to("uls");
    request.add_to("gnr");
    request.set_form_json(kExampleReferralForm);
    request.set_consent_id(consent);
    return request;
  }

  Referrals referrals_;
  Consents consents_;
  Cases cases_;
  Directory directory_;
  Agents agents_;
};

TEST_F(Api, SendsAndShowsAReferral) {
  const v1::RecordConsentResponse consent = Record();
  EXPECT_EQ(consent.status(), "active");
  EXPECT_EQ(consent.digest().substr(0, 7), "sha256:");
  const v1::SendResponse sent = VALUE_OF(
      Call(referrals_, &Referrals::Send, Sending(consent.grant_id()), "me"));
  EXPECT_TRUE(sent.allowed());
  EXPECT_EQ(sent.case_id(), consent.case_id());
  EXPECT_EQ(sent.priority(), "urgent");
  ASSERT_EQ(sent.recipients_size(), 2);
  EXPECT_EQ(sent.recipients(1).member(), "uls");
  EXPECT_EQ(sent.recipients(1).delivery(), "queued");
  EXPECT_EQ(sent.recipients(1).envelope_id(), "");
  EXPECT_EQ(sent.decisions_size(), 0);

  world_.Settle();
  v1::ShowReferralRequest show;
  show.set_referral_id(sent.referral_id());
  show.add_open_sections("safe_contact");
  const v1::ReferralView view =
      VALUE_OF(Call(referrals_, &Referrals::Show, show, "me"));
  EXPECT_EQ(view.box(), "out");
  EXPECT_EQ(view.recipients(1).delivery(), "delivered");
  EXPECT_TRUE(view.recipients(1).in_log());
  EXPECT_EQ(view.recipients(1).envelope_id().substr(0, 2), "n-");
  bool opened = false;
  for (const v1::SectionView& section : view.sections())
    if (section.section() == "safe_contact") {
      opened = true;
      EXPECT_EQ(section.status(), "open");
      EXPECT_NE(section.fields_json().find("laranja"), std::string::npos);
    }
  EXPECT_TRUE(opened);

  v1::ListReferralsRequest list;
  list.set_box("out");
  EXPECT_EQ(
      VALUE_OF(Call(referrals_, &Referrals::List, list, "me")).referrals_size(),
      2);
  EXPECT_EQ(VALUE_OF(Call(cases_, &Cases::List, v1::ListCasesRequest(), "me"))
                .cases(0)
                .referrals(),
            1u);
}

TEST_F(Api, TakesEvidenceUpToItsLimit) {
  v1::RecordConsentRequest request;
  request.set_form_json(kExampleConsentForm);
  request.set_evidence(std::string(kEvidenceBytesMax, 'x'));
  EXPECT_OK(Call(consents_, &Consents::Record, request, "me"));
  request.mutable_evidence()->push_back('x');
  EXPECT_THAT(Call(consents_, &Consents::Record, request, "me"),
              HasErrorCode("too_large"));
}

TEST_F(Api, TellsWhatADryRunFound) {
  v1::SendRequest request = Sending(Record().grant_id());
  request.set_dry_run(true);
  request.add_to("cpcj");
  const v1::SendResponse answer =
      VALUE_OF(Call(referrals_, &Referrals::Send, request, "me"));
  EXPECT_FALSE(answer.allowed());
  EXPECT_EQ(answer.referral_id(), "");
  ASSERT_EQ(answer.decisions_size(), 3);
  EXPECT_FALSE(answer.decisions(2).allowed());
  EXPECT_TRUE(answer.decisions(2).reachable());
  EXPECT_EQ(answer.decisions(2).sections(0).reason(), "excluded");
  EXPECT_EQ(answer.decisions(2).sections(0).view(), "none");
}

TEST_F(Api, RevokesAndShowsAConsent) {
  const v1::RecordConsentResponse consent = Record();
  VALUE_OF(
      Call(referrals_, &Referrals::Send, Sending(consent.grant_id()), "me"));
  world_.Settle();
  v1::RevokeConsentRequest revoke;
  revoke.set_grant_id(consent.grant_id());
  const v1::RevokeConsentResponse revoked =
      VALUE_OF(Call(consents_, &Consents::Revoke, revoke, "me"));
  EXPECT_EQ(revoked.status(), "revoked");
  EXPECT_EQ(revoked.revoked_by(), "subject");
  ASSERT_EQ(revoked.recipients_size(), 2);
  EXPECT_EQ(revoked.recipients(0).answer(), "pending");
  v1::ShowConsentRequest show;
  show.set_grant_id(consent.grant_id());
  const v1::ConsentView view =
      VALUE_OF(Call(consents_, &Consents::Show, show, "me"));
  EXPECT_EQ(view.status(), "revoked");
  EXPECT_EQ(VALUE_OF(ParseJson(view.provisions_json())).size(), 3u);
}

TEST_F(Api, CarriesTheCodeOfAnError) {
  v1::ShowReferralRequest show;
  show.set_referral_id("r-aaaaaaaa");
  const auto absent = Call(referrals_, &Referrals::Show, show, "me");
  EXPECT_THAT(absent, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(absent, HasErrorCode("not_found"));
  EXPECT_THAT(Call(referrals_, &Referrals::Show, show, "root"),
              HasErrorCode("role_missing"));
  v1::SendRequest send = Sending(Record().grant_id());
  send.set_form_json(R"({"schema":"referral_form/1"})");
  const auto refused = Call(referrals_, &Referrals::Send, send, "me");
  EXPECT_THAT(refused, HasErrorCode("invalid_form"));
  EXPECT_FALSE(DetailOf(refused.status())->field.empty());
}

TEST_F(Api, GivesTheStatus) {
  const v1::StatusResponse status =
      VALUE_OF(Call(agents_, &Agents::Status, v1::StatusRequest(), "me"));
  EXPECT_EQ(status.member(), "ong");
  EXPECT_EQ(status.member_status(), "active");
  EXPECT_EQ(status.version(), "1.2.3");
  EXPECT_EQ(status.officer().handle(), "me");
  EXPECT_TRUE(status.broker_reachable());
  EXPECT_EQ(status.broker_last_seen_at_s(), 7u);
  EXPECT_EQ(status.log_size(), 40u);
  EXPECT_EQ(status.witnessed_size(), 0u);
  EXPECT_EQ(status.quarantined(), 3u);
  EXPECT_EQ(status.sealing_waits_for(), "clock");
  ASSERT_EQ(status.alarms_size(), 1);
  EXPECT_EQ(status.alarms(0).code(), "gap");
  EXPECT_GT(status.charter_expires_at_s(), 0u);
  EXPECT_GT(status.signing_until_s(), 0u);
  // An admin gets it too, without a count of cases.
  EXPECT_EQ(
      VALUE_OF(Call(agents_, &Agents::Status, v1::StatusRequest(), "root"))
          .unread(),
      0u);
}

TEST_F(Api, LetsAdminsAndSupervisorsPutAlarmsAway) {
  AddOfficer("ana2", {Role::kOfficer});
  Alarms& alarms = api_.agent().alarms();
  const MemberId uls = world_.broker().Id("uls");
  alarms.Raise("link_fork", uls, world_.clock().Now());
  alarms.Raise("log_fork", std::nullopt, world_.clock().Now());
  v1::AcknowledgeAlarmRequest request;
  request.set_code("link_fork");
  request.set_member("uls");
  EXPECT_THAT(Call(agents_, &Agents::AcknowledgeAlarm, request, "ana2"),
              HasErrorCode("role_missing"));
  EXPECT_TRUE(alarms.Has("link_fork", uls));
  EXPECT_OK(Call(agents_, &Agents::AcknowledgeAlarm, request, "me"));
  EXPECT_FALSE(alarms.Has("link_fork", uls));
  // Refused: so its record says, and which alarm it may have been.
  const absl::Status refused =
      Call(agents_, &Agents::AcknowledgeAlarm, request, "me").status();
  EXPECT_EQ(ErrorCodeOf(refused), "not_found");
  EXPECT_EQ(DetailOf(refused)->expected, "log_fork");
  auto records = VALUE_OF(api_.agent().access_log().Read(std::nullopt, 100));
  EXPECT_EQ(records.back().action, "alarm_acknowledge");
  EXPECT_EQ(records.back().outcome, "not_found");
  request.set_code("log_fork");
  request.clear_member();
  EXPECT_OK(Call(agents_, &Agents::AcknowledgeAlarm, request, "root"));
  EXPECT_TRUE(alarms.List().empty());
  records = VALUE_OF(api_.agent().access_log().Read(std::nullopt, 100));
  EXPECT_EQ(records.back().action, "alarm_acknowledge");
  EXPECT_EQ(records.back().outcome, "ok");
}

TEST_F(Api, HandsOutWhatProvesAnAlarm) {
  AddOfficer("ana2", {Role::kOfficer});
  Alarms& alarms = api_.agent().alarms();
  const MemberId uls = world_.broker().Id("uls");
  alarms.Raise("own_key", uls, world_.clock().Now(), AsBytes("the proof"));
  alarms.Raise("gap", uls, world_.clock().Now());
  v1::GetAlarmEvidenceRequest request;
  request.set_code("own_key");
  request.set_member("uls");
  EXPECT_THAT(Call(agents_, &Agents::GetAlarmEvidence, request, "ana2"),
              HasErrorCode("role_missing"));
  EXPECT_EQ(VALUE_OF(Call(agents_, &Agents::GetAlarmEvidence, request, "me"))
                .evidence(),
            "the proof");
  const auto records = VALUE_OF(api_.agent().access_log().Read(std::nullopt, 100));
  EXPECT_EQ(records.back().action, "alarm_evidence");
  request.set_code("gap");  // nobody's fault is proven
  EXPECT_THAT(Call(agents_, &Agents::GetAlarmEvidence, request, "me"),
              HasErrorCode("not_found"));
  EXPECT_EQ(VALUE_OF(api_.agent().access_log().Read(std::nullopt, 100))
                .back()
                .outcome,
            "not_found");
  request.clear_member();
  request.set_code("log_fork");
  EXPECT_THAT(Call(agents_, &Agents::GetAlarmEvidence, request, "me"),
              HasErrorCode("not_found"));
}

TEST_F(Api, LetsAdminsAloneAddOfficers) {
  v1::AddOfficerRequest request;
  request.set_handle("nova");
  request.add_roles("officer");
  request.add_uids(4242);
  EXPECT_THAT(Call(agents_, &Agents::AddOfficer, request, "me"),
              HasErrorCode("role_missing"));
  const v1::OfficerView added =
      VALUE_OF(Call(agents_, &Agents::AddOfficer, request, "root"));
  EXPECT_EQ(added.handle(), "nova");
  EXPECT_EQ(added.uids(0), 4242u);
  EXPECT_THAT(Call(agents_, &Agents::AddOfficer, request, "root"),
              HasErrorCode("conflict"));
  request.set_handle("Not A Handle");
  EXPECT_THAT(Call(agents_, &Agents::AddOfficer, request, "root"),
              HasErrorCode("usage"));
  request.set_handle("outra");
  request.add_roles("king");
  EXPECT_THAT(Call(agents_, &Agents::AddOfficer, request, "root"),
              HasErrorCode("usage"));
  EXPECT_EQ(VALUE_OF(Call(agents_, &Agents::ListOfficers,
                          v1::ListOfficersRequest(), "root"))
                .officers_size(),
            5);
}

TEST_F(Api, GivesTheAccessLogToWhoMaySeeIt) {
  const v1::RecordConsentResponse consent = Record();
  v1::AccessLogRequest request;
  EXPECT_THAT(Call(agents_, &Agents::AccessLog, request, "root"),
              HasErrorCode("role_missing"));
  const v1::AccessLogResponse all =
      VALUE_OF(Call(agents_, &Agents::AccessLog, request, "me"));
  ASSERT_EQ(all.records_size(), 2);
  EXPECT_EQ(all.records(0).action(), "consent_record");
  // Who read the log stands there too.
  EXPECT_EQ(all.records(1).action(), "access_log_read");
  EXPECT_NE(all.checkpoint().find("/access/ong"), std::string::npos);
  // The leaf, which has the nonce, is for exports only.
  EXPECT_EQ(all.records(0).leaf(), "");
  EXPECT_EQ(all.size(), 2u);
  EXPECT_FALSE(all.more());
  request.set_with_leaves(true);
  const v1::AccessLogResponse exported =
      VALUE_OF(Call(agents_, &Agents::AccessLog, request, "me"));
  ASSERT_EQ(exported.records_size(), 3);
  EXPECT_NE(exported.records(0).leaf().find("\"nonce\""), std::string::npos);
  request.set_with_leaves(false);
  request.set_case_id(consent.case_id());
  EXPECT_EQ(
      VALUE_OF(Call(agents_, &Agents::AccessLog, request, "me")).records_size(),
      1);
  request.set_after_seq(3);
  EXPECT_EQ(
      VALUE_OF(Call(agents_, &Agents::AccessLog, request, "me")).records_size(),
      0);
}

TEST_F(Api, ShowsTheDirectoryWithTheWordsToCompare) {
  const v1::ListMembersResponse members = VALUE_OF(
      Call(directory_, &Directory::List, v1::ListMembersRequest(), "root"));
  ASSERT_EQ(members.members_size(), 5);
  v1::ShowMemberRequest show;
  show.set_member("uls");
  const v1::MemberView uls =
      VALUE_OF(Call(directory_, &Directory::Show, show, "root"));
  EXPECT_EQ(uls.kind(), "health");
  EXPECT_TRUE(uls.reachable());
  EXPECT_FALSE(uls.key_words().empty());
  EXPECT_FALSE(uls.key_confirmed());
  show.set_member("nobody");
  EXPECT_THAT(Call(directory_, &Directory::Show, show, "root"),
              HasErrorCode("unknown_member"));
}

TEST_F(Api, GivesTheInboxWithWhatIsQuarantined) {
  const v1::InboxResponse inbox =
      VALUE_OF(Call(referrals_, &Referrals::Inbox, v1::InboxRequest(), "me"));
  EXPECT_EQ(inbox.items_size(), 0);
  EXPECT_EQ(inbox.quarantined(), 3u);
}

TEST_F(Api, AnAdminRotatesAndRevokesKeysAndNobodyElse) {
  for (const char* handle : {"me", "nobody"}) {
    EXPECT_FALSE(
        Call(agents_, &Agents::RotateKeys, v1::RotateKeysRequest(), handle).ok());
    EXPECT_FALSE(
        Call(agents_, &Agents::RevokeKey, v1::RevokeKeyRequest(), handle).ok());
  }
  v1::RotateKeysRequest rotate;
  rotate.set_request_id("1");
  EXPECT_FALSE(VALUE_OF(Call(agents_, &Agents::RotateKeys, rotate, "root")).done());
  const uint64_t records = api_.agent().access_log().size().value();
  world_.Settle();
  const v1::KeyOrderView rotated =
      VALUE_OF(Call(agents_, &Agents::RotateKeys, rotate, "root"));
  EXPECT_TRUE(rotated.done());
  EXPECT_FALSE(rotated.signing().vouched_by().empty());
  EXPECT_GT(rotated.prekey_leaf(), rotated.signing().leaf());
  // To ask how far it is leaves no record.
  EXPECT_EQ(api_.agent().access_log().size().value(), records);

  v1::RevokeKeyRequest revoke;
  revoke.set_request_id("2");
  VALUE_OF(Call(agents_, &Agents::RevokeKey, revoke, "root"));
  world_.Settle();
  const v1::KeyOrderView revoked =
      VALUE_OF(Call(agents_, &Agents::RevokeKey, revoke, "root"));
  EXPECT_TRUE(revoked.done());
  EXPECT_EQ(revoked.revoked().kid(), rotated.signing().kid());
  EXPECT_EQ(revoked.signing().vouched_by(), "");
  const v1::ListKeysResponse keys =
      VALUE_OF(Call(agents_, &Agents::ListKeys, v1::ListKeysRequest(), "me"));
  EXPECT_EQ(keys.key_words(), revoked.key_words());
  EXPECT_EQ(keys.keys(keys.keys_size() - 1).kid(), revoked.signing().kid());
}

TEST_F(Api, AnOrderWithoutAnIdIsGivenOne) {
  const v1::KeyOrderView order = VALUE_OF(
      Call(agents_, &Agents::RotateKeys, v1::RotateKeysRequest(), "root"));
  EXPECT_NE(order.request_id(), "");
  v1::RevokeKeyRequest revoke;
  revoke.set_kid("sha256:00");
  EXPECT_THAT(Call(agents_, &Agents::RevokeKey, revoke, "root"),
              HasErrorCode("usage"));
}

TEST_F(Api, TheAnswerSaysWhoMustCompareWords) {
  const TestCommittee& committee = world_.broker().committee();
  Charter next = committee.Successor(world_.broker().charter());
  next.trust_delay = absl::Hours(24);
  VALUE_OF(world_.broker().PublishCharter(committee.Sign(next)));
  world_.Settle();
  const auto done = [&](auto method, auto request) {
    request.set_request_id("1" + request.GetTypeName());
    VALUE_OF(Call(agents_, method, request, "root"));
    world_.Settle();
    return VALUE_OF(Call(agents_, method, request, "root"));
  };
  EXPECT_FALSE(done(&Agents::RotateKeys, v1::RotateKeysRequest()).words_needed());
  EXPECT_TRUE(done(&Agents::RevokeKey, v1::RevokeKeyRequest()).words_needed());
}

}  // namespace
}  // namespace amparo::agent

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "proto/envelope/limits.h"
#include "tests/support/agent_world.h"
#include "tests/support/example_forms.h"
#include "tests/support/status_matchers.h"

namespace amparo::agent {

// The institutions that every attacker meets: ong refers to uls and gnr. What
// all tests promise in the end is at the bottom.
class Victims : public testing::Test {
 protected:
  TestAgent& ong() { return world_.agent("ong"); }
  TestAgent& uls() { return world_.agent("uls"); }
  TestAgent& gnr() { return world_.agent("gnr"); }
  TestAgent& mp() { return world_.agent("mp"); }

  std::string RecordConsent() {
    return VALUE_OF(ong().consents().Record(ong().officer(),
                                            kExampleConsentForm, {}, ""))
        .grant_id.text();
  }
  // Queued; leaves at the next Settle.
  std::string Refer(std::vector<std::string> to = {"uls"}) {
    return ReferUnder(RecordConsent(), std::move(to));
  }
  std::string ReferUnder(const std::string& consent,
                         std::vector<std::string> to = {"uls"}) {
    SendRequest request;
    request.form_json = FormFor(to);
    request.to = std::move(to);
    request.consent = consent;
    const SendOutcome sent =
        VALUE_OF(ong().referrals().Send(ong().officer(), request));
    EXPECT_TRUE(sent.allowed);
    return sent.referral_id->text();
  }

  // The example form, for these recipients alone.
  static std::string FormFor(const std::vector<std::string>& to) {
    Json form = VALUE_OF(ParseJson(kExampleReferralForm));
    const Json all = form["recipients"];
    form["recipients"] = Json::object();
    for (const std::string& member : to)
      form["recipients"][member] = all[member];
    form["first_contact"] = to.front();
    return DumpJson(form);
  }

  static bool Knows(TestAgent& agent, const std::string& referral) {
    return agent.cases().ResolveReferral(referral).ok();
  }
  static size_t Cases(TestAgent& agent) { return agent.cases().All().size(); }
  // What the sender knows of a delivery to `member`.
  Delivery DeliveryTo(const std::string& member, const std::string& referral) {
    const ReferralView view =
        VALUE_OF(ong().referrals().Show(ong().officer(), referral, {}, true));
    for (const RecipientState& state : view.recipients)
      if (state.member.text() == member) return state.delivery;
    throw std::runtime_error("no such recipient");
  }
  static bool HasAlarm(TestAgent& agent, const char* code) {
    for (const AlarmRecord& alarm : agent.alarms().List())
      if (alarm.code == code) return true;
    return false;
  }
  static bool HasAlarmFor(TestAgent& agent, const char* code,
                          const MemberId& who) {
    return agent.alarms().Has(code, who);
  }

  // What a broker logs that asks nobody: a leaf without any check.
  LeafReceipt LogAnyway(const Bytes& event) {
    return LogAnyway(
        broker::Op{broker::Date{world_.broker().Id("ong")}, event});
  }
  LeafReceipt LogAnyway(const broker::Op& op) {
    return VALUE_OF(broker::WaitFor([&](broker::Done done) {
      world_.broker().ledger().Submit(
          [&op](const broker::Network&) -> absl::StatusOr<broker::Op> {
            return op;
          },
          std::move(done));
    }));
  }

  // Until a gap is asked for and answered.
  void LetResendsHappen() {
    world_.clock().Advance(kResendAfterGap + absl::Seconds(1));
    world_.Settle();
  }

  // After the attack, a new referral still goes all the way.
  void ExpectHonestTrafficFlows() {
    const std::string referral = Refer();
    world_.Settle();
    EXPECT_TRUE(Knows(uls(), referral));
    EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
    EXPECT_OK(uls().referrals().Show(uls().officer(), referral, {}, false));
  }

  AgentWorld world_;
};

}  // namespace amparo::agent

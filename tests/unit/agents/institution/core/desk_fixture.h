#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/support/agent_world.h"
#include "tests/support/example_forms.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/agents/institution/core/error_code.h"

namespace amparo::agent {

// A consent for uls (identity, safe_contact, risk, needs), for the police as
// far as the charter goes but for the phone, and for nobody else.
inline std::string PlainConsent(const std::string& case_id = "",
                                const std::string& exclusions = "") {
  return absl::StrCat(
      R"({"schema":"consent_form/1","case":)",
      case_id.empty() ? "null" : absl::StrCat("\"", case_id, "\""),
      R"(,"jurisdiction":"PT","agreement":"given",
 "expressed_by":[{"party":"subject","capacity":"full","method":"signed_paper",
  "at":"2026-11-20T09:00:00Z"}],"child_view":null,
 "language":"pt","interpreter":false,"notice":"notice-pt-3",
 "provisions":[
  {"effect":"permit","sections":["identity","safe_contact","risk","needs"],
   "recipients":[{"member":"uls"}],"purposes":["health_care","support"],
   "direction":"both","redisclosure":"forbidden","legal_basis":["A9-2-h"],
   "from":null,"until":null},
  {"effect":"permit","sections":["*"],"recipients":[{"kind":"police"}],
   "purposes":["safety"],"direction":"send","redisclosure":"forbidden",
   "legal_basis":["LED-8"],"from":null,"until":null},
  {"effect":"deny","sections":["perpetrator"],"recipients":[{"kind":"police"}],
   "reason":"fear_of_harm"}],
 "exclusions":[)",
      exclusions, R"(],"statistics":"given","retention":"P5Y"})");
}

// What a consent is extended by: one permit for `member`.
inline std::string MoreConsent(const std::string& sections,
                               const std::string& member,
                               const std::string& purpose) {
  return absl::StrCat(
      R"({"schema":"consent_form/1","case":null,"jurisdiction":"PT",
 "agreement":"given","expressed_by":[{"party":"subject","capacity":"full",
 "method":"oral_witnessed","at":"2026-11-21T09:00:00Z"}],"child_view":null,
 "language":"pt","interpreter":false,"notice":"notice-pt-3","provisions":[
  {"effect":"permit","sections":[)",
      sections, R"(],"recipients":[{"member":")", member,
      R"("}],"purposes":[")", purpose,
      R"("],"direction":"send","redisclosure":"forbidden",
   "legal_basis":["A9-2-h"],"from":null,"until":null}],
 "exclusions":[],"statistics":"given","retention":"P5Y"})");
}

// Desks of five institutions around one broker.
class DeskTest : public testing::Test {
 protected:
  TestAgent& at(const std::string& id) { return world_.agent(id); }
  TestAgent& ong() { return at("ong"); }

  ConsentView Record(const std::string& form = PlainConsent()) {
    return VALUE_OF(ong().consents().Record(ong().officer(), form, {}, ""));
  }
  SendRequest RequestTo(std::vector<std::string> to,
                        const std::string& consent) {
    return {.to = std::move(to),
            .form_json = kExampleReferralForm,
            .consent = consent};
  }
  // The ids of a referral sent to `to` with a fresh consent, not settled yet.
  struct Sent {
    std::string referral, consent, case_id;
  };
  Sent Send(std::vector<std::string> to,
            const std::string& form = PlainConsent()) {
    const ConsentView consent = Record(form);
    SendRequest request = RequestTo(std::move(to), consent.grant_id.text());
    request.form_json = FormFor(request.to);
    const SendOutcome outcome =
        VALUE_OF(ong().referrals().Send(ong().officer(), request));
    EXPECT_TRUE(outcome.allowed);
    return {outcome.referral_id->text(), consent.grant_id.text(),
            consent.case_id.text()};
  }
  // The example form for these recipients only.
  static std::string FormFor(const std::vector<std::string>& to) {
    Json form = VALUE_OF(ParseJson(kExampleReferralForm));
    for (const char* id : {"uls", "gnr"})
      if (std::find(to.begin(), to.end(), id) == to.end())
        form["recipients"].erase(id);
    return DumpJson(form);
  }
  Sent Delivered(std::vector<std::string> to,
                 const std::string& form = PlainConsent()) {
    Sent sent = Send(std::move(to), form);
    world_.Settle();
    return sent;
  }

  ReferralView Look(TestAgent& agent, const std::string& referral,
                    const std::vector<std::string>& open = {}) {
    return VALUE_OF(
        agent.referrals().Show(agent.officer(), referral, open, false));
  }
  ReferralView Status(TestAgent& agent, const std::string& referral) {
    return VALUE_OF(
        agent.referrals().Show(agent.officer(), referral, {}, true));
  }

  static std::string Names(const std::vector<Slot>& slots) {
    std::vector<std::string> names;
    for (const Slot slot : slots) names.push_back(NameOf(slot));
    return absl::StrJoin(names, " ");
  }
  static const SectionView* Find(const ReferralView& view,
                                 const std::string& slot) {
    for (const SectionView& section : view.sections)
      if (NameOf(section.slot) == slot) return &section;
    return nullptr;
  }
  static std::vector<AccessRecord> Records(TestAgent& agent) {
    return VALUE_OF(agent.access_log().Read(std::nullopt, 10000));
  }
  static size_t CountOf(TestAgent& agent, const std::string& action) {
    const auto records = Records(agent);
    return static_cast<size_t>(std::count_if(
        records.begin(), records.end(),
        [&](const AccessRecord& record) { return record.action == action; }));
  }
  static Officer AddOfficer(TestAgent& agent, const std::string& handle,
                            std::vector<Role> roles, uint32_t uid) {
    return VALUE_OF(agent.officers().Add(VALUE_OF(Handle::Parse(handle)),
                                         std::move(roles), {uid},
                                         std::nullopt));
  }

  AgentWorld world_;
};

}  // namespace amparo::agent

#include "agents/institution/core/access.h"

#include "agents/institution/core/unseen_cases.h"
#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

TEST(AllowedByRole, IsThisTable) {
  const Action all[] = {Action::kSeeCases,    Action::kOpenContent,
                        Action::kRefer,       Action::kSeeOfficers,
                        Action::kAddOfficers, Action::kSeeAccessLog,
                        Action::kConfirmKeys};
  const struct {
    Role role;
    std::vector<bool> allowed;  // in the order of `all`
  } table[] = {
      {Role::kOfficer, {true, true, true, false, false, false, true}},
      {Role::kSupervisor, {true, true, true, true, false, true, true}},
      {Role::kAdmin, {false, false, false, true, true, false, false}},
      {Role::kAuditor, {false, false, false, true, false, true, false}},
      {Role::kItSystem, {true, true, true, false, false, false, false}},
  };
  for (const auto& row : table) {
    const Officer officer{OfficerId::New(),
                          VALUE_OF(Handle::Parse("x")),
                          {row.role},
                          {},
                          std::nullopt};
    for (size_t i = 0; i < std::size(all); ++i)
      EXPECT_EQ(AllowedByRole(officer, all[i]).ok(), row.allowed[i])
          << NameOf(row.role) << " " << i;
  }
}

// What the police are told of their own people, and what becomes of it.
class Exclusions : public DeskTest {
 protected:
  Sent SendExcluding(const std::string& exclusion) {
    return Delivered({"gnr"}, PlainConsent("", exclusion));
  }
  static bool Sees(TestAgent& agent, const Officer& officer,
                   const std::string& referral) {
    const auto view = agent.referrals().Show(officer, referral, {}, false);
    const bool listed = !VALUE_OF(agent.referrals().List(officer, {})).empty();
    const bool in_inbox =
        !VALUE_OF(agent.referrals().Inbox(officer)).items.empty();
    const bool in_cases =
        !VALUE_OF(agent.consents().ListCases(officer)).empty();
    const bool in_consents =
        !VALUE_OF(agent.consents().List(officer, "")).empty();
    EXPECT_EQ(view.ok(), listed);
    EXPECT_EQ(view.ok(), in_inbox);
    EXPECT_EQ(view.ok(), in_cases);
    EXPECT_EQ(view.ok(), in_consents);
    return view.ok();
  }
};

TEST_F(Exclusions, HideTheCaseFromTheOfficerNamed) {
  const Officer named =
      AddOfficer(at("gnr"), "rui", {Role::kOfficer, Role::kSupervisor}, 7);
  const Sent sent = SendExcluding(
      absl::StrCat(R"({"member":"gnr","officer":")", named.id.text(),
                   R"(","reason":"relative_works_there"})"));
  EXPECT_FALSE(Sees(at("gnr"), named, sent.referral));
  EXPECT_TRUE(Sees(at("gnr"), at("gnr").officer(), sent.referral));
}

TEST_F(Exclusions, LookLikeACaseThatDoesNotExist) {
  const Officer named = AddOfficer(at("gnr"), "exemplo", {Role::kOfficer}, 7);
  const Sent sent = SendExcluding(
      R"({"member":"gnr","person":"Cabo EXEMPLO","reason":"fear_of_harm"})");
  TestAgent& gnr = at("gnr");
  const std::string grant =
      VALUE_OF(gnr.consents().List(gnr.officer(), ""))[0].grant_id.text();
  const absl::Status absent =
      gnr.referrals().Show(named, ReferralId::New().text(), {}, false).status();
  const absl::Status hidden =
      gnr.referrals().Show(named, sent.referral, {}, false).status();
  EXPECT_EQ(hidden, absent);
  EXPECT_EQ(gnr.consents().Show(named, grant).status(),
            gnr.consents().Show(named, GrantId::New().text()).status());
  EXPECT_EQ(gnr.consents().ShowCase(named, sent.case_id).status(),
            gnr.consents().ShowCase(named, CaseId::New().text()).status());
  EXPECT_EQ(gnr.referrals().Accept(named, sent.referral).status(),
            gnr.referrals().Accept(named, ReferralId::New().text()).status());
  // Who looked for it stands in the access log.
  const auto records = Records(gnr);
  EXPECT_TRUE(std::any_of(records.begin(), records.end(),
                          [&](const AccessRecord& record) {
                            return record.officer == named.id.text() &&
                                   record.case_pseudonym == sent.case_id &&
                                   record.outcome == "excluded";
                          }));
}

TEST_F(Exclusions, ByNameHideTheCaseFromEveryHandleThatFits) {
  const struct {
    const char* person;
    const char* handle;
    bool hidden;
  } cases[] = {
      {"Cabo EXEMPLO", "exemplo", true},
      {"Cabo EXEMPLO", "rui-exemplo", true},
      {"Cabo EXEMPLO", "exemplo-2", true},
      {"João Conceição", "joao", true},
      {"João Conceição", "conceicao", true},
      {"Cabo EXEMPLO", "maria", false},
      {"Cabo EXEMPLO", "exemplos", false},
      {"Ana de Sá", "de-brito", false},
  };
  uint32_t uid = 100;
  for (const auto& test : cases) {
    SCOPED_TRACE(absl::StrCat(test.person, " ", test.handle));
    AgentWorld world;
    TestAgent& gnr = world.agent("gnr");
    TestAgent& sender = world.agent("ong");
    const Officer officer = AddOfficer(
        gnr, test.handle, {Role::kOfficer, Role::kSupervisor}, ++uid);
    const ConsentView consent = VALUE_OF(sender.consents().Record(
        sender.officer(),
        PlainConsent("",
                     absl::StrCat(R"({"member":"gnr","person":")", test.person,
                                  R"(","reason":"fear_of_harm"})")),
        {}, ""));
    SendRequest request{.to = {"gnr"},
                        .form_json = FormFor({"gnr"}),
                        .consent = consent.grant_id.text()};
    const SendOutcome sent =
        VALUE_OF(sender.referrals().Send(sender.officer(), request));
    world.Settle();
    EXPECT_EQ(Sees(gnr, officer, sent.referral_id->text()), !test.hidden);
  }
}

TEST_F(Exclusions, OfANameThatNobodyHasLeaveTheCaseToSupervisors) {
  const Sent sent = SendExcluding(
      R"({"member":"gnr","person":"Cabo EXEMPLO","reason":"fear_of_harm"})");
  TestAgent& gnr = at("gnr");
  EXPECT_FALSE(Sees(gnr, gnr.officer(), sent.referral));
  EXPECT_TRUE(Sees(gnr, gnr.supervisor(), sent.referral));
  // To look at the referral is not to read the name.
  EXPECT_FALSE(Sees(gnr, gnr.officer(), sent.referral));
  const ConsentView consent =
      VALUE_OF(gnr.consents().Show(gnr.supervisor(), sent.consent));
  EXPECT_NE(consent.exclusions_json.find("Cabo EXEMPLO"), std::string::npos);
  EXPECT_TRUE(Sees(gnr, gnr.officer(), sent.referral));
  gnr.Restart();
  EXPECT_TRUE(Sees(gnr, gnr.officer(), sent.referral));
}

TEST_F(Exclusions, OfEverybodyWhoCouldSeeTheCaseRing) {
  TestAgent& gnr = at("gnr");
  const MemberId sender = world_.broker().Id("ong");
  const auto rings = [&] {
    RingForUnseen(gnr.desk(), gnr.alarms(), world_.clock().Now());
    return gnr.alarms().Has("unseen", sender);
  };
  // With a supervisor somebody reads the name.
  SendExcluding(
      R"({"member":"gnr","person":"Cabo EXEMPLO","reason":"fear_of_harm"})");
  EXPECT_FALSE(rings());
  VALUE_OF(gnr.officers().Remove(VALUE_OF(Handle::Parse("sofia"))));
  EXPECT_TRUE(rings());
  // Who may not see cases is no help, and no name is told.
  AddOfficer(gnr, "boss", {Role::kAdmin, Role::kAuditor}, 7);
  EXPECT_TRUE(rings());
  ASSERT_EQ(gnr.alarms().List().size(), 1u);
  EXPECT_THAT(gnr.alarms().EvidenceOf("unseen", sender),
              StatusIs(absl::StatusCode::kNotFound));
  AddOfficer(gnr, "olga", {Role::kSupervisor}, 8);
  EXPECT_FALSE(rings());
}

TEST_F(Exclusions, OfAKnownFamilyNameLeaveTheCaseToTheOthers) {
  AddOfficer(at("gnr"), "exemplo", {Role::kOfficer}, 7);
  const Sent sent = SendExcluding(
      R"({"member":"gnr","person":"Cabo EXEMPLO","reason":"fear_of_harm"})");
  EXPECT_TRUE(Sees(at("gnr"), at("gnr").officer(), sent.referral));
}

TEST_F(Exclusions, OfARankThatSomebodyHasSettleNothing) {
  AddOfficer(at("gnr"), "cabo-silva", {Role::kOfficer}, 7);
  const Sent sent = SendExcluding(
      R"({"member":"gnr","person":"Cabo EXEMPLO","reason":"fear_of_harm"})");
  EXPECT_FALSE(Sees(at("gnr"), at("gnr").officer(), sent.referral));
}

TEST_F(Exclusions, AreToldToTheMemberTheyConcernAlone) {
  const Sent sent =
      Delivered({"uls", "gnr"},
                PlainConsent("", R"({"member":"gnr","person":"Cabo EXEMPLO",
                           "reason":"relative_works_there"})"));
  TestAgent& uls = at("uls");
  const ConsentView there =
      VALUE_OF(uls.consents().Show(uls.supervisor(), sent.consent));
  EXPECT_EQ(there.exclusions_json, "[]");
  EXPECT_EQ(there.provisions_json, "[]");
  TestAgent& gnr = at("gnr");
  const ConsentView police =
      VALUE_OF(gnr.consents().Show(gnr.supervisor(), sent.consent));
  EXPECT_EQ(police.exclusions_json.find("relative_works_there"),
            std::string::npos);
}

TEST_F(Exclusions, HoldWhenTheNamesReadCannotBeRead) {
  const Sent sent = SendExcluding(
      R"({"member":"gnr","person":"Cabo EXEMPLO","reason":"fear_of_harm"})");
  TestAgent& gnr = at("gnr");
  EXPECT_OK(gnr.consents().Show(gnr.supervisor(), sent.consent));
  Batch damage;
  damage.Put(absl::StrCat("names-read/", sent.case_id),
             AsBytes("{\"not\":\"a list\"}"));
  EXPECT_OK(gnr.kv().Write(damage));
  EXPECT_FALSE(Sees(gnr, gnr.officer(), sent.referral));
}

}  // namespace
}  // namespace amparo::agent

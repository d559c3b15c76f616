#include "agents/institution/core/withdrawn.h"

#include "tests/unit/agents/institution/core/desk_fixture.h"

namespace amparo::agent {
namespace {

// What the access logs say of consents that were taken back.
class Withdrawn : public DeskTest {
 protected:
  TestAgent& uls() { return at("uls"); }

  void Revoke(const std::string& consent, const ConsentDesk::Part& part = {}) {
    EXPECT_OK(ong().consents().Revoke(ong().officer(), consent, part).status());
  }
  static std::vector<AccessRecord> Of(TestAgent& agent,
                                      const std::string& action) {
    std::vector<AccessRecord> records = Records(agent);
    std::erase_if(records, [&](const AccessRecord& record) {
      return record.action != action;
    });
    return records;
  }
  static std::vector<std::string> Actions(TestAgent& agent) {
    std::vector<std::string> actions;
    for (const AccessRecord& record : Records(agent))
      actions.push_back(record.action);
    return actions;
  }
  // The consent in place of the one that was narrowed.
  std::string NewestConsent() {
    for (const auto& [key, held] :
         ong().cases().All().at(0)->state.authority.grants)
      if (held.status == GrantStatus::kActive) return key.second.text();
    return "";
  }
};

TEST_F(Withdrawn, ARevocationIsWrittenAtWhoeverHoldsAnything) {
  const Sent sent = Delivered({"uls", "gnr"});
  Look(uls(), sent.referral, {"safe_contact"});
  Revoke(sent.consent);
  world_.Settle();
  const auto records = Of(uls(), "consent_withdrawn");
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].officer, "");
  EXPECT_EQ(records[0].affiliation, "uls");
  EXPECT_EQ(records[0].case_pseudonym, sent.case_id);
  EXPECT_EQ(records[0].grant_or_basis, sent.consent);
  EXPECT_EQ(records[0].supersedes, "");
  EXPECT_EQ(records[0].from, "ong");
  EXPECT_THAT(records[0].sections, testing::Contains("safe_contact"));
  EXPECT_EQ(records[0].outcome, "ok");
  EXPECT_EQ(Actions(uls()),
            (std::vector<std::string>{"referral_show", "section_open",
                                      "consent_withdrawn"}));
  EXPECT_EQ(Of(at("gnr"), "consent_withdrawn").size(), 1u);
  EXPECT_TRUE(Of(ong(), "consent_withdrawn").empty());
}

TEST_F(Withdrawn, ANarrowingNamesTheOldConsentAndTheSectionsTakenBack) {
  const Sent sent = Delivered({"uls", "gnr"});
  Look(uls(), sent.referral);
  Revoke(sent.consent, {.section = "risk", .member = "uls"});
  world_.Settle();
  Look(uls(), sent.referral, {"safe_contact"});

  const auto here = Of(ong(), "consent_revoke");
  ASSERT_EQ(here.size(), 1u);
  EXPECT_EQ(here[0].grant_or_basis, NewestConsent());
  EXPECT_EQ(here[0].supersedes, sent.consent);
  EXPECT_THAT(here[0].sections, testing::Each(testing::StartsWith("risk")));
  EXPECT_EQ(here[0].sections.size(), 1u);

  const auto there = Of(uls(), "consent_withdrawn");
  ASSERT_EQ(there.size(), 1u);
  EXPECT_EQ(there[0].officer, "");
  EXPECT_EQ(there[0].grant_or_basis, NewestConsent());
  EXPECT_EQ(there[0].supersedes, sent.consent);
  EXPECT_EQ(there[0].sections, here[0].sections);
  EXPECT_EQ(there[0].from, "ong");
  EXPECT_TRUE(Of(at("gnr"), "consent_withdrawn").empty());

  // Looks before it are under the old one, looks after it under the new one.
  const auto looks = Of(uls(), "referral_show");
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_LT(looks[0].seq, there[0].seq);
  EXPECT_EQ(looks[0].grant_or_basis, sent.consent);
  EXPECT_GT(looks[1].seq, there[0].seq);
  EXPECT_EQ(looks[1].grant_or_basis, NewestConsent());
  EXPECT_THAT(looks[1].sections,
              testing::Not(testing::Contains(there[0].sections[0])));
}

TEST_F(Withdrawn, AnExtensionThatTakesNothingBackIsNoWithdrawal) {
  const Sent sent = Delivered({"uls"});
  ASSERT_OK(ong()
                .consents()
                .Extend(ong().officer(), sent.consent,
                        MoreConsent(R"("narrative")", "uls", "support"))
                .status());
  world_.Settle();
  EXPECT_TRUE(Of(uls(), "consent_withdrawn").empty());
  ASSERT_EQ(Of(ong(), "consent_extend").size(), 1u);
  EXPECT_EQ(Of(ong(), "consent_extend")[0].supersedes, sent.consent);
  EXPECT_TRUE(Of(ong(), "consent_extend")[0].sections.empty());
  // Both are ended by a revocation of the newer one, and both said so.
  Revoke(sent.consent);
  world_.Settle();
  std::set<std::string> ended;
  for (const AccessRecord& record : Of(uls(), "consent_withdrawn")) {
    EXPECT_EQ(record.supersedes, "");
    ended.insert(record.grant_or_basis);
  }
  EXPECT_EQ(ended.size(), 2u);
  EXPECT_TRUE(ended.contains(sent.consent));
}

TEST_F(Withdrawn, IsWrittenOnceThroughRestartsAndRedeliveries) {
  const Sent sent = Delivered({"uls"});
  Revoke(sent.consent, {.section = "risk"});
  world_.Settle();
  ASSERT_EQ(Of(uls(), "consent_withdrawn").size(), 1u);
  uls().Restart();
  world_.Settle();
  ASSERT_OK(uls().intake().EraseUncovered());
  // As a peer sends again that was asked to.
  const auto entry = uls().cases().All().at(0);
  for (const CaseEvent& event : entry->events) {
    Batch rows;
    NoteWithdrawn(uls().peers().Now()->charter.charter, uls().cases().self(),
                  *entry, event, world_.clock().Now(), rows);
    EXPECT_TRUE(rows.empty());
  }
  EXPECT_EQ(Of(uls(), "consent_withdrawn").size(), 1u);
}

// The agent stops after it took the revocation in, before it wrote the record.
TEST_F(Withdrawn, AnInterruptedRecordIsWrittenLater) {
  const Sent sent = Delivered({"uls"});
  auto before = uls().cases().All().at(0);
  Revoke(sent.consent);
  world_.Settle();
  const auto after = uls().cases().All().at(0);
  const auto revoked = std::find_if(
      after->events.begin(), after->events.end(), [](const CaseEvent& event) {
        return std::holds_alternative<Revoked>(event.body);
      });
  ASSERT_NE(revoked, after->events.end());
  Batch rows;
  NoteWithdrawn(uls().peers().Now()->charter.charter, uls().cases().self(),
                *before, *revoked, world_.clock().Now(), rows);
  ASSERT_FALSE(rows.empty());
  ASSERT_OK(uls().kv().Write(rows));
  uls().Restart();
  ASSERT_OK(uls().intake().EraseUncovered());
  ASSERT_OK(uls().intake().EraseUncovered());
  EXPECT_EQ(Of(uls(), "consent_withdrawn").size(), 2u);
}

// The record may be missing, then nothing was taken in; never the other way.
TEST_F(Withdrawn, AttackAPeerEndsNoGrantOfAnother) {
  const Sent sent = Delivered({"uls"});
  const auto entry = uls().cases().All().at(0);
  const Grant& grant = entry->state.authority.grants.begin()->second.grant;
  const MemberId gnr = at("gnr").cases().self();
  const CaseEvent forged{.id = EventId::New(),
                         .case_id = entry->state.case_id,
                         .from = gnr,
                         .to = uls().cases().self(),
                         .at = world_.clock().Now(),
                         .leaf = LeafIndex(1),
                         .envelope = std::nullopt,
                         .body = Revoked{grant.digest, "", {}}};
  Batch rows;
  NoteWithdrawn(uls().peers().Now()->charter.charter, uls().cases().self(),
                *entry, forged, world_.clock().Now(), rows);
  EXPECT_TRUE(rows.empty());
}

}  // namespace
}  // namespace amparo::agent

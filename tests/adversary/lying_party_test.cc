#include "agents/institution/core/refused_mail.h"
#include "base/error.h"
#include "tests/adversary/opened_case.h"

// A party that opens a case to an auditor, and lies about it.

namespace amparo::agent {
namespace {

TEST_F(LyingAboutACase, BothEndsAreBelievedWhenTheyDoNot) {
  const auditor::Report whole = Judged({Open(ong(), true), Open(uls())});
  EXPECT_TRUE(whole.ok()) << ToText(whole);
  // Each envelope counts once, whoever opens it.
  EXPECT_EQ(whole.step(auditor::Step::kDisclosures).checked, 2u);
  ASSERT_EQ(whole.cases.size(), 1u);
  EXPECT_EQ(whole.cases[0].unproven, 0u);
  EXPECT_EQ(whole.cases[0].one_sided, 0u);
  const auditor::Report one = Judged({Open(ong(), true)});
  EXPECT_TRUE(one.ok()) << ToText(one);
  // For what purpose it went nobody but the sender says.
  EXPECT_EQ(one.step(auditor::Step::kDisclosures).Ok(), std::nullopt);
  EXPECT_EQ(one.cases[0].one_sided, 2u);
  const auditor::Report both = Judged({Open(ong()), Open(uls())});
  EXPECT_TRUE(both.ok()) << ToText(both);
  // What nobody can recompute is said, and is no finding.
  EXPECT_EQ(both.step(auditor::Step::kDisclosures).Ok(), std::nullopt);
  ASSERT_EQ(both.cases.size(), 1u);
  EXPECT_EQ(both.cases[0].unproven, 2u);
  EXPECT_EQ(both.cases[0].unopened, 0u);
  EXPECT_EQ(both.cases[0].disclosures, one.cases[0].disclosures);
  EXPECT_TRUE(Judged({Open(uls(), true)}).ok());
}

TEST_F(LyingAboutACase, WithoutItsSectionsNothingOfThemIsInTheOpening) {
  CaseOpening whole = Open(ong(), true);
  for (TestAgent* agent : {&ong(), &uls()}) {
    const std::string text = FormatCaseOpening(Open(*agent));
    for (const OpenedEnvelope* envelope : Disclosing(whole))
      for (const Disclosure& disclosure : envelope->content->disclosures)
        EXPECT_EQ(text.find(disclosure), std::string::npos);
  }
}

TEST_F(LyingAboutACase, AttackBySectionsThatNoConsentCoversIsFound) {
  CaseOpening opening = Open(ong());
  First(opening).slots.insert(VALUE_OF(ParseSlot("special")));
  EXPECT_TRUE(
      Finds(Judged({opening}), FindingCode::kNotCovered, First(opening).leaf));
}

TEST_F(LyingAboutACase, AttackByADisclosureAfterTheRevocationIsFound) {
  CaseOpening opening = Open(ong());
  const LeafIndex last = Disclosing(opening).back()->leaf;
  // The second consent is left out, with where it was logged.
  std::erase_if(opening.grants, [&](const std::string& text) {
    const ParsedSdJwt grant = VALUE_OF(ParseSdJwt(text, kGrantBytesMax));
    const absl::Time made =
        VALUE_OF(LoadGrant(grant.jwt, grant.disclosures)).issued_at;
    const bool second = made > world_.clock().Now() - absl::Minutes(1);
    if (second)
      std::erase_if(opening.anchors, [&](const OpenedAnchor& anchor) {
        return anchor.document == grant.jwt;
      });
    return second;
  });
  ASSERT_EQ(opening.grants.size(), 1u);
  EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kAfterRevocation, last));
}

TEST_F(LyingAboutACase, AttackByAConsentThatCameLaterIsFound) {
  CaseOpening opening = Open(ong());
  const LeafIndex first = First(opening).leaf;
  // The first consent is left out: the second was logged after the envelope.
  std::erase_if(opening.grants, [&](const std::string& text) {
    const ParsedSdJwt grant = VALUE_OF(ParseSdJwt(text, kGrantBytesMax));
    const bool early =
        VALUE_OF(LoadGrant(grant.jwt, grant.disclosures)).issued_at <
        world_.clock().Now() - absl::Minutes(1);
    if (early)
      std::erase_if(opening.anchors, [&](const OpenedAnchor& anchor) {
        return anchor.document == grant.jwt;
      });
    return early;
  });
  ASSERT_EQ(opening.grants.size(), 1u);
  EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kNotCovered, first));
  // Its date is signed: without its anchor it is no older.
  std::erase_if(opening.anchors, [&](const OpenedAnchor& anchor) {
    return opening.grants[0].starts_with(anchor.document);
  });
  EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kNotCovered, first));
}

TEST_F(LyingAboutACase, AttackByAnotherStoryForAnEntryIsFound) {
  const CaseOpening honest = Open(ong(), true);
  const std::vector<std::function<void(OpenedEnvelope&)>> lies = {
      [](OpenedEnvelope& e) { e.salt[0] ^= 1; },
      [](OpenedEnvelope& e) { e.manifest = Sha256("another"); },
      [](OpenedEnvelope& e) { e.document[30] ^= 1; },
      [](OpenedEnvelope& e) { e.document = "no document"; },
      [](OpenedEnvelope& e) { e.content->salt2[0] ^= 1; },
      [](OpenedEnvelope& e) { e.content->disclosures.pop_back(); },
      [](OpenedEnvelope& e) { e.content->grants.clear(); },
      [](OpenedEnvelope& e) { e.slots.erase(e.slots.begin()); },
      [](OpenedEnvelope& e) { e.slots.insert(Slot{Section::kSpecial}); }};
  for (size_t i = 0; i < lies.size(); ++i) {
    CaseOpening opening = honest;
    lies[i](First(opening));
    EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kBadSignature,
                      First(opening).leaf))
        << "lie " << i;
  }
  CaseOpening moved = honest;
  First(moved).leaf = moved.anchors.front().leaf;
  EXPECT_TRUE(Finds(Judged({moved}), FindingCode::kBadSignature,
                    moved.anchors.front().leaf));
  CaseOpening foreign = honest;
  foreign.net = Sha256("another network");
  EXPECT_TRUE(Finds(Judged({foreign}), FindingCode::kBadSignature));
  CaseOpening other = honest;
  other.case_id = CaseId::New();
  EXPECT_TRUE(Finds(Judged({other}), FindingCode::kBadSignature));
  CaseOpening usurped = honest;
  usurped.member = world_.broker().Id("gnr");
  EXPECT_TRUE(Finds(Judged({usurped}), FindingCode::kBadSignature));
}

TEST_F(LyingAboutACase, AttackByOneEndIsFoundWithTheOther) {
  CaseOpening silent = Open(uls());
  const LeafIndex first = First(silent).leaf;
  std::erase_if(silent.envelopes, [&](const OpenedEnvelope& envelope) {
    return envelope.leaf == first;
  });
  EXPECT_TRUE(Finds(Judged({Open(ong()), silent}), FindingCode::kOpeningMissing,
                    first));
  CaseOpening less = Open(uls());
  First(less).slots.erase(First(less).slots.begin());
  EXPECT_TRUE(
      Finds(Judged({Open(ong()), less}), FindingCode::kBadSignature, first));
}

TEST_F(LyingAboutACase, AttackByADecoyThatMayBeADenialLeavesTheStepOpen) {
  CaseOpening opening = Open(ong(), true);
  const auditor::Report all = Judged({opening, Open(uls())});
  size_t kept_back = 0;
  for (std::string& text : opening.grants) {
    ParsedSdJwt grant = VALUE_OF(ParseSdJwt(text, kGrantBytesMax));
    for (const Disclosure& disclosure : grant.disclosures)
      if (ToText(VALUE_OF(FromBase64Url(disclosure))).find("\"exclude\"") !=
          std::string::npos) {
        std::erase(grant.disclosures, disclosure);
        ++kept_back;
        break;
      }
    text = SerializeSdJwt(grant.jwt, grant.disclosures);
  }
  const auditor::Report less = Judged({opening, Open(uls())});
  for (const auditor::Report* report : {&all, &less}) {
    EXPECT_GT(report->cases[0].provisions, 0u);
    EXPECT_EQ(report->step(auditor::Step::kDisclosures).Ok(),
              report->cases[0].provisions_hidden == 0
                  ? std::optional<bool>(true)
                  : std::nullopt);
  }
  EXPECT_GT(less.cases[0].provisions_hidden, 0u);
  EXPECT_EQ(less.cases[0].provisions_hidden,
            all.cases[0].provisions_hidden + kept_back);
}

TEST_F(LyingAboutACase, AttackByARecipientWhoAccusesTheSenderIsItsWordAlone) {
  CaseOpening more = Open(uls());
  First(more).slots.insert(VALUE_OF(ParseSlot("special")));
  CaseOpening purpose = Open(uls(), true);
  First(purpose).purpose = "statistics";
  for (const CaseOpening* lie : {&more, &purpose}) {
    const LeafIndex leaf = First(const_cast<CaseOpening&>(*lie)).leaf;
    const auditor::Report alone = Judged({*lie});
    ASSERT_TRUE(Finds(alone, FindingCode::kNotCovered, leaf)) << ToText(alone);
    for (const auditor::Finding& finding : alone.findings())
      EXPECT_THAT(finding.text, testing::StartsWith("by the word of uls"));
    EXPECT_EQ(alone.cases[0].one_sided, 2u);
    // With the sender's own opening it is a contradiction between the two.
    const auditor::Report both = Judged({*lie, Open(ong(), true)});
    EXPECT_TRUE(Finds(both, FindingCode::kBadSignature, leaf)) << ToText(both);
    for (const auditor::Finding& finding : both.findings()) {
      if (finding.code != FindingCode::kNotCovered) continue;
      EXPECT_THAT(finding.text, testing::StartsWith("by the word of uls"));
    }
  }
}

TEST_F(LyingAboutACase, AttackByABasisThatDidNotGoAlongIsFound) {
  CaseOpening opening = Open(ong(), true);
  const LeafIndex leaf = SendAnyway(opening, {});
  EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kNotCovered, leaf));
  // Signed since, and dated back: what went along was another thing.
  opening.bases.push_back(BasisFor(opening, "mp"));
  EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kNotCovered, leaf));
  // Nobody can see what went along: it may be so, and the step says no more.
  opening.envelopes.back().content.reset();
  const auditor::Report unproven = Judged({opening});
  EXPECT_TRUE(unproven.ok()) << ToText(unproven);
  EXPECT_EQ(unproven.cases[0].bases_undated, 1u);
  ASSERT_EQ(unproven.cases[0].without_consent.size(), 1u);
  EXPECT_FALSE(unproven.cases[0].without_consent[0].proven);
  EXPECT_EQ(unproven.step(auditor::Step::kDisclosures).Ok(), std::nullopt);
  // Once an envelope, though both its ends open it, or leave another sealed.
  CaseOpening theirs = opening;
  theirs.member = world_.broker().Id("mp");
  theirs.envelopes = {opening.envelopes.back()};
  theirs.anchors.clear();
  opening.unopened = theirs.unopened = {LeafIndex(100'000)};
  const auditor::Report both = Judged({opening, theirs});
  EXPECT_EQ(both.cases[0].bases_undated, 1u);
  EXPECT_EQ(both.cases[0].unopened, 1u);
  EXPECT_THAT(ToText(unproven), testing::HasSubstr("legal basis"));
}

TEST_F(LyingAboutACase, ABasisThatWentAlongCounts) {
  CaseOpening opening = Open(ong(), true);
  const std::string basis = BasisFor(opening, "mp");
  opening.bases.push_back(basis);
  const LeafIndex leaf = SendAnyway(opening, {basis});
  const auditor::Report report = Judged({opening});
  EXPECT_TRUE(report.ok()) << ToText(report);
  EXPECT_EQ(report.cases[0].bases_undated, 0u);
  // Told apart from what the person agreed to: where, to whom, and why.
  ASSERT_EQ(report.cases[0].without_consent.size(), 1u);
  const auditor::WithoutConsentRow& row = report.cases[0].without_consent[0];
  EXPECT_EQ(row.index, leaf);
  EXPECT_EQ(row.from + " " + row.to, "ong mp");
  EXPECT_EQ(row.reason, "imminent_danger_life");
  EXPECT_EQ(row.sections, std::vector<std::string>{"identity"});
  EXPECT_TRUE(row.proven);
  const Json told = ToJson(report)["cases"][0]["without_consent"];
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]["index"], leaf.value());
  EXPECT_EQ(told[0]["reason"], "imminent_danger_life");
  EXPECT_THAT(ToText(report), testing::HasSubstr("WITHOUT CONSENT"));
  EXPECT_TRUE(Judged({Open(ong(), true)}).cases[0].without_consent.empty());
}

TEST_F(LyingAboutACase, AttackByAnotherContactIsFoundWithTheOther) {
  CaseOpening other = Open(uls());
  First(other).first_contact = !First(other).first_contact;
  EXPECT_TRUE(Finds(Judged({Open(ong()), other}), FindingCode::kBadSignature,
                    First(other).leaf));
}

TEST_F(LyingAboutACase, MailThatNeverCameIsNotLeftOutByItsRecipient) {
  // Sent, and still under way.
  uls().port().down = true;
  EXPECT_OK(ong().referrals().Disclose(ong().officer(), referral_, "uls",
                                       {"identity"}));
  world_.Settle();
  const auditor::Report waits = Judged({Open(ong()), Open(uls())});
  EXPECT_TRUE(waits.ok()) << ToText(waits);
  uls().port().down = false;
  world_.Settle();
  EXPECT_TRUE(Judged({Open(ong()), Open(uls())}).ok());
}

TEST_F(LyingAboutACase, AttackByEntriesThatAreNotThereSaysSoAndNeverCrashes) {
  CaseOpening opening = Open(ong());
  for (OpenedEnvelope& envelope : opening.envelopes)
    envelope.leaf = LeafIndex(~uint64_t{0});
  for (OpenedAnchor& anchor : opening.anchors) anchor.leaf = LeafIndex(0);
  opening.grants = {"", "~", opening.grants[0] + "AAAA~"};
  const auditor::Report report = Judged({opening});
  EXPECT_EQ(report.step(auditor::Step::kDisclosures).checked, 0u);
  EXPECT_NE(report.step(auditor::Step::kDisclosures).Ok(), true);
}

TEST_F(LyingAboutACase, OnlyASupervisorOpensItAndTheAccessLogSaysSoFirst) {
  EvidenceDesk desk = DeskOf(ong());
  const uint64_t before = ong().desk().access_log.size().value();
  EXPECT_THAT(desk.OpenCase(ong().officer(), case_id_, false),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(desk.Document(ong().officer(), {.referral_id = referral_}),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(ong().desk().access_log.size().value(), before);
  ASSERT_OK(desk.OpenCase(ong().supervisor(), case_id_, true));
  ASSERT_OK(desk.Document(ong().supervisor(),
                          {.referral_id = referral_, .sections = {"needs"}}));
  const auto records =
      VALUE_OF(ong().desk().access_log.Read(std::nullopt, 10'000));
  EXPECT_EQ(records[before].action, "case_opening");
  EXPECT_FALSE(records[before].sections.empty());
  EXPECT_EQ(records[before + 1].action, "evidence_document");
  EXPECT_EQ(records[before + 1].sections, std::vector<std::string>({"needs"}));
}

// What it had to erase nobody can ask it for, and it says since when.
TEST_F(LyingAboutACase, ARecipientSaysThatItErasedWhatItCannotShow) {
  const auto ours =
      VALUE_OF(DeskOf(ong()).OpenCase(ong().supervisor(), case_id_, true));
  EXPECT_EQ(ours.erased, 0u);
  for (const bool with_sections : {false, true}) {
    const auto theirs = VALUE_OF(
        DeskOf(uls()).OpenCase(uls().supervisor(), case_id_, with_sections));
    EXPECT_EQ(theirs.withheld, with_sections ? 1u : 2u);
    EXPECT_EQ(theirs.erased, 1u);
    EXPECT_LT(theirs.erased_at, world_.clock().Now());
    EXPECT_GT(theirs.erased_at, world_.clock().Now() - absl::Hours(1));
  }
}

TEST_F(LyingAboutACase, ARecipientOpensNoSectionWhoseConsentRanOut) {
  const auto shown = [&](TestAgent& agent) {
    size_t contents = 0;
    CaseOpening opening = Open(agent, true);
    for (const OpenedEnvelope* envelope : Disclosing(opening))
      contents += envelope->content.has_value();
    return contents;
  };
  EXPECT_GT(shown(uls()), 0u);
  world_.clock().Advance(absl::Hours(24 * 200));
  EXPECT_EQ(shown(uls()), 0u);
  EXPECT_GT(shown(ong()), 0u) << "who wrote them may";
}

TEST_F(LyingAboutACase, ARecipientGivesOutNoSectionThatItMayNotSee) {
  // identity was revoked and erased at uls; ong, who wrote it, has it still.
  EXPECT_FALSE(DeskOf(uls())
                   .Document(uls().supervisor(), {.referral_id = referral_,
                                                  .sections = {"identity"}})
                   .ok());
  EXPECT_OK(DeskOf(uls()).Document(
      uls().supervisor(),
      {.referral_id = referral_, .sections = {"needs_summary"}}));
  EXPECT_OK(DeskOf(ong()).Document(
      ong().supervisor(),
      {.referral_id = referral_, .sections = {"identity"}}));
}

// An honest recipient is not said to hide what it refused, nor what came twice.
TEST_F(LyingAboutACase, MailThatIsRefusedOrComesAgainIsNotLeftOut) {
  CaseOpening of_ong = Open(ong());
  SendBesides(of_ong, EventKind::kAccepted, EventId::New());  // not its to say
  EXPECT_EQ(uls().intake().quarantined(), 1u);
  const EventId twice = EventId::New();
  SendBesides(of_ong, EventKind::kCancelRequested, twice);
  SendBesides(of_ong, EventKind::kCancelRequested, twice);
  EXPECT_EQ(uls().intake().quarantined(), 1u);

  CaseOpening of_uls = Open(uls());
  EXPECT_EQ(of_uls.unopened.size(), 2u);
  const auto left_out = [&] {
    return Finds(Judged({of_ong, of_uls}), FindingCode::kOpeningMissing);
  };
  EXPECT_FALSE(left_out());
  of_uls.unopened.clear();
  EXPECT_TRUE(left_out());
}

// Nor what came after it wrote its opening; that there is more is said.
TEST_F(LyingAboutACase, WhatCameAfterAnOpeningIsNotLeftOut) {
  CaseOpening of_uls = Open(uls()), of_ong = Open(ong());
  SendBesides(of_ong, EventKind::kCancelRequested, EventId::New());
  const auditor::Report report = Judged({of_ong, of_uls});
  EXPECT_FALSE(Finds(report, FindingCode::kOpeningMissing)) << ToText(report);
  EXPECT_EQ(report.step(auditor::Step::kDisclosures).Ok(), std::nullopt);
  EXPECT_THAT(ToText(report), testing::HasSubstr("uls's opening of case " +
                                                 case_id_ + " was written"));
  // Its word is what counts: it knew all of the log, and has it not.
  of_uls.size = Open(uls()).size;
  EXPECT_TRUE(Finds(Judged({of_ong, of_uls}), FindingCode::kOpeningMissing));
}

// Two honest ends and what happens between them: each envelope is told as what
// it held, whatever was taken back before or after.
class HonestEnds : public LyingAboutACase {
 protected:
  // Of what the case's parties did; links that a broker refused are its own.
  void ExpectNobodyAccused(const std::string& referral) {
    case_id_ =
        VALUE_OF(ong().referrals().Show(ong().officer(), referral, {}, true))
            .case_id.text();
    const auditor::Report report = Judged({Open(ong()), Open(uls())});
    EXPECT_NE(report.step(auditor::Step::kDisclosures).Ok(),
              std::optional<bool>(false))
        << ToText(report);
  }
};

// As its recipient asks who came back from a backup.
TEST_F(HonestEnds, WhatGoesAgainWithoutWhatWasTakenBackIsToldAlike) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  world_.Settle();
  EXPECT_OK(
      ong().consents().Revoke(ong().officer(), consent, {.section = "risk"}));
  world_.Settle();
  const auto expect_risk_alone_is_erased = [&] {
    const auto entry = ong().cases().FindByReferral(
        VALUE_OF(ong().cases().ResolveReferral(referral)));
    size_t erased = 0;
    for (const auto& [slot, shared] :
         entry->state.referrals.begin()->second.shared) {
      EXPECT_EQ(shared.erased, slot.section == Section::kRisk) << NameOf(slot);
      erased += shared.erased ? 1 : 0;
    }
    EXPECT_GT(erased, 0u);
  };
  expect_risk_alone_is_erased();
  const auto entry = ong().cases().FindByReferral(
      VALUE_OF(ong().cases().ResolveReferral(referral)));
  for (const CaseEvent& event : entry->events)
    if (std::holds_alternative<DocumentSent>(event.body)) {
      const auto sent = VALUE_OF(ong().outbox().SentAs(*event.envelope));
      Batch rows;
      ong().outbox().Add(sent.draft, rows);
      EXPECT_OK(ong().kv().Write(rows));
    }
  world_.Settle();
  // Nor does its sender see as shared what is not there any more.
  expect_risk_alone_is_erased();
  ExpectNobodyAccused(referral);
}

// Sealed twice: the first, with more in it, the broker did not take.
TEST_F(HonestEnds, WhatTheBrokerRefusedIsNotToldAsSent) {
  const std::string consent = RecordConsent();
  const std::string referral = ReferUnder(consent);
  bool refused = false;
  ong().port().refuse_submit = [&]() -> absl::Status {
    if (refused) return absl::OkStatus();
    refused = true;
    EXPECT_OK(
        ong().consents().Revoke(ong().officer(), consent, {.section = "risk"}));
    return MakeError(absl::StatusCode::kFailedPrecondition, "not fresh",
                     {.field = "created", .retryable = true});
  };
  world_.Settle();
  ong().port().refuse_submit = nullptr;
  world_.Settle();
  EXPECT_TRUE(refused);
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kDelivered);
  ExpectNobodyAccused(referral);
}

TEST_F(HonestEnds, WhatCameAndWasTakenBackUnreadIsToldAlike) {
  uls().port().answer_receipt = [] {
    return absl::UnavailableError("the line is down");
  };
  const std::string referral = Refer();
  world_.Settle();
  EXPECT_OK(ong().referrals().Withdraw(ong().officer(), referral));
  world_.Settle();
  uls().port().answer_receipt = nullptr;
  world_.Settle();
  EXPECT_EQ(DeliveryTo("uls", referral), Delivery::kRecalled);
  ExpectNobodyAccused(referral);
}

TEST_F(LyingAboutACase, MailThatIsHeldIsNotLeftOut) {
  EXPECT_TRUE(Open(uls()).unopened.empty());
  Batch rows;
  NoteUnfolded(LeafIndex(3), world_.broker().Id("ong"), std::nullopt, rows);
  NoteUnfolded(LeafIndex(4), world_.broker().Id("mp"), std::nullopt, rows);
  NoteUnfolded(LeafIndex(5), world_.broker().Id("mp"), {{CaseId::New()}}, rows);
  ASSERT_OK(uls().kv().Write(rows));
  // Of whom it cannot be told, by a party: any of its sender's.
  EXPECT_EQ(Open(uls()).unopened, std::vector<LeafIndex>{LeafIndex(3)});
}

}  // namespace
}  // namespace amparo::agent

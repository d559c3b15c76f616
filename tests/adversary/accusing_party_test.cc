#include "proto/content/event_document.h"
#include "tests/adversary/opened_case.h"

// A party that opens a case to an auditor in order to have the other end of it
// accused: of what is of no case, of what it sees itself, of an entry that
// nobody wrote.

namespace amparo::agent {
namespace {

class AccusingParty : public LyingAboutACase {
 protected:
  // What the link between two members carries, and no case.
  std::string Heartbeat(TestAgent& from, const char* id) {
    return VALUE_OF(SignEvent({.net = world_.broker().charter().network_id,
                               .issuer = world_.broker().Id(id),
                               .at = world_.clock().Now(),
                               .event_id = EventId::New(),
                               .kind = EventKind::kHeartbeat},
                              VALUE_OF(from.keys().Signer())));
  }
  // ong says that its officer opened what uls sent in entry `leaf`.
  std::string Opened(LeafIndex leaf, const Digest& digest) {
    return SignReceipt(
        {world_.broker().charter().network_id, world_.broker().Id("ong"),
         world_.broker().Id("uls"), world_.clock().Now(), EventId::New(),
         ReceiptKind::kOpened, digest, leaf},
        VALUE_OF(ong().keys().Signer()));
  }
  OpenedAnchor LogAnchor(TestAgent& from, const char* id,
                         const std::string& document) {
    const SigningKey key = VALUE_OF(from.keys().Signer());
    const Bytes salt = RandomBytes(32);
    const SignedAnchor anchor = SignAnchor(
        {world_.broker().charter().network_id, world_.broker().Id(id),
         key.verify_key().Thumbprint(), world_.clock().Now(),
         AnchorDigest(salt, SdJwtDigest(document), Digest())},
        key);
    return {LogAnyway(EncodeAuditEvent(
                          AnchorEvent{anchor.anchor_bytes, anchor.signature}))
                .leaf,
            salt, document};
  }
  // ong records it; as its opening has it from then on.
  std::string ConsentForMp() {
    const std::vector<std::string> before = Open(ong()).grants;
    Json form = VALUE_OF(ParseJson(kExampleConsentForm));
    form["case"] = case_id_;
    form["provisions"][0]["recipients"][0]["member"] = "mp";
    form["provisions"][0]["purposes"].push_back("safety");
    EXPECT_OK(ong().consents().Record(ong().officer(), DumpJson(form), {}, ""));
    world_.clock().Advance(absl::Minutes(1));
    for (const std::string& text : Open(ong()).grants)
      if (std::find(before.begin(), before.end(), text) == before.end())
        return text;
    ADD_FAILURE() << "no consent was recorded";
    return "";
  }
  static void Put(const OpenedEnvelope& envelope, CaseOpening& opening) {
    opening.envelopes.push_back(envelope);
  }
};

TEST_F(AccusingParty, AttackByAHeartbeatAccusesOnlyWhoSaysIt) {
  const OpenedEnvelope beat = Log(ong(), "ong", "uls", Heartbeat(ong(), "ong"));
  LogDelivered(uls(), "uls", "ong", beat.leaf);
  for (const bool by_recipient : {true, false}) {
    CaseOpening one = Open(uls()), two = Open(ong());
    Put(beat, by_recipient ? one : two);
    const auditor::Report report = Judged({one, two});
    EXPECT_FALSE(Finds(report, FindingCode::kOpeningMissing)) << ToText(report);
    EXPECT_TRUE(Finds(report, FindingCode::kBadSignature, beat.leaf));
    for (const auditor::Finding& finding : report.findings())
      EXPECT_THAT(finding.text,
                  testing::StartsWith(by_recipient ? "uls's" : "ong's"));
  }
}

// An acknowledgement names an envelope, and no case.
TEST_F(AccusingParty, AttackByAnAcknowledgementOfAnotherCaseAccusesNobody) {
  const OpenedEnvelope other =
      Log(uls(), "uls", "ong", Heartbeat(uls(), "uls"));
  const OpenedEnvelope said =
      Log(ong(), "ong", "uls", Opened(other.leaf, digests_.at(other.leaf)));
  CaseOpening lie = Open(uls());
  Put(said, lie);
  const auditor::Report report = Judged({lie, Open(ong())});
  EXPECT_FALSE(Finds(report, FindingCode::kOpeningMissing)) << ToText(report);
  EXPECT_EQ(report.step(auditor::Step::kDisclosures).Ok(), std::nullopt);
}

TEST_F(AccusingParty, AnAcknowledgementOfThisCaseIsMissedLikeOtherMail) {
  const OpenedEnvelope first =
      First(*std::make_unique<CaseOpening>(Open(uls())));
  EXPECT_OK(uls().referrals().Show(uls().officer(), referral_, {}, false));
  world_.Settle();
  const CaseOpening ours = Open(uls());
  const OpenedEnvelope& last = ours.envelopes.back();
  ASSERT_EQ(VALUE_OF(PeekReceipt(last.document)).kind, ReceiptKind::kOpened);
  ASSERT_GT(last.leaf, first.leaf);
  const auditor::Report whole = Judged({Open(ong(), true), Open(uls(), true)});
  EXPECT_TRUE(whole.ok()) << ToText(whole);
  EXPECT_THAT(ToText(whole), testing::Not(testing::HasSubstr("acknowledge")));
  CaseOpening less = ours;
  less.envelopes.pop_back();
  EXPECT_TRUE(Finds(Judged({Open(ong()), less}), FindingCode::kOpeningMissing,
                    last.leaf));
}

// What ong's own manifest binds is ong's, whoever shows it.
TEST_F(AccusingParty, AttackByAProvisionThatTheContentHasAccusesNobody) {
  CaseOpening lie = Open(uls(), true);
  for (std::string& text : lie.grants) {
    const ParsedSdJwt grant = VALUE_OF(ParseSdJwt(text, kGrantBytesMax));
    ASSERT_FALSE(grant.disclosures.empty());
    text = SerializeSdJwt(grant.jwt, {});
  }
  size_t shown = 0;
  std::erase_if(lie.envelopes, [&](const OpenedEnvelope& envelope) {
    shown += envelope.content.has_value() && !envelope.slots.empty();
    return !envelope.slots.empty() && !envelope.content.has_value();
  });
  ASSERT_GT(shown, 0u);
  const auditor::Report report = Judged({lie});
  EXPECT_TRUE(report.ok()) << ToText(report);
  lie.grants.clear();
  EXPECT_FALSE(Finds(Judged({lie}), FindingCode::kNotCovered));
}

// Where ong does not know the entry of its consent any more, its date counts,
// unless it was logged later than it says.
TEST_F(AccusingParty, AttackByAnAnchorThatIsNotThereAccusesNobody) {
  const CaseOpening ours = Open(ong());
  const auto without = [&](CaseOpening opening) {
    std::erase_if(opening.anchors, [&](const OpenedAnchor& anchor) {
      return std::any_of(ours.grants.begin(), ours.grants.end(),
                         [&](const auto& grant) {
                           return grant.starts_with(anchor.document);
                         });
    });
    return opening;
  };
  const CaseOpening lost = without(ours);
  const auditor::Report undated = Judged({lost});
  EXPECT_TRUE(undated.ok()) << ToText(undated);
  EXPECT_EQ(undated.cases[0].grants_undated, 2u);
  for (const LeafIndex leaf : {LeafIndex(~uint64_t{0}), LeafIndex(100'000),
                               ours.envelopes.back().leaf}) {
    CaseOpening lie = without(Open(uls()));
    for (const std::string& text : ours.grants)
      lie.anchors.push_back({leaf, RandomBytes(32),
                             VALUE_OF(ParseSdJwt(text, kGrantBytesMax)).jwt});
    const auditor::Report report = Judged({lost, lie});
    EXPECT_FALSE(Finds(report, FindingCode::kNotCovered)) << ToText(report);
    EXPECT_FALSE(Finds(report, FindingCode::kAfterRevocation));
    EXPECT_EQ(report.cases[0].grants_undated, 2u);
    EXPECT_NE(report.step(auditor::Step::kDisclosures).Ok(), true);
  }
}

// Nor does another member's own anchor of it, logged late, say when ong's was.
TEST_F(AccusingParty, AttackByAnAnchorOfAnothersConsentAccusesNobody) {
  CaseOpening ours = Open(ong(), true);
  const std::string grant = ConsentForMp();
  const LeafIndex undated = SendAnyway(ours, {});
  SendAnyway(ours, {grant});  // by which it is known before that anchor
  ours.grants.push_back(grant);
  CaseOpening lie = Open(uls());
  lie.anchors.push_back(
      LogAnchor(uls(), "uls", VALUE_OF(ParseSdJwt(grant, kGrantBytesMax)).jwt));
  const auditor::Report report = Judged({ours, lie});
  EXPECT_FALSE(Finds(report, FindingCode::kNotCovered, undated))
      << ToText(report);
  EXPECT_EQ(report.cases[0].grants_undated, 1u);
}

// The other way round: a consent that was logged after what it is to cover.
TEST_F(AccusingParty, AConsentThatIsDatedBackIsHeldToItsAnchor) {
  CaseOpening ours = Open(ong(), true);
  ConsentForMp();
  const LeafIndex leaf = SendAnyway(ours, {});
  for (const std::string& text : Open(ong()).grants)
    if (std::find(ours.grants.begin(), ours.grants.end(), text) ==
        ours.grants.end())
      ours.grants.push_back(text);
  const auditor::Report undated = Judged({ours});
  EXPECT_TRUE(undated.ok()) << ToText(undated);
  EXPECT_EQ(undated.cases[0].grants_undated, 1u);
  const std::string jwt =
      VALUE_OF(ParseSdJwt(ours.grants.back(), kGrantBytesMax)).jwt;
  ours.anchors.push_back(LogAnchor(ong(), "ong", jwt));
  EXPECT_TRUE(Finds(Judged({ours}), FindingCode::kNotCovered, leaf))
      << ToText(Judged({ours}));
}

// Who lists an entry as unopened says that it is an envelope of its own.
TEST_F(AccusingParty, AttackByAnEntryThatHidesNoBasisIsFound) {
  CaseOpening opening = Open(ong(), true);
  const LeafIndex to_uls = First(opening).leaf;
  const OpenedEnvelope beat = Log(ong(), "ong", "uls", Heartbeat(ong(), "ong"));
  const OpenedEnvelope to_mp = Log(ong(), "ong", "mp", Heartbeat(ong(), "ong"));
  const OpenedEnvelope theirs =
      Log(uls(), "uls", "mp", Heartbeat(uls(), "uls"));
  const LeafIndex leaf = SendAnyway(opening, {});
  opening.bases.push_back(BasisFor(opening, "mp"));
  const OpenedEnvelope later = Log(ong(), "ong", "mp", Heartbeat(ong(), "ong"));
  for (const LeafIndex hidden : {LeafIndex(0), to_uls, beat.leaf, later.leaf,
                                 theirs.leaf, LeafIndex(100'000)}) {
    opening.unopened = {hidden};
    EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kNotCovered, leaf))
        << hidden.value();
  }
  for (const LeafIndex none : {LeafIndex(0), theirs.leaf}) {
    opening.unopened = {none};
    EXPECT_TRUE(Finds(Judged({opening}), FindingCode::kBadSignature, none));
  }
  opening.unopened = {to_mp.leaf};
  const auditor::Report may_be = Judged({opening});
  EXPECT_TRUE(may_be.ok()) << ToText(may_be);
  EXPECT_EQ(may_be.cases[0].bases_undated, 1u);
  // What became of an entry without opening nobody can say.
  ShownLog log = Shown();
  log.openings.erase(beat.leaf.value());
  opening.unopened = {beat.leaf};
  EXPECT_FALSE(Finds(Judged({opening}, log), FindingCode::kNotCovered, leaf));
}

}  // namespace
}  // namespace amparo::agent

#include "proto/content/policy.h"

#include <algorithm>
#include <string>
#include <tuple>

#include "base/error.h"
#include "gtest/gtest.h"
#include "proto/content/matrix.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::set<Section> kAll(AllSections().begin(), AllSections().end());

// ---- the matrix

TEST(Matrix, IsTheTableOfThePaper) {
  EXPECT_EQ(DefaultLetter(MemberKind::kVictimSupport, Section::kIdentity),
            Letter::kFull);
  EXPECT_EQ(DefaultLetter(MemberKind::kCoordinator, Section::kIdentity),
            Letter::kSummary);
  EXPECT_EQ(DefaultLetter(MemberKind::kPolice, Section::kSafeContact),
            Letter::kFirstContact);
  EXPECT_EQ(DefaultLetter(MemberKind::kChildProtection, Section::kSafeContact),
            Letter::kGrantNames);
  EXPECT_EQ(
      DefaultLetter(MemberKind::kPerpetratorProgramme, Section::kSafeContact),
      Letter::kNever);
  EXPECT_EQ(DefaultLetter(MemberKind::kHealth, Section::kHealth),
            Letter::kFull);
  EXPECT_EQ(DefaultLetter(MemberKind::kPolice, Section::kHealth),
            Letter::kNone);
  EXPECT_EQ(DefaultLetter(MemberKind::kEducationEmployment, Section::kChildren),
            Letter::kGrantNames);
  EXPECT_EQ(DefaultLetter(MemberKind::kHotline, Section::kNeeds),
            Letter::kFull);
}

TEST(Matrix, NobodyWithoutAMailboxReceivesAnything) {
  Charter charter = MakeCharter();
  charter.matrix[MemberKind::kAuditor]["risk"] = 'F';
  for (const Section section : AllSections())
    for (const MemberKind kind :
         {MemberKind::kAuditor, MemberKind::kStatistician})
      EXPECT_EQ(LetterFor(charter, kind, section), Letter::kNever);
}

TEST(Matrix, TheCharterOverridesCellByCell) {
  Charter charter = MakeCharter();
  charter.matrix[MemberKind::kPolice]["health"] = 'G';
  EXPECT_EQ(LetterFor(charter, MemberKind::kPolice, Section::kHealth),
            Letter::kGrantNames);
  EXPECT_EQ(LetterFor(charter, MemberKind::kPolice, Section::kRisk),
            Letter::kFull);
  EXPECT_EQ(LetterFor(charter, MemberKind::kHealth, Section::kHealth),
            Letter::kFull);
}

TEST(Matrix, ALetterThatMeansNothingMeansNever) {
  Charter charter = MakeCharter();
  charter.matrix[MemberKind::kPolice]["risk"] = 'f';
  EXPECT_EQ(LetterFor(charter, MemberKind::kPolice, Section::kRisk),
            Letter::kNever);
}

// ---- one decision at a time

class PolicyTest : public testing::Test {
 protected:
  Grant Issue(const ConsentForm& form) {
    return VALUE_OF(IssueGrant(form, MakeContext(case_id_), charter_, key_));
  }
  Transfer To(const MemberId& recipient, const std::string& purpose) {
    return {kOng, recipient, case_id_, purpose, recipient == kUls};
  }
  SectionDecision Ask(const Authority& authority, const Transfer& transfer,
                      Section section, absl::Time now = kNoon) {
    return Decide(charter_, authority, transfer, {section}, now).at(0);
  }
  WithoutConsent Basis(const MemberId& recipient, std::set<Section> sections) {
    return {.net = kNet,
            .issuer = kOng,
            .recipient = recipient,
            .at = kNoon,
            .expires = kNoon + kWithoutConsentLife,
            .case_id = case_id_,
            .id = WithoutConsentId::New(),
            .reason_code = "imminent_danger_life",
            .sections = std::move(sections),
            .risk_level = "extreme",
            .purpose = "safety",
            .legal_basis = {"A6-1-d"},
            .agreement_sought = "unsafe",
            .informed_answer = "later",
            .informed_date = {},
            .second_approver = false,
            .texts = {},
            .token = {}};
  }
  // A permit for `sections`, by name, to the police for safety.
  ConsentForm PolicePermit(std::set<Section> sections) {
    ConsentForm form = SimpleConsent();
    form.permits[0].sections = std::move(sections);
    form.permits[0].recipients = {RecipientRule(MemberKind::kPolice)};
    form.permits[0].purposes = {"safety"};
    return form;
  }

  Charter charter_ = MakeCharter();
  const CaseId case_id_ = CaseId::New();
  const SigningKey key_ = SigningKey::Generate();
};

TEST_F(PolicyTest, DecidesTheExampleAsWritten) {
  const Authority authority =
      AuthorityOf({Issue(VALUE_OF(ParseConsentForm(kExampleConsentForm)))});
  const auto uls =
      Decide(charter_, authority, To(kUls, "health_care"), kAll, kNoon);
  EXPECT_EQ(DecisionOn(Section::kIdentity, uls).view, View::kFull);
  EXPECT_EQ(DecisionOn(Section::kSafeContact, uls).view, View::kFull);
  EXPECT_EQ(DecisionOn(Section::kRisk, uls).view, View::kSummary);
  EXPECT_EQ(DecisionOn(Section::kHealth, uls).view, View::kFull);
  EXPECT_EQ(DecisionOn(Section::kNarrative, uls).reason, Reason::kNoPermit);
  EXPECT_EQ(DecisionOn(Section::kLegal, uls).reason, Reason::kMatrix);

  const auto gnr = Decide(charter_, authority, To(kGnr, "safety"), kAll, kNoon);
  EXPECT_EQ(DecisionOn(Section::kSafeContact, gnr).reason, Reason::kDenied);
  EXPECT_EQ(DecisionOn(Section::kSafeContact, gnr).text,
            "the consent keeps safe_contact from police");
  EXPECT_EQ(DecisionOn(Section::kSafeContact, gnr).authority,
            authority.grants.begin()->first.second.text());
  EXPECT_EQ(DecisionOn(Section::kRisk, gnr).view, View::kFull);
  EXPECT_EQ(DecisionOn(Section::kNarrative, gnr).reason, Reason::kNoPermit);
  EXPECT_EQ(DecisionOn(Section::kChildren, gnr).reason, Reason::kNoPermit);

  for (const SectionDecision& decision :
       Decide(charter_, authority, To(kCpcj, "child_protection"), kAll, kNoon))
    EXPECT_EQ(decision.reason, Reason::kExcluded);
}

TEST_F(PolicyTest, EverySubsetIsDecidedSectionBySection) {
  const Authority authority =
      AuthorityOf({Issue(VALUE_OF(ParseConsentForm(kExampleConsentForm)))});
  const Transfer transfer = To(kUls, "support");
  const auto whole = Decide(charter_, authority, transfer, kAll, kNoon);
  for (uint32_t bits = 0; bits < 1u << 12; ++bits) {
    std::set<Section> subset;
    for (size_t i = 0; i < 12; ++i)
      if (bits & (1u << i)) subset.insert(AllSections()[i]);
    const auto decisions = Decide(charter_, authority, transfer, subset, kNoon);
    ASSERT_THAT(decisions, SizeIs(subset.size()));
    for (const SectionDecision& decision : decisions) {
      ASSERT_EQ(decision.view, DecisionOn(decision.section, whole).view);
      ASSERT_EQ(decision.reason, DecisionOn(decision.section, whole).reason);
    }
  }
}

TEST_F(PolicyTest, WithoutGrantNothingGoes) {
  for (const Member& member : charter_.members)
    for (const SectionDecision& decision :
         Decide(charter_, {}, To(member.id, "support"), kAll, kNoon))
      EXPECT_FALSE(decision.allowed());
}

TEST_F(PolicyTest, AGrantHoldsFromItsFirstToBeforeItsLastSecond) {
  ConsentForm form = PolicePermit({Section::kRisk});
  form.permits[0].from = kNoon + absl::Hours(1);
  form.permits[0].until = kNoon + absl::Hours(2);
  const Authority authority = AuthorityOf({Issue(form)});
  const Transfer transfer = To(kGnr, "safety");
  const auto at = [&](absl::Duration after) {
    return Ask(authority, transfer, Section::kRisk, kNoon + after).reason;
  };
  EXPECT_EQ(at(absl::Seconds(3599)), Reason::kNotYet);
  EXPECT_EQ(at(absl::Hours(1)), Reason::kGranted);
  EXPECT_EQ(at(absl::Seconds(7199)), Reason::kGranted);
  EXPECT_EQ(at(absl::Hours(2)), Reason::kExpired);
}

TEST_F(PolicyTest, AClockBehindTheIssuersRefusesNoFreshGrant) {
  Authority authority = AuthorityOf({Issue(PolicePermit({Section::kRisk}))});
  authority.bases = {Basis(kPsp, {Section::kIncident})};
  const absl::Time behind = kNoon - absl::Minutes(5);
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk, behind).reason,
            Reason::kGranted);
  EXPECT_EQ(
      Ask(authority, To(kPsp, "safety"), Section::kIncident, behind).reason,
      Reason::kBasis);
}

TEST_F(PolicyTest, AGrantOfAnotherCaseOrMemberPermitsNothing) {
  Grant grant = Issue(PolicePermit({Section::kRisk}));
  Transfer transfer = To(kGnr, "safety");
  transfer.case_id = CaseId::New();
  EXPECT_EQ(Ask(AuthorityOf({grant}), transfer, Section::kRisk).reason,
            Reason::kNoPermit);
  transfer = To(kGnr, "safety");
  transfer.sender = kUls;
  EXPECT_EQ(Ask(AuthorityOf({grant}), transfer, Section::kRisk).reason,
            Reason::kNoPermit);
}

TEST_F(PolicyTest, ADenialOfAnyActiveGrantOfTheCaseWins) {
  ConsentForm denying = SimpleConsent();
  denying.permits.clear();
  denying.denials = {{false, {Section::kRisk}, {RecipientRule(kGnr)}, "other"}};
  Authority authority =
      AuthorityOf({Issue(PolicePermit({Section::kRisk})), Issue(denying)});
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kDenied);
  EXPECT_EQ(Ask(authority, To(kPsp, "safety"), Section::kRisk).reason,
            Reason::kGranted);
  for (auto& [id, held] : authority.grants)
    if (!held.grant.denials().empty()) held.status = GrantStatus::kRevoked;
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kGranted);
}

TEST_F(PolicyTest, TheExclusionOfAPersonDoesNotShutOutItsMember) {
  ConsentForm form = PolicePermit({Section::kRisk});
  form.exclusions = {
      {kGnr, "Cabo EXEMPLO", std::nullopt, "relative_works_there"}};
  const Authority authority = AuthorityOf({Issue(form)});
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kGranted);
}

// A peer has no exclusion of a member to tell: who could, would keep the
// others' mail out.
TEST_F(PolicyTest, AttackAnExclusionByAnotherShutsNobodyOutOfWhatIsNotItsOwn) {
  Authority authority = AuthorityOf({Issue(PolicePermit({Section::kRisk}))});
  const auto reason = [&] {
    return Ask(authority, To(kGnr, "safety"), Section::kRisk).reason;
  };
  ASSERT_EQ(reason(), Reason::kGranted);
  authority.exclusions = {{kUls, {kGnr, std::nullopt, std::nullopt, ""}}};
  EXPECT_EQ(reason(), Reason::kGranted);
  authority.exclusions[0].issuer = kOng;
  EXPECT_EQ(reason(), Reason::kExcluded);
}

TEST_F(PolicyTest, AnExclusionOutlivesItsGrantAndBeatsEveryBasis) {
  ConsentForm form = PolicePermit({Section::kRisk});
  form.exclusions = {{kGnr, std::nullopt, std::nullopt, "fear_of_harm"}};
  Authority authority = AuthorityOf({Issue(form)});
  authority.bases = {Basis(kGnr, {Section::kRisk})};
  for (auto& [id, held] : authority.grants) held.status = GrantStatus::kRevoked;
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kExcluded);
}

TEST_F(PolicyTest, AStarIsNoNameForWhatNeedsOne) {
  ConsentForm form = PolicePermit({});
  form.permits[0].all_sections = true;
  Authority authority = AuthorityOf({Issue(form)});
  for (const Section section :
       {Section::kNarrative, Section::kSafeContact, Section::kHealth,
        Section::kChildren, Section::kSpecial})
    EXPECT_FALSE(Ask(authority, To(kGnr, "safety"), section).allowed());
  // Not even when a later charter asks for a name where none was needed.
  charter_.matrix[MemberKind::kPolice]["risk"] = 'G';
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kNotNamed);
}

TEST_F(PolicyTest, ABasisOverridesADenialAndTurnsASummaryIntoTheWhole) {
  ConsentForm form = SimpleConsent();
  form.denials = {{true, {}, {RecipientRule(kGnr)}, "fear_of_harm"}};
  form.permits[0].recipients = {RecipientRule(kUls)};
  form.permits[0].purposes = {"safety"};
  Authority authority = AuthorityOf({Issue(form)});
  EXPECT_EQ(Ask(authority, To(kUls, "safety"), Section::kRisk).view,
            View::kSummary);
  authority.bases = {Basis(kGnr, {Section::kRisk}),
                     Basis(kUls, {Section::kRisk})};
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kBasis);
  const SectionDecision uls =
      Ask(authority, To(kUls, "safety"), Section::kRisk);
  EXPECT_EQ(uls.view, View::kFull);
  EXPECT_EQ(uls.authority, authority.bases[1].id.text());
}

TEST_F(PolicyTest, NoBasisOpensWhatTheMatrixKeeps) {
  Authority authority;
  authority.bases = {Basis(kGnr, kAll)};
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kHealth).view,
            View::kNone);
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kSafeContact).view,
            View::kNone);
  Transfer first = To(kGnr, "safety");
  first.first_contact = true;
  EXPECT_EQ(Ask(authority, first, Section::kSafeContact).reason,
            Reason::kBasis);
  charter_.matrix[MemberKind::kPolice]["safe_contact"] = 'X';
  EXPECT_EQ(Ask(authority, first, Section::kSafeContact).view, View::kNone);
}

TEST_F(PolicyTest, ThePerpetratorProgrammeGetsNothingWithoutConsent) {
  charter_.matrix[MemberKind::kPerpetratorProgramme]["risk"] = 'F';
  Authority authority;
  authority.bases = {Basis(kPap, kAll)};
  for (const SectionDecision& decision :
       Decide(charter_, authority, To(kPap, "safety"), kAll, kNoon))
    EXPECT_FALSE(decision.allowed());
}

TEST_F(PolicyTest, ABasisCountsOnlyAsTheCharterAllows) {
  const auto reason_with = [&](const WithoutConsent& basis,
                               absl::Time now = kNoon) {
    Authority authority;
    authority.bases = {basis};
    return Ask(authority, To(kGnr, "safety"), Section::kRisk, now).reason;
  };
  WithoutConsent basis = Basis(kGnr, {Section::kRisk});
  EXPECT_EQ(reason_with(basis), Reason::kBasis);
  EXPECT_EQ(reason_with(basis, basis.expires), Reason::kNoPermit);
  basis.reason_code = "missing_person";  // not in this charter
  EXPECT_EQ(reason_with(basis), Reason::kNoPermit);
  basis = Basis(kGnr, {Section::kRisk});
  basis.legal_basis = {"A6-1-d", "A6-1-a"};
  EXPECT_EQ(reason_with(basis), Reason::kNoPermit);
  basis = Basis(kPsp, {Section::kRisk});
  EXPECT_EQ(reason_with(basis), Reason::kNoPermit);
  basis = Basis(kGnr, {Section::kIncident});
  EXPECT_EQ(reason_with(basis), Reason::kNoPermit);
  basis = Basis(kGnr, {Section::kRisk});
  basis.purpose = "support";
  EXPECT_EQ(reason_with(basis), Reason::kNoPermit);
  basis = Basis(kGnr, {Section::kRisk});
  basis.case_id = CaseId::New();
  EXPECT_EQ(reason_with(basis), Reason::kNoPermit);
}

TEST_F(PolicyTest, OnlyActiveMembersAreSentAnything) {
  const Authority authority =
      AuthorityOf({Issue(PolicePermit({Section::kRisk}))});
  for (const MemberStatus status :
       {MemberStatus::kInvited, MemberStatus::kSuspended,
        MemberStatus::kLeft}) {
    charter_.members[2].status = status;
    EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
              Reason::kSuspended);
  }
  EXPECT_EQ(Ask(authority, To(Id("nobody"), "safety"), Section::kRisk).reason,
            Reason::kSuspended);
}

TEST_F(PolicyTest, TheNearestReasonIsTold) {
  ConsentForm form = PolicePermit({Section::kRisk});
  Authority authority = AuthorityOf({Issue(form)});
  EXPECT_EQ(Ask(authority, To(kGnr, "support"), Section::kRisk).reason,
            Reason::kPurpose);
  authority.grants.begin()->second.status = GrantStatus::kSuperseded;
  EXPECT_EQ(Ask(authority, To(kGnr, "safety"), Section::kRisk).reason,
            Reason::kRevoked);
  EXPECT_EQ(Ask(authority, To(kGnr, "support"), Section::kRisk).reason,
            Reason::kPurpose);
}

TEST_F(PolicyTest, ADirectionBackIsNoWayOut) {
  ConsentForm form = PolicePermit({Section::kRisk});
  form.permits[0].direction = Direction::kReturn;
  EXPECT_EQ(Ask(AuthorityOf({Issue(form)}), To(kGnr, "safety"), Section::kRisk)
                .reason,
            Reason::kNoPermit);
}

TEST(Reasons, LeadToTheErrorCodesOfTheProtocol) {
  EXPECT_EQ(ErrorCodeFor(Reason::kExcluded), "excluded");
  EXPECT_EQ(ErrorCodeFor(Reason::kMatrix), "matrix");
  EXPECT_EQ(ErrorCodeFor(Reason::kNotFirstContact), "matrix");
  EXPECT_EQ(ErrorCodeFor(Reason::kDenied), "no_consent");
  EXPECT_EQ(ErrorCodeFor(Reason::kExpired), "consent_expired");
  EXPECT_EQ(ErrorCodeFor(Reason::kRevoked), "consent_revoked");
  EXPECT_EQ(ErrorCodeFor(Reason::kSuspended), "member_suspended");
}

// ---- at the recipient

class RecipientTest : public PolicyTest {
 protected:
  // What gnr holds of a grant.
  Authority AtGnr(const ConsentForm& form) {
    return AuthorityOf({GrantFor(Issue(form), charter_, kGnr)});
  }
};

TEST_F(RecipientTest, ShowsWhatItsOwnPartOfTheGrantCovers) {
  const Authority authority =
      AtGnr(PolicePermit({Section::kRisk, Section::kChildren}));
  const auto view = [&](Slot slot) {
    return MayShow(charter_, authority, To(kGnr, "safety"), slot, kNoon).view;
  };
  EXPECT_EQ(view({Section::kRisk}), View::kFull);
  EXPECT_EQ(view({Section::kRisk, true}), View::kSummary);
  EXPECT_EQ(view({Section::kChildren, true}), View::kSummary);
  EXPECT_EQ(view({Section::kChildren}),
            View::kNone);  // the matrix says summary
  EXPECT_EQ(view({Section::kIdentity}), View::kNone);
}

TEST_F(RecipientTest, AnOverSenderIsRefusedWithoutKnowingTheDenial) {
  ConsentForm form = PolicePermit({Section::kRisk, Section::kIdentity});
  form.denials = {
      {false, {Section::kIdentity}, {RecipientRule(kGnr)}, "fear_of_harm"}};
  const Authority authority = AtGnr(form);
  EXPECT_THAT(authority.grants.begin()->second.grant.denials(), IsEmpty());
  EXPECT_OK(RequireCovered(charter_, authority, To(kGnr, "safety"),
                           {{Section::kRisk}}, kNoon));
  const absl::Status status =
      RequireCovered(charter_, authority, To(kGnr, "safety"),
                     {{Section::kRisk}, {Section::kIdentity}}, kNoon);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(ErrorCodeOf(status), "no_consent");
}

TEST_F(RecipientTest, AGrantWiderThanTheCharterHelpsNobody) {
  const Authority authority =
      AtGnr(PolicePermit({Section::kHealth, Section::kSpecial}));
  for (const Section section : {Section::kHealth, Section::kSpecial})
    EXPECT_EQ(ErrorCodeOf(RequireCovered(
                  charter_, authority, To(kGnr, "safety"), {{section}}, kNoon)),
              "matrix");
}

TEST_F(RecipientTest, NothingIsShownAfterTheGrantEnds) {
  const Authority authority = AtGnr(PolicePermit({Section::kRisk}));
  const absl::Time until = authority.grants.begin()->second.grant.until;
  EXPECT_EQ(ErrorCodeOf(RequireCovered(charter_, authority, To(kGnr, "safety"),
                                       {{Section::kRisk}}, until)),
            "consent_expired");
  EXPECT_EQ(StatusAt(authority.grants.begin()->second, until),
            GrantStatus::kExpired);
}

// ---- every case of a small world, against the rules said again

struct Case {
  char letter;
  bool first_contact;
  MemberId recipient;
  Section section;
  bool permit, by_name, right_purpose, active, out;
  int rule;    // 0 the member, 1 its kind, 2 another member, 3 another kind
  int time;    // -1 not yet, 0 now, 1 over
  int denial;  // 0 none, 1 of the member, 2 of its kind, 3 of another
  bool excluded;
  int basis;  // 0 none, 1 good, 2 expired, 3 for another purpose, 4 for another
};

// Written from the text of the rules, not from the code.
View ExpectedView(const Case& c) {
  if (c.excluded) return View::kNone;
  const bool has_summary = c.section == Section::kRisk;
  View by_consent = View::kNone;
  const bool permitted = c.permit && c.rule <= 1 && c.right_purpose &&
                         c.active && c.out && c.time == 0 &&
                         (c.letter != 'G' || c.by_name);
  if (permitted && c.denial != 1 && c.denial != 2) {
    if (c.letter == 'F' || c.letter == 'G') by_consent = View::kFull;
    if (c.letter == 'S' && has_summary) by_consent = View::kSummary;
    if (c.letter == 'C' && c.first_contact) by_consent = View::kFull;
  }
  View by_basis = View::kNone;
  if (c.basis == 1 && c.recipient != kPap) {
    if (c.letter == 'F' || c.letter == 'G' || c.letter == 'S')
      by_basis = View::kFull;
    if (c.letter == 'C' && c.first_contact) by_basis = View::kFull;
  }
  return std::min(by_consent, by_basis);  // full before summary before none
}

class SmallWorld : public PolicyTest {
 protected:
  Authority MakeAuthority(const Case& c, const Grant& blank) {
    Authority authority;
    Grant grant = blank;
    grant.provisions.clear();
    const MemberKind kind = KindOf(charter_, c.recipient);
    const RecipientRule rules[] = {RecipientRule(c.recipient),
                                   RecipientRule(kind), RecipientRule(kCpcj),
                                   RecipientRule(MemberKind::kChildProtection)};
    if (c.permit)
      grant.provisions.push_back(
          {Permit{.recipient = rules[c.rule],
                  .sections = {c.section},
                  .by_name = c.by_name,
                  .purposes = {c.right_purpose ? "safety" : "support"},
                  .direction = c.out ? Direction::kBoth : Direction::kReturn,
                  .redisclosure = Redisclosure::kForbidden,
                  .legal_basis = {"A6-1-e"},
                  .from = kNoon + absl::Hours(c.time == -1 ? 1 : -2),
                  .until = kNoon + absl::Hours(c.time == 1 ? -1 : 2)},
           ""});
    const RecipientRule denied[] = {rules[0], rules[0], rules[1], rules[2]};
    if (c.denial > 0)
      grant.provisions.push_back({Denial{{c.section}, {denied[c.denial]}}, ""});
    // The denial stands whatever becomes of the permit's grant.
    HeldGrant held{grant, GrantStatus::kActive};
    if (!c.active) {
      Grant denying = grant;
      denying.id = GrantId::New();
      std::erase_if(denying.provisions, [](const Provision& p) {
        return std::holds_alternative<Permit>(p.content);
      });
      authority.grants.emplace(GrantKey(denying.issuer, denying.id),
                               HeldGrant{denying});
      held.status = GrantStatus::kRevoked;
    }
    authority.grants.emplace(GrantKey(grant.issuer, grant.id), std::move(held));
    if (c.excluded)
      authority.exclusions = {
          {kOng, {c.recipient, std::nullopt, std::nullopt, ""}}};
    if (c.basis > 0) {
      WithoutConsent basis =
          Basis(c.basis == 4 ? kCpcj : c.recipient, {c.section});
      if (c.basis == 2) basis.expires = kNoon;
      if (c.basis == 3) basis.purpose = "support";
      authority.bases = {basis};
    }
    return authority;
  }

  void Check(const Case& c, const Grant& blank) {
    charter_
        .matrix[KindOf(charter_, c.recipient)][std::string(NameOf(c.section))] =
        c.letter;
    const Authority authority = MakeAuthority(c, blank);
    const SectionDecision decision =
        Ask(authority, {kOng, c.recipient, case_id_, "safety", c.first_contact},
            c.section);
    ++checked_;
    if (decision.view == ExpectedView(c) &&
        decision.allowed() == (decision.reason == Reason::kGranted ||
                               decision.reason == Reason::kBasis))
      return;
    ADD_FAILURE() << c.letter << " first " << c.first_contact << " "
                  << c.recipient.text() << " " << NameOf(c.section)
                  << " permit " << c.permit << c.by_name << c.right_purpose
                  << c.active << c.out << " rule " << c.rule << " time "
                  << c.time << " denial " << c.denial << " excluded "
                  << c.excluded << " basis " << c.basis << ": "
                  << NameOf(decision.view) << " " << NameOf(decision.reason);
  }

  int checked_ = 0;
};

TEST_F(SmallWorld, AgreesWithTheRulesInEveryCase) {
  const Grant blank = Issue(SimpleConsent());
  Case c{'F', false, kUls, Section::kRisk, false, true, true, true, true,
         0,   0,     0,    false,          0};
  const auto with_rest = [&] {
    for (c.denial = 0; c.denial < 4; ++c.denial)
      for (const bool excluded : {false, true})
        for (c.basis = 0; c.basis < 5; ++c.basis) {
          c.excluded = excluded;
          Check(c, blank);
        }
  };
  for (const char letter : {'F', 'S', 'C', 'G', '-', 'X'})
    for (const bool first : {false, true})
      for (const MemberId& recipient : {kUls, kGnr, kPap})
        for (const Section section : {Section::kRisk, Section::kHealth}) {
          c = {letter, first, recipient, section, false, true,  true,
               true,   true,  0,         0,       0,     false, 0};
          with_rest();
          c.permit = true;
          for (int bits = 0; bits < 16; ++bits)
            for (c.rule = 0; c.rule < 4; ++c.rule)
              for (c.time = -1; c.time <= 1; ++c.time) {
                c.by_name = bits & 1;
                c.right_purpose = bits & 2;
                c.active = bits & 4;
                c.out = bits & 8;
                with_rest();
              }
        }
  EXPECT_EQ(checked_, 6 * 2 * 3 * 2 * (1 + 16 * 4 * 3) * 4 * 2 * 5);
}

}  // namespace
}  // namespace amparo

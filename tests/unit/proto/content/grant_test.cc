#include "proto/content/grant.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/encoding.h"
#include "base/error.h"
#include "gtest/gtest.h"
#include "proto/content/revocation.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class GrantTest : public testing::Test {
 protected:
  Grant Issue(const ConsentForm& form) {
    return VALUE_OF(IssueGrant(form, MakeContext(case_id_), charter_, key_));
  }
  Grant IssueExample() {
    return Issue(VALUE_OF(ParseConsentForm(kExampleConsentForm)));
  }
  // All that `member` could read of what it is given.
  // Quoted: three letters stand by chance in a digest or an id, too.
  static bool Says(const std::string& readable, const char* word) {
    return absl::StrContains(readable, absl::StrCat("\"", word, "\""));
  }
  std::string ReadableBy(const Grant& grant, const MemberId& member) {
    std::string text = DumpJson(VALUE_OF(PeekJwsPayload(grant.jwt, 1 << 16)));
    for (const Disclosure& disclosure :
         DisclosuresFor(grant, member, KindOf(charter_, member)))
      text += ToText(VALUE_OF(FromBase64Url(disclosure)));
    return text;
  }

  Charter charter_ = MakeCharter();
  const CaseId case_id_ = CaseId::New();
  const SigningKey key_ = SigningKey::Generate();
};

TEST_F(GrantTest, IsWhatEveryVerifierReads) {
  const Grant grant = IssueExample();
  const Grant verified =
      VALUE_OF(VerifyGrant(grant.jwt, grant.disclosures(), Only(key_)));
  EXPECT_EQ(verified.issuer, kOng);
  EXPECT_EQ(verified.case_id, case_id_);
  EXPECT_EQ(verified.net, kNet);
  EXPECT_EQ(verified.digest, SdJwtDigest(grant.jwt));
  EXPECT_EQ(verified.kid, key_.verify_key().Thumbprint());
  EXPECT_THAT(verified.permits(), SizeIs(2));
  EXPECT_THAT(verified.denials(), SizeIs(1));
  EXPECT_THAT(verified.exclusions(), SizeIs(2));
  const Grant loaded = VALUE_OF(LoadGrant(grant.jwt, grant.disclosures()));
  EXPECT_EQ(loaded.id, grant.id);
  EXPECT_EQ(*loaded.permits()[0], *grant.permits()[0]);
}

TEST_F(GrantTest, SpellsOutTheStarWithoutNamedOnlyAndLethalSections) {
  const Grant grant = IssueExample();
  const Permit& police = *grant.permits()[1];
  EXPECT_EQ(police.recipient, RecipientRule(MemberKind::kPolice));
  EXPECT_FALSE(police.by_name);
  EXPECT_THAT(police.sections,
              ElementsAre(Section::kIdentity, Section::kRisk,
                          Section::kIncident, Section::kPerpetrator,
                          Section::kLegal, Section::kHousing, Section::kNeeds));
}

TEST_F(GrantTest, WithoutATimeItHoldsFromNowForSixMonths) {
  const Grant grant = IssueExample();
  const Permit& permit = *grant.permits()[1];
  EXPECT_EQ(permit.from, kNoon);
  EXPECT_EQ(FormatUtc(permit.until), "2027-05-21T12:00:00Z");
}

TEST_F(GrantTest, SixMonthsFromTheLastOfAugustEndInFebruary) {
  GrantContext context = MakeContext(case_id_);
  context.now = VALUE_OF(ParseUtc("2026-08-31T10:00:00Z"));
  const Grant grant =
      VALUE_OF(IssueGrant(SimpleConsent(), context, charter_, key_));
  EXPECT_EQ(FormatUtc(grant.until), "2027-02-28T10:00:00Z");
}

TEST_F(GrantTest, DenialsAreTakenOutOfEveryPermit) {
  ConsentForm form = SimpleConsent();
  form.permits[0].recipients = {RecipientRule(kGnr), RecipientRule(kUls)};
  form.denials = {
      {false, {Section::kRisk}, {RecipientRule(MemberKind::kPolice)}, "other"}};
  const Grant grant = Issue(form);
  ASSERT_THAT(grant.permits(), SizeIs(2));
  EXPECT_THAT(grant.permits()[0]->sections, ElementsAre(Section::kIdentity));
  EXPECT_THAT(grant.permits()[1]->sections,
              ElementsAre(Section::kIdentity, Section::kRisk));
}

TEST_F(GrantTest, AMemberThatIsDeniedGetsAPermitOfItsOwn) {
  ConsentForm form = SimpleConsent();
  form.permits[0].recipients = {RecipientRule(MemberKind::kPolice)};
  form.denials = {{false, {Section::kRisk}, {RecipientRule(kGnr)}, "other"}};
  const Grant grant = Issue(form);
  const Grant gnr = GrantFor(grant, charter_, kGnr);
  ASSERT_THAT(gnr.permits(), SizeIs(1));
  EXPECT_THAT(gnr.permits()[0]->sections, ElementsAre(Section::kIdentity));
  const Grant psp = GrantFor(grant, charter_, kPsp);
  ASSERT_THAT(psp.permits(), SizeIs(1));
  EXPECT_THAT(psp.permits()[0]->sections,
              ElementsAre(Section::kIdentity, Section::kRisk));
}

TEST_F(GrantTest, ARecipientLearnsOfNoDenialNorOfAnyoneElse) {
  const Grant grant = IssueExample();
  for (const MemberId& member : {kUls, kGnr, kPsp}) {
    const Grant seen = GrantFor(grant, charter_, member);
    EXPECT_THAT(seen.denials(), IsEmpty());
    EXPECT_THAT(seen.permits(), SizeIs(1));
    const std::string readable = ReadableBy(grant, member);
    for (const char* canary :
         {"deny", "fear_of_harm", "cpcj", "relative_works_there"})
      EXPECT_FALSE(Says(readable, canary)) << canary;
  }
  EXPECT_TRUE(Says(ReadableBy(grant, kUls), "uls"));
  EXPECT_FALSE(Says(ReadableBy(grant, kGnr), "uls"));
  EXPECT_TRUE(Says(ReadableBy(grant, kGnr), "police"));
  EXPECT_FALSE(Says(ReadableBy(grant, kUls), "police"));
  EXPECT_FALSE(absl::StrContains(ReadableBy(grant, kUls), "EXEMPLO"));
}

TEST_F(GrantTest, LooksTheSameWithAndWithoutADenial) {
  ConsentForm form = SimpleConsent();
  const Json plain = VALUE_OF(PeekJwsPayload(Issue(form).jwt, 1 << 16));
  form.denials = {{true, {}, {RecipientRule(kGnr)}, "fear_of_harm"}};
  form.exclusions = {{kCpcj, std::nullopt, std::nullopt, "fear_of_harm"}};
  const Json denying = VALUE_OF(PeekJwsPayload(Issue(form).jwt, 1 << 16));
  EXPECT_EQ(plain["provisions"]["_sd"].size(), 8u);
  EXPECT_EQ(denying["provisions"]["_sd"].size(), 8u);
  EXPECT_EQ(DumpJson(plain).size(), DumpJson(denying).size());
}

TEST_F(GrantTest, APersonToHideFromIsToldToThatMemberAlone) {
  const Grant grant = IssueExample();
  const Grant gnr = GrantFor(grant, charter_, kGnr);
  ASSERT_THAT(gnr.exclusions(), SizeIs(1));
  EXPECT_EQ(gnr.exclusions()[0]->person, "Cabo EXEMPLO");
  EXPECT_THAT(GrantFor(grant, charter_, kUls).exclusions(), IsEmpty());
  EXPECT_THAT(GrantFor(grant, charter_, kPsp).exclusions(), IsEmpty());
}

TEST_F(GrantTest, WhoIsShutOutGetsNothing) {
  ConsentForm form = VALUE_OF(ParseConsentForm(kExampleConsentForm));
  form.permits[0].recipients = {RecipientRule(MemberKind::kChildProtection),
                                RecipientRule(kCpcj)};
  const Grant grant = Issue(form);
  EXPECT_THAT(DisclosuresFor(grant, kCpcj, MemberKind::kChildProtection),
              IsEmpty());
}

TEST_F(GrantTest, WhoIsNotNamedGetsNothing) {
  EXPECT_THAT(
      DisclosuresFor(IssueExample(), kPap, MemberKind::kPerpetratorProgramme),
      IsEmpty());
}

TEST_F(GrantTest, WithdrawalTakesExactlyTheCellsItNames) {
  ConsentForm form = SimpleConsent();
  form.permits[0].purposes = {"support", "safety"};
  form.permits[0].recipients = {RecipientRule(MemberKind::kPolice),
                                RecipientRule(kUls)};
  const Grant grant =
      Issue(Without(form, {Section::kRisk, kGnr, "safety"}, charter_));
  const Grant gnr = GrantFor(grant, charter_, kGnr);
  ASSERT_THAT(gnr.permits(), SizeIs(2));
  for (const Permit* permit : gnr.permits())
    EXPECT_EQ(permit->sections.contains(Section::kRisk),
              !permit->purposes.contains("safety"));
  for (const MemberId& other : {kPsp, kUls}) {
    const Grant theirs = GrantFor(grant, charter_, other);
    ASSERT_THAT(theirs.permits(), SizeIs(1));
    EXPECT_THAT(theirs.permits()[0]->purposes,
                ElementsAre("safety", "support"));
    EXPECT_THAT(theirs.permits()[0]->sections, SizeIs(2));
  }
}

TEST_F(GrantTest, WhatWasWithdrawnCanBeGivenAgain) {
  const ConsentForm left = Without(
      SimpleConsent(), {Section::kRisk, std::nullopt, std::nullopt}, charter_);
  EXPECT_THAT(Issue(left).permits()[0]->sections,
              ElementsAre(Section::kIdentity));
  ConsentForm again = SimpleConsent();
  again.permits[0].sections = {Section::kRisk};
  EXPECT_THAT(Issue(VALUE_OF(Extend(left, again))).permits(), SizeIs(2));
}

TEST_F(GrantTest, RefusesWhatTheCharterDoesNotAllow) {
  ConsentForm form = SimpleConsent();
  form.permits[0].purposes = {"audit"};
  auto grant = IssueGrant(form, MakeContext(case_id_), charter_, key_);
  EXPECT_EQ(ErrorCodeOf(grant.status()), "invalid_form");
  form = SimpleConsent();
  form.permits[0].legal_basis = {"A6-1-a"};
  grant = IssueGrant(form, MakeContext(case_id_), charter_, key_);
  EXPECT_EQ(ErrorCodeOf(grant.status()), "invalid_form");
  EXPECT_THAT(DetailOf(grant.status())->expected,
              AllOf(HasSubstr(charter_.bases[0]), HasSubstr("not A6-1-a")));
  // Nothing but a code is ever repeated.
  form.permits[0].legal_basis = {"Rua da Paz 7"};
  grant = IssueGrant(form, MakeContext(case_id_), charter_, key_);
  EXPECT_THAT(std::string(grant.status().message()), Not(HasSubstr("Paz")));
}

TEST_F(GrantTest, RefusesMembersThatTheCharterDoesNotName) {
  ConsentForm form = SimpleConsent();
  form.permits[0].recipients = {RecipientRule(Id("nobody"))};
  EXPECT_EQ(
      ErrorCodeOf(
          IssueGrant(form, MakeContext(case_id_), charter_, key_).status()),
      "unknown_member");
  form = SimpleConsent();
  form.exclusions = {{Id("nobody"), std::nullopt, std::nullopt, "other"}};
  EXPECT_EQ(
      ErrorCodeOf(
          IssueGrant(form, MakeContext(case_id_), charter_, key_).status()),
      "unknown_member");
}

TEST_F(GrantTest, ThirtyTwoProvisionsFitAndNotOneMore) {
  ConsentForm form = SimpleConsent();
  form.permits.resize(32, form.permits[0]);
  EXPECT_THAT(Issue(form).provisions, SizeIs(32));
  form.permits.push_back(form.permits[0]);
  EXPECT_EQ(
      ErrorCodeOf(
          IssueGrant(form, MakeContext(case_id_), charter_, key_).status()),
      "too_large");
}

TEST_F(GrantTest, AnotherKeyIsRefused) {
  const Grant grant = IssueExample();
  EXPECT_THAT(
      VerifyGrant(grant.jwt, grant.disclosures(), Only(SigningKey::Generate())),
      StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(GrantTest, AProvisionOfAnotherGrantIsRefused) {
  const Grant grant = Issue(SimpleConsent());
  ConsentForm wide = SimpleConsent();
  wide.permits[0].sections = {Section::kSafeContact};
  const Grant other = Issue(wide);
  EXPECT_THAT(VerifyGrant(grant.jwt, other.disclosures(), Only(key_)),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(GrantTest, ADocumentOfAnotherTypeIsNoGrant) {
  const Revocation revocation{kNet,           kOng,     kNoon,
                              EventId::New(), case_id_, Fill(5)};
  EXPECT_THAT(VerifyGrant(SignRevocation(revocation, key_), {}, Only(key_)),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(RevocationTest, IsReadBackAsSigned) {
  const SigningKey key = SigningKey::Generate();
  const Revocation revocation{kNet,           kOng,          kNoon,
                              EventId::New(), CaseId::New(), Fill(5)};
  const std::string token = SignRevocation(revocation, key);
  EXPECT_EQ(VALUE_OF(VerifyRevocation(token, Only(key))), revocation);
  EXPECT_THAT(VerifyRevocation(token, Only(SigningKey::Generate())),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

}  // namespace
}  // namespace amparo

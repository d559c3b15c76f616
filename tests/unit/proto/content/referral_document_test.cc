#include "proto/content/referral_document.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "gtest/gtest.h"
#include "proto/envelope/limits.h"
#include "tests/unit/proto/content/world.h"

namespace amparo {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReferralDocumentTest : public testing::Test {
 protected:
  ReferralClaims Claims(std::optional<Digest> prev = std::nullopt) {
    return {.net = kNet,
            .issuer = kOng,
            .issued_at = kNoon,
            .event_id = EventId::New(),
            .case_id = case_id_,
            .referral_id = ReferralId::New(),
            .priority = Priority::kUrgent,
            .prev = prev};
  }
  IssuedReferral IssueExample() {
    const ReferralForm form = VALUE_OF(ParseReferralForm(kExampleReferralForm));
    return VALUE_OF(
        IssueReferral(Claims(), SlotValues(form.sections, kNoon), key_));
  }
  // A document with claims or slots that IssueReferral would not make.
  std::string Forge(const Json& claims, const std::vector<std::string>& slots) {
    return VALUE_OF(IssueSlots(key_, kReferralTyp, claims, slots, {})).jwt;
  }
  Json ClaimsOf(const IssuedReferral& referral) {
    Json claims = VALUE_OF(PeekJwsPayload(referral.jwt, kDocumentBytesMax));
    claims.erase("sections");
    claims.erase("_sd_alg");
    return claims;
  }

  const CaseId case_id_ = CaseId::New();
  const SigningKey key_ = SigningKey::Generate();
};

TEST_F(ReferralDocumentTest, BringsTheDisclosedSectionsAndNoOthers) {
  const IssuedReferral issued = IssueExample();
  EXPECT_THAT(issued.disclosures, SizeIs(20));
  const Slot risk{Section::kRisk, true}, identity{Section::kIdentity};
  const ReferralDocument document = VALUE_OF(VerifyReferral(
      issued.jwt,
      {issued.disclosures.at(risk), issued.disclosures.at(identity)},
      Only(key_)));
  EXPECT_EQ(document.claims, issued.claims);
  EXPECT_EQ(document.digest, issued.digest);
  EXPECT_EQ(document.slots(), (std::set<Slot>{identity, risk}));
  EXPECT_EQ(document.values.at(identity)["given_name"], "Marta");
  EXPECT_EQ(document.values.at(risk)["level"], "high");
}

TEST_F(ReferralDocumentTest, WithheldLooksLikeAbsent) {
  const IssuedReferral full = IssueExample();
  const IssuedReferral empty = VALUE_OF(IssueReferral(Claims(), {}, key_));
  const Json a = VALUE_OF(PeekJwsPayload(full.jwt, kDocumentBytesMax));
  const Json b = VALUE_OF(PeekJwsPayload(empty.jwt, kDocumentBytesMax));
  EXPECT_EQ(DumpJson(a).size(), DumpJson(b).size());
  ASSERT_EQ(a["sections"].size(), 20u);
  for (const std::string& name : SlotNames()) {
    EXPECT_EQ(a["sections"][name]["_sd"].size(), 1u);
    EXPECT_EQ(b["sections"][name]["_sd"].size(), 1u);
  }
  EXPECT_THAT(VALUE_OF(VerifyReferral(full.jwt, {}, Only(key_))).values,
              IsEmpty());
}

TEST_F(ReferralDocumentTest, ALaterDisclosureFitsTheFirstDigest) {
  const IssuedReferral issued = IssueExample();
  const ReferralDocument first = VALUE_OF(VerifyReferral(
      issued.jwt, {issued.disclosures.at({Section::kRisk})}, Only(key_)));
  const ReferralDocument later = VALUE_OF(VerifyReferral(
      issued.jwt, {issued.disclosures.at({Section::kNarrative})}, Only(key_)));
  EXPECT_EQ(first.digest, later.digest);
}

TEST_F(ReferralDocumentTest, AChangedSectionFitsNoDigest) {
  const IssuedReferral issued = IssueExample();
  const IssuedReferral other = IssueExample();  // same values, other salts
  EXPECT_THAT(
      VerifyReferral(issued.jwt, {other.disclosures.at({Section::kRisk})},
                     Only(key_)),
      StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ReferralDocumentTest, AnUpdateNamesTheVersionBefore) {
  const IssuedReferral issued = VALUE_OF(IssueReferral(
      Claims(Fill(4)), {{{Section::kSpecial}, {{"nationality", "PT"}}}}, key_));
  const ReferralDocument document =
      VALUE_OF(VerifyReferral(issued.jwt, {}, Only(key_)));
  EXPECT_TRUE(document.claims.is_update());
  EXPECT_EQ(document.claims.prev, Fill(4));
}

TEST_F(ReferralDocumentTest, RefusesValuesThatNoFormCouldHold) {
  EXPECT_EQ(ErrorCodeOf(
                IssueReferral(Claims(),
                              {{{Section::kRisk}, {{"level", "SECRET"}}}}, key_)
                    .status()),
            "invalid_form");
  // Nor from a dishonest sender.
  const IssuedSdJwt forged =
      VALUE_OF(IssueSlots(key_, kReferralTyp, ClaimsOf(IssueExample()),
                          SlotNames(), {{"risk", {{"level", "\x1b[2J"}}}}));
  EXPECT_THAT(
      VerifyReferral(forged.jwt, {forged.disclosures.at("risk")}, Only(key_)),
      StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ReferralDocumentTest, RefusesAnotherListOfSlots) {
  const Json claims = ClaimsOf(IssueExample());
  EXPECT_OK(VerifyReferral(Forge(claims, SlotNames()), {}, Only(key_)));
  std::vector<std::string> slots = SlotNames();
  slots.push_back("risk2");
  EXPECT_THAT(VerifyReferral(Forge(claims, slots), {}, Only(key_)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  slots.resize(19);
  EXPECT_THAT(VerifyReferral(Forge(claims, slots), {}, Only(key_)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  slots = SlotNames();
  std::swap(slots[0], slots[1]);
  EXPECT_THAT(VerifyReferral(Forge(claims, slots), {}, Only(key_)),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ReferralDocumentTest, RefusesClaimsThatAreMissingStrangeOrContradict) {
  const Json good = ClaimsOf(IssueExample());
  for (const auto& [name, unused] : good.items()) {
    if (name == "prev") continue;  // missing is none
    Json claims = good;
    claims.erase(name);
    EXPECT_FALSE(
        VerifyReferral(Forge(claims, SlotNames()), {}, Only(key_)).ok())
        << name;
  }
  Json claims = good;
  claims["kind"] = "updated";  // without prev
  EXPECT_FALSE(VerifyReferral(Forge(claims, SlotNames()), {}, Only(key_)).ok());
  claims = good;
  claims["prev"] = Fill(1).ToString();  // of a referral
  EXPECT_FALSE(VerifyReferral(Forge(claims, SlotNames()), {}, Only(key_)).ok());
  claims = good;
  claims["note"] = "x";
  EXPECT_FALSE(VerifyReferral(Forge(claims, SlotNames()), {}, Only(key_)).ok());
  claims = good;
  claims["schema"] = "referral/2";
  EXPECT_FALSE(VerifyReferral(Forge(claims, SlotNames()), {}, Only(key_)).ok());
}

TEST_F(ReferralDocumentTest, AnotherKeyIsRefused) {
  const IssuedReferral issued = IssueExample();
  EXPECT_THAT(VerifyReferral(issued.jwt, {}, Only(SigningKey::Generate())),
              StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(ReferralDocumentTest, WhatDoesNotFitIsTooLarge) {
  Json items = Json::object();
  for (int i = 0; i < 12; ++i)
    items[std::to_string(i)] = std::string(30000, 'x');
  EXPECT_EQ(
      ErrorCodeOf(IssueReferral(Claims(),
                                {{{Section::kRisk}, {{"items", items}}}}, key_)
                      .status()),
      "too_large");
}

}  // namespace
}  // namespace amparo

#pragma once

#include <string>

#include "crypto/keys.h"
#include "proto/content/consent_form.h"
#include "proto/content/grant.h"
#include "proto/content/policy.h"
#include "proto/content/referral_document.h"
#include "proto/content/referral_form.h"
#include "proto/content/summary.h"
#include "proto/network/charter.h"
#include "tests/support/example_forms.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/proto/samples.h"

// A small network and a case in it, for the tests of proto/content.

namespace amparo {

inline const MemberId kOng = Id("ong");    // victim support: refers
inline const MemberId kUls = Id("uls");    // health
inline const MemberId kGnr = Id("gnr");    // police
inline const MemberId kPsp = Id("psp");    // police too
inline const MemberId kCpcj = Id("cpcj");  // child protection
inline const MemberId kPap = Id("pap");    // perpetrator programme
inline const Digest kNet = Fill(7);

inline Member MakeMember(const MemberId& id, MemberKind kind) {
  return {.id = id,
          .name = id.text(),
          .kind = kind,
          .parent = {},
          .territory = {},
          .contact = {},
          .status = MemberStatus::kActive,
          .since = absl::UnixEpoch(),
          .identity_key = {},
          .witness_key = {}};
}

inline Charter MakeCharter() {
  Charter charter;
  charter.purposes = {"support",          "safety",    "risk_assessment",
                      "health_care",      "legal_aid", "criminal_proceedings",
                      "child_protection", "housing"};
  charter.bases = {"A6-1-c", "A6-1-d", "A6-1-e", "A9-2-c",
                   "A9-2-g", "A9-2-h", "LED-8"};
  charter.reason_codes = {"imminent_danger_life", "child_in_danger"};
  charter.members = {MakeMember(kOng, MemberKind::kVictimSupport),
                     MakeMember(kUls, MemberKind::kHealth),
                     MakeMember(kGnr, MemberKind::kPolice),
                     MakeMember(kPsp, MemberKind::kPolice),
                     MakeMember(kCpcj, MemberKind::kChildProtection),
                     MakeMember(kPap, MemberKind::kPerpetratorProgramme)};
  return charter;
}

inline MemberKind KindOf(const Charter& charter, const MemberId& member) {
  return charter.Find(member)->kind;
}

// `key` for whatever kid is asked for.
inline KeyLookup Only(const SigningKey& key) {
  const VerifyKey verify_key = key.verify_key();
  return [verify_key](const Digest&) -> absl::StatusOr<VerifyKey> {
    return verify_key;
  };
}

inline GrantContext MakeContext(const CaseId& case_id) {
  return {.net = kNet,
          .issuer = kOng,
          .now = kNoon,
          .event_id = EventId::New(),
          .case_id = case_id,
          .id = GrantId::New(),
          .collected_by = OfficerId::New(),
          .notice_hash = Fill(1),
          .evidence_hash = {},
          .supersedes = {}};
}

// A form with one permit for uls; change it as the test needs.
inline ConsentForm SimpleConsent() {
  ConsentForm form = VALUE_OF(ParseConsentForm(kExampleConsentForm));
  form.permits = {
      PermitProvision{.all_sections = false,
                      .sections = {Section::kIdentity, Section::kRisk},
                      .recipients = {RecipientRule(kUls)},
                      .purposes = {"support"},
                      .direction = Direction::kSend,
                      .redisclosure = Redisclosure::kForbidden,
                      .legal_basis = {"A6-1-e"},
                      .from = {},
                      .until = {},
                      .withdrawn = {}}};
  form.denials.clear();
  form.exclusions.clear();
  return form;
}

// The grant as `member` gets it.
inline Grant GrantFor(const Grant& grant, const Charter& charter,
                      const MemberId& member) {
  return VALUE_OF(LoadGrant(
      grant.jwt, DisclosuresFor(grant, member, KindOf(charter, member))));
}

inline Authority AuthorityOf(std::initializer_list<Grant> grants) {
  Authority authority;
  for (const Grant& grant : grants) {
    authority.grants.emplace(GrantKey(grant.issuer, grant.id),
                             HeldGrant{grant});
    for (const Exclusion* exclusion : grant.exclusions())
      authority.exclusions.push_back({grant.issuer, *exclusion});
  }
  return authority;
}

inline const SectionDecision& DecisionOn(
    Section section, const std::vector<SectionDecision>& all) {
  for (const SectionDecision& decision : all)
    if (decision.section == section) return decision;
  throw std::runtime_error("no decision on this section");
}

}  // namespace amparo

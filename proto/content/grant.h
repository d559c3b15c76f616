#pragma once

#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "crypto/sd_jwt.h"
#include "proto/content/codes.h"
#include "proto/content/consent_form.h"
#include "proto/content/exclusion.h"
#include "proto/content/recipient.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/charter.h"
#include "proto/network/member.h"

// The signed consent (docs/PROTOCOL.md, Grants): an SD-JWT with a disclosure
// for each provision. A recipient is given the permits that name it, narrowed
// when the grant was recorded, so that it can refuse an over-sender without
// learning that anything was denied.

namespace amparo {

inline constexpr char kGrantTyp[] = "amparo-consent+sd-jwt";

// One recipient rule's part of a form's permit: sections spelled out, minus
// what denials and withdrawals take from it.
struct Permit {
  RecipientRule recipient;
  std::set<Section> sections;
  bool by_name = false;  // the form listed them; false: it said "*"
  std::set<std::string> purposes;
  Direction direction = Direction::kSend;
  Redisclosure redisclosure = Redisclosure::kForbidden;
  std::vector<std::string> legal_basis;
  absl::Time from;
  absl::Time until;  // the first second at which it no longer holds
  bool operator==(const Permit&) const = default;
};
struct Denial {
  std::set<Section> sections;
  std::vector<RecipientRule> recipients;
  bool operator==(const Denial&) const = default;
};
struct Provision {
  std::variant<Permit, Denial, Exclusion> content;
  Disclosure disclosure;
};

// A grant as far as its holder may know it: the issuer and the auditor have
// every provision, a recipient its own.
struct Grant {
  std::string jwt;  // without disclosures
  Digest digest;    // of `jwt`: the grant's name in revocations and anchors
  Digest kid;
  Digest net;
  MemberId issuer;
  absl::Time issued_at;
  EventId event_id;
  CaseId case_id;
  GrantId id;
  std::optional<GrantId> supersedes;
  std::string jurisdiction;
  Agreement agreement = Agreement::kGiven;
  absl::Time until;  // the latest of all its permits, disclosed or not
  std::vector<Provision> provisions;

  std::vector<const Permit*> permits() const;
  std::vector<const Denial*> denials() const;
  std::vector<const Exclusion*> exclusions() const;
  std::vector<Disclosure> disclosures() const;  // all that are here
};

// What the issuing agent adds to the form.
struct GrantContext {
  Digest net;
  MemberId issuer;
  absl::Time now;
  EventId event_id;
  CaseId case_id;
  GrantId id;
  OfficerId collected_by;
  std::optional<Digest> notice_hash;  // of its text, where the agent has it
  std::optional<Digest> evidence_hash;  // salted
  std::optional<GrantId> supersedes;
};

// INVALID_ARGUMENT: "invalid_form" for a purpose or legal basis that the
// charter does not allow, "too_large" beyond 32 provisions or 64 KiB.
// NOT_FOUND "unknown_member" for one the charter does not name.
absl::StatusOr<Grant> IssueGrant(const ConsentForm& form,
                                 const GrantContext& context,
                                 const Charter& charter, const SigningKey& key);

// What goes to a recipient: permits that name it or its kind, and exclusions
// of persons and officers of its own. Empty for one that is shut out.
std::vector<Disclosure> DisclosuresFor(const Grant& grant,
                                       const MemberId& member, MemberKind kind);

// A grant with the disclosures that came with it. INVALID_ARGUMENT for
// malformed, PERMISSION_DENIED for a signature or disclosure that does not fit.
// Whose key `keys` may return is the caller's to decide; the issuer is a claim.
absl::StatusOr<Grant> VerifyGrant(absl::string_view jwt,
                                  const std::vector<Disclosure>& disclosures,
                                  const KeyLookup& keys);
// The same without any check of the signature: for what this agent verified
// (or issued) before and stored.
absl::StatusOr<Grant> LoadGrant(absl::string_view jwt,
                                const std::vector<Disclosure>& disclosures);

}  // namespace amparo

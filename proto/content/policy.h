#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/content/exclusion.h"
#include "proto/content/grant.h"
#include "proto/content/matrix.h"
#include "proto/content/section.h"
#include "proto/content/without_consent.h"
#include "proto/network/charter.h"

// Who may be sent, or shown, which section, and why (docs/PROTOCOL.md,
// Decision). Pure; asked before a draft is stored, again before it is sealed,
// and at the recipient before anything is stored or shown.

namespace amparo {

enum class GrantStatus {
  kActive,
  kSuperseded,
  kRevoked,
  kExpired,
  kInvalidated
};
absl::string_view NameOf(GrantStatus status);

struct HeldGrant {
  Grant grant;
  // Never kExpired here: time is what StatusAt adds.
  GrantStatus status = GrantStatus::kActive;
};
GrantStatus StatusAt(const HeldGrant& held, absl::Time now);

// Ids are their issuer's own: nobody's grant stands in the way of another's.
using GrantKey = std::pair<MemberId, GrantId>;

// Whoever told it shuts members out of what it sends itself: a peer tells only
// of a member's own people, and would keep others' mail out by more.
struct HeldExclusion {
  MemberId issuer;
  Exclusion exclusion;
  bool operator==(const HeldExclusion&) const = default;
};

// All that was said about a case: what may allow or forbid.
struct Authority {
  std::map<GrantKey, HeldGrant> grants;
  std::vector<WithoutConsent> bases;
  std::vector<HeldExclusion> exclusions;  // of grants past and present
};

enum class View { kFull, kSummary, kNone };
absl::string_view NameOf(View view);

enum class Reason {
  kGranted,
  kBasis,
  kMatrix,
  kDenied,
  kExcluded,
  kNotFirstContact,
  kNotNamed,
  kNoPermit,
  kPurpose,
  kNotYet,
  kExpired,
  kRevoked,
  kSuspended,
};
absl::string_view NameOf(Reason reason);  // "granted", ...
// The error code a refusal for `reason` has: "no_consent", "matrix", ...
absl::string_view ErrorCodeFor(Reason reason);

struct SectionDecision {
  Section section;
  View view = View::kNone;
  Reason reason = Reason::kNoPermit;
  std::string authority;  // id of the grant or basis that decided; may be empty
  std::string text;       // for people; holds no content

  bool allowed() const { return view != View::kNone; }
  // Precondition: allowed().
  Slot slot() const { return {section, view == View::kSummary}; }
};

// From whom to whom, for what.
struct Transfer {
  MemberId sender;  // issuer of the document
  MemberId recipient;
  CaseId case_id;
  std::string purpose;
  bool first_contact = false;  // `recipient` makes first contact
};

// One decision for each of `sections`, in order. Exclusions win always, then
// denials (a basis without consent overrides a denial, never an exclusion),
// then the matrix. A recipient the charter does not name as active gets none.
std::vector<SectionDecision> Decide(const Charter& charter,
                                    const Authority& authority,
                                    const Transfer& transfer,
                                    const std::set<Section>& sections,
                                    absl::Time now);

// Whether `transfer.recipient` may hold and show `slot`: its grants and bases
// cover (section, itself, purpose, now) and the matrix gives that view.
SectionDecision MayShow(const Charter& charter, const Authority& authority,
                        const Transfer& transfer, Slot slot, absl::Time now);

// PERMISSION_DENIED with the code of the first slot that may not be shown: what
// a recipient asks of everything that was disclosed to it.
absl::Status RequireCovered(const Charter& charter, const Authority& authority,
                            const Transfer& transfer,
                            const std::set<Slot>& slots, absl::Time now);

}  // namespace amparo

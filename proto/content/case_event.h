#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "proto/content/codes.h"
#include "proto/content/event_kind.h"
#include "proto/content/grant.h"
#include "proto/content/section.h"
#include "proto/content/without_consent.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

// referral, updated, disclosed: what of which document was sent.
struct DocumentSent {
  EventKind kind = EventKind::kReferral;
  ReferralId referral_id;
  Digest document;
  std::optional<Digest> prev;
  Priority priority = Priority::kRoutine;
  std::string purpose;
  bool first_contact = false;
  // Each slot sent, with the id of the grant or basis that allowed it.
  std::map<Slot, std::string> slots;
  // That travelled along; empty at the sender, whose grants are Granted events.
  std::vector<Grant> grants;
  std::vector<WithoutConsent> bases;  // also at the sender
  // Of an own event: grants and bases that decided when it was sealed before,
  // of which its recipient may have some that `slots` does not name.
  std::set<std::string> also_under;
  // Of an own event: slots that its newest envelope has not, and the leaf of
  // the last one that had.
  std::map<Slot, LeafIndex> went_before;
  // Of another's: what it brought and nobody may see, as it was taken back.
  std::set<Slot> closed;
};
struct Granted {
  Grant grant;
  std::set<Slot> withdrawn;  // known to the issuer: what `to` loses by it
};
struct Revoked {
  Digest grant;
  std::string revoked_by;    // code, known to the issuer; else empty
  std::set<Slot> withdrawn;  // known to the issuer: what `to` must erase
};
// accepted, declined, closed, cancel_requested, cancelled.
struct Answered {
  EventKind kind = EventKind::kAccepted;
  ReferralId referral_id;
  std::string code;  // decline reason, outcome
};
struct Erased {
  Digest grant;  // revoked, or the one that narrowed it
  ErasureAnswer answer = ErasureAnswer::kDeleted;
  std::set<Slot> slots;
  std::string legal_basis;
};
// opened, complaint: about an envelope of ours.
struct Acknowledged {
  EventKind kind = EventKind::kOpened;
  Digest envelope;
};
// What this agent alone notes of an event it sends: submitted, delivered (by
// the recipient's receipt), recalled, failed (with an error code).
struct DeliveryNoted {
  EventId event_id;
  Delivery delivery = Delivery::kQueued;
  std::string code;
};
using EventBody = std::variant<DocumentSent, Granted, Revoked, Answered, Erased,
                               Acknowledged, DeliveryNoted>;

// A verified event of a case, without content: sections' values stay in the
// payload that is stored beside it. One record for each recipient. Link events
// are no case events.
struct CaseEvent {
  EventId id;
  CaseId case_id;
  MemberId from;
  MemberId to;    // of a note: the recipient whose delivery is noted
  absl::Time at;  // the log's time; the signed one while not yet logged
  std::optional<LeafIndex> leaf;   // none while queued, and for notes
  std::optional<Digest> envelope;  // digest of what carried it
  EventBody body;
  // Where it was sealed anew, what it went in before: the first leaf, which is
  // its place in the case, and the first kEarlierMax envelopes.
  std::optional<LeafIndex> first_leaf;
  std::vector<Digest> earlier;

  static constexpr size_t kEarlierMax = 8;
  // Where it stands in the case; none while it was never logged.
  std::optional<LeafIndex> Place() const {
    return first_leaf ? first_leaf : leaf;
  }
  bool WentIn(const Digest& digest) const;
  // Sealed for its recipient at least once, who has it or may get it.
  bool HasLeft() const { return envelope.has_value() || !earlier.empty(); }
};

// "referral", "granted", ... ; "" for DeliveryNoted, which nobody sends.
absl::string_view KindNameOf(const CaseEvent& event);

// Whether the second is the first again: of one kind and about the same. What
// the log and each recipient's part add may differ.
bool SaysTheSame(const CaseEvent& first, const CaseEvent& second);

// `again`, which takes the place of `stored`: of the same event, sealed anew.
// It keeps its first place and time, or what answered it would stand before it,
// and what came along with it earlier; of `self`'s, what decided earlier, too:
// of another's that would grow as its sender likes.
CaseEvent InPlaceOf(const CaseEvent& stored, CaseEvent again,
                    const MemberId& self);
// How many grants and bases `again` brings that `stored` has not, and how many
// there would be then: a sender may send one event without end, each time with
// others. At most kAuthoritiesMax.
struct Brought {
  size_t added = 0, in_all = 0;
};
inline constexpr size_t kAuthoritiesMax = 64;
Brought BroughtBy(const CaseEvent& stored, const CaseEvent& again);

// For the agent's own store; the grants in it are loaded, not verified again.
// Not every event that can be put together can be read again (INVALID_ARGUMENT,
// code "storage"): who stores another's asks first.
Json EncodeCaseEvent(const CaseEvent& event);
absl::StatusOr<CaseEvent> DecodeCaseEvent(const Json& json);

}  // namespace amparo

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "proto/content/case_event.h"
#include "proto/content/policy.h"
#include "proto/content/referral_state.h"

namespace amparo {

// A slot that a peer holds (or we hold from it), and where its value lies.
struct SharedSlot {
  EventId event_id;  // whose payload has the newest value
  uint32_t version = 1;
  absl::Time shared_at;
  std::string authority;  // grant or basis that allowed it
  Digest document;        // whose slot the value fits
  // Its digest was known here before the value was: no second story.
  bool fits_first_digest = true;
  bool erased = false;
  std::optional<LeafIndex> leaf;  // of the newest envelope with it
  // False for what never came to the recipient: taken back, refused, run out.
  bool reached = true;
};

// Ids are their sender's own: nobody's referral stands in the way of another's.
using ReferralKey = std::pair<MemberId, ReferralId>;

// A referral between us and one peer.
struct PeerReferral {
  ReferralId referral_id;
  CaseId case_id;
  MemberId sender;
  MemberId recipient;
  Priority priority = Priority::kRoutine;
  std::string purpose;
  bool first_contact = false;
  ReferralState state = ReferralState::kSent;
  Delivery delivery = Delivery::kQueued;
  std::string failure;      // error code, when delivery failed
  std::string reason_code;  // of a decline
  std::string outcome;      // of a close
  absl::Time created_at;
  absl::Time changed_at;
  EventId event_id;         // of the referral itself
  bool begun_late = false;  // not here yet: this is of a later document
  std::optional<LeafIndex> leaf;
  std::optional<Digest> envelope;
  std::vector<Digest> documents;  // it and its updates, oldest first
  std::map<Slot, SharedSlot> shared;

  bool IsIncoming(const MemberId& self) const { return recipient == self; }
  const MemberId& peer(const MemberId& self) const {
    return IsIncoming(self) ? sender : recipient;
  }
};

// What a member was asked to erase, and its answer.
struct AskedErasure {
  MemberId member;
  Digest grant;
  std::set<Slot> slots;
  absl::Time asked_at;
  std::optional<ErasureAnswer> answer;  // none: pending
  std::string legal_basis;
  std::optional<absl::Time> answered_at;
};

// Everything known of a case, as a pure fold over its events.
struct CaseState {
  CaseId case_id;
  std::optional<MemberId> opener;  // from whom its first event came
  absl::Time opened_at;
  absl::Time changed_at;
  std::set<MemberId> parties;
  std::map<std::pair<ReferralId, MemberId>, PeerReferral> referrals;  // by peer
  Authority authority;
  std::map<Digest, GrantKey> grants_by_digest;
  // Who revoked a grant, also one that is not here yet, with revoked_by. Only
  // its issuer's word counts: see Revocation.
  std::map<std::pair<Digest, MemberId>, std::string> revoked;
  std::vector<AskedErasure> erasures;
  std::vector<EventId> ignored;  // events whose turn the table did not allow

  // By whom `grant` was revoked, "" where that is not said; null when it was
  // not.
  const std::string* Revocation(const Grant& grant) const;
  const PeerReferral* Find(const ReferralId& id, const MemberId& peer) const;
  // A referral with each of its recipients that is known here.
  std::vector<const PeerReferral*> FindAll(const ReferralKey& key) const;
};

// The case as `self` knows it. Events may come in any order and twice: the
// log's order counts, then (not logged yet) the order given. What arrives late
// is fitted in; a gap blocks nothing. Both ends of a referral fold it to the
// same state. Precondition: all events are of `case_id` and passed MayAdd.
CaseState Fold(const MemberId& self, const CaseId& case_id,
               const std::vector<CaseEvent>& events);

// Whether `event.from` may add `event` to the case as it stands: who, not when
// (events cross; what comes too late is ignored by the fold). PERMISSION_DENIED
// (code "verification_failed") otherwise; ALREADY_EXISTS for a second,
// different document under a referral's id.
absl::Status MayAdd(const MemberId& self, const CaseState& state,
                    const CaseEvent& event);

}  // namespace amparo

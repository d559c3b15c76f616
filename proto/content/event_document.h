#pragma once

#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "crypto/keys.h"
#include "proto/content/codes.h"
#include "proto/content/event_kind.h"
#include "proto/content/section.h"
#include "proto/envelope/ids.h"
#include "proto/network/member.h"

namespace amparo {

inline constexpr char kEventTyp[] = "amparo-event+jwt";

// The signed document of the plain events: JWS {net, iss, iat, jti, case, kind,
// ...}. Which of the optional fields a kind has is fixed: those and no others.
struct EventDocument {
  Digest net;
  MemberId issuer;
  absl::Time at;
  EventId event_id;
  EventKind kind = EventKind::kHeartbeat;
  std::optional<CaseId> case_id;          // all but link events
  std::optional<ReferralId> referral_id;  // accepted .. cancelled
  std::string code;  // declined: DeclineReasons(); closed: Outcomes()
  // erased
  std::optional<Digest> grant;  // revoked, or the one that narrowed it
  std::optional<ErasureAnswer> answer;
  std::set<Slot> slots;
  std::string legal_basis;  // with kept
  // resend, skip: the links of chain `link_kid` from `first` to `last`
  std::optional<Digest> link_kid;
  uint64_t first = 0, last = 0;

  bool operator==(const EventDocument&) const = default;
};

// INVALID_ARGUMENT when a field that the kind has is missing or bad, or another
// is set.
absl::StatusOr<std::string> SignEvent(const EventDocument& event,
                                      const SigningKey& key);
// INVALID_ARGUMENT for malformed, PERMISSION_DENIED for a bad signature.
absl::StatusOr<EventDocument> VerifyEvent(absl::string_view token,
                                          const KeyLookup& keys);

}  // namespace amparo

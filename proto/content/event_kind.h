#pragma once

#include <optional>

#include "absl/strings/string_view.h"

namespace amparo {

// All that agents tell each other (docs/PROTOCOL.md, Case events).
enum class EventKind {
  kReferral,   // amparo-referral+sd-jwt
  kUpdated,    // amparo-referral+sd-jwt with `prev`
  kDisclosed,  // an earlier referral or update again, with more disclosures
  kGranted,    // amparo-consent+sd-jwt
  kRevoked,    // amparo-revocation+jwt
  kAccepted,   // from here to kHeartbeat: amparo-event+jwt
  kDeclined,
  kClosed,
  kCancelRequested,
  kCancelled,
  kErased,
  kResend,
  kSkip,
  kHeartbeat,
  kOpened,     // secevent+jwt
  kComplaint,  // secevent+jwt
};
absl::string_view NameOf(
    EventKind kind);  // "referral", "cancel_requested", ...
std::optional<EventKind> ParseEventKind(absl::string_view name);
// resend, skip, heartbeat: about the link between two members, not a case.
bool IsLinkEvent(EventKind kind);

}  // namespace amparo

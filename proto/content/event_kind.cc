#include "proto/content/event_kind.h"

#include "proto/content/names.h"

namespace amparo {
namespace {

constexpr Names<EventKind, 16> kKinds = {{
    {EventKind::kReferral, "referral"},
    {EventKind::kUpdated, "updated"},
    {EventKind::kDisclosed, "disclosed"},
    {EventKind::kGranted, "granted"},
    {EventKind::kRevoked, "revoked"},
    {EventKind::kAccepted, "accepted"},
    {EventKind::kDeclined, "declined"},
    {EventKind::kClosed, "closed"},
    {EventKind::kCancelRequested, "cancel_requested"},
    {EventKind::kCancelled, "cancelled"},
    {EventKind::kErased, "erased"},
    {EventKind::kResend, "resend"},
    {EventKind::kSkip, "skip"},
    {EventKind::kHeartbeat, "heartbeat"},
    {EventKind::kOpened, "opened"},
    {EventKind::kComplaint, "complaint"},
}};

}  // namespace

absl::string_view NameOf(EventKind kind) { return NameIn(kKinds, kind); }
std::optional<EventKind> ParseEventKind(absl::string_view name) {
  return ValueIn(kKinds, name);
}

bool IsLinkEvent(EventKind kind) {
  return kind == EventKind::kResend || kind == EventKind::kSkip ||
         kind == EventKind::kHeartbeat;
}

}  // namespace amparo

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "proto/network/member.h"

// Key events: how a member says, in the open log, which keys its agent uses.
// JWS, chained per member (docs/PROTOCOL.md, Key events).

namespace amparo {

inline constexpr char kKeyEventTyp[] = "amparo-key-event+jwt";
inline constexpr char kKeyVouchTyp[] = "amparo-key-vouch+jwt";
inline constexpr size_t kKeyEventBytesMax = 4096;

// The longest that `until` may lie after `from`. proto/envelope/limits.h has
// the same lives for those who make keys; its test keeps them equal.
inline constexpr absl::Duration kSigningKeyLifeMax = absl::Hours(90 * 24);
inline constexpr absl::Duration kPrekeyLifeMax = absl::Hours(7 * 24);

enum class KeyEventKind {
  kSigning,  // a new agent signing key A; by I, or by I and vouched by old A
  kPrekey,   // a new prekey P; by A
  kRevoke,   // the signing key named ends now; by I or by that A
};

struct KeyEvent {
  Digest net;
  MemberId member;
  uint64_t seq = 0;  // from 1, without gaps
  Digest prev_hash;  // SHA-256 of the member's event before; zero for the first
  Digest charter_hash;  // the newest charter its signer knows
  KeyEventKind kind = KeyEventKind::kSigning;
  std::variant<VerifyKey, SealingKey> key;
  absl::Time from;
  absl::Time until;
  // kSigning only: JWS by the old A over net, member, seq and key, so that
  // peers need no waiting time; absent for a first key and after a loss.
  std::optional<std::string> vouched_by_old;
};

// Signs `event`. Precondition: `signer` is what `event.kind` asks for.
std::string SignKeyEvent(const KeyEvent& event, const SigningKey& signer);

// What the old signing key signs for `vouched_by_old`.
std::string VouchForKey(const KeyEvent& event, const SigningKey& old_key);

// OK when `event` has a `vouched_by_old` for its own net, member, seq and key,
// signed by `old_key`. PERMISSION_DENIED otherwise.
absl::Status VerifyVouch(const KeyEvent& event, const VerifyKey& old_key);

// Content without a check of the signature; structure, sizes and canonical
// forms are checked, and that the key lives no longer than its kind may.
// INVALID_ARGUMENT otherwise.
absl::StatusOr<KeyEvent> PeekKeyEvent(absl::string_view document);

}  // namespace amparo

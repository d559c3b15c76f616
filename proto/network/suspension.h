#pragma once

#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/jws.h"
#include "proto/network/charter.h"
#include "proto/network/member.h"

// A suspension at once: two governance keys of different members stop a member
// for a few days, until the committee can meet (docs/PROTOCOL.md, Charter). It
// takes away and never gives: no charter changes by it.

namespace amparo {

inline constexpr char kSuspensionTyp[] = "amparo-suspension+jws";
inline constexpr size_t kSuspensionBytesMax = 4096;
inline constexpr size_t kSuspensionKeysMin = 2;  // of different members
inline constexpr absl::Duration kSuspensionLifeMax = absl::Hours(7 * 24);
// From one suspension of a member to its next.
inline constexpr absl::Duration kSuspensionPause = absl::Hours(30 * 24);
// So many of the active members may be suspended in this way at one time: one
// in three.
inline constexpr size_t kSuspendedShare = 3;

struct Suspension {
  Digest net;
  Digest charter_hash;  // in force when it is logged: whose keys decide
  MemberId member;
  absl::Time from;
  absl::Time until;
};

// The document's payload. Both directions; Decode refuses, with
// INVALID_ARGUMENT (code "invalid_form"), a life of nothing or over a week.
Json EncodeSuspension(const Suspension& suspension);
absl::StatusOr<Suspension> DecodeSuspension(const Json& payload);

// What a document says, without any check of its signatures. INVALID_ARGUMENT.
absl::StatusOr<Suspension> PeekSuspension(absl::string_view document);

// The members whose governance keys signed `jws`: by `charter`, of keys whose
// time had not run out at `at`, of members that are not suspended in it and
// have not left. PERMISSION_DENIED (code "verification_failed") for a bad
// signature under the name of a governance key.
absl::StatusOr<std::set<MemberId>> SuspensionSigners(const MultiJws& jws,
                                                     const Charter& charter,
                                                     absl::Time at);

}  // namespace amparo

#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "broker/core/directory.h"
#include "broker/store/store.h"

namespace amparo::broker {

// Decides who may join: an invitation's token works once. The store holds
// hashes of tokens only. Thread-safe.
class Enrolment {
 public:
  // All must outlive it.
  Enrolment(Store& store, const Directory& directory, const Clock& clock);

  struct Invited {
    Bytes token;  // 16 bytes
    Digest root;  // hash of charter version 1
    absl::Time until;
  };
  // A new invitation for a member of the newest charter (not one that left).
  // NOT_FOUND ("unknown_member"); FAILED_PRECONDITION before charter 1.
  absl::StatusOr<Invited> Invite(const MemberId& member, absl::Duration life);

  // Uses the invitation up and keeps the join request. The very same request
  // (token, join request, CSR) again is OK: its answer may have been lost.
  // PERMISSION_DENIED: "invalid_invitation" for an unknown token or another
  // member's, "invitation_used", "invitation_expired". INVALID_ARGUMENT for a
  // join request that does not verify, or is for another member or network.
  absl::Status Join(const MemberId& member, ByteView token, ByteView csr,
                    const std::string& join_request);

  // Whether `member` gets a certificate again, known by the one it has: OK for
  // an active member. PERMISSION_DENIED ("unknown_member", "member_suspended")
  // for every other.
  absl::Status MayRenew(const MemberId& member) const;

  // The newest; NOT_FOUND when there is none.
  absl::StatusOr<std::string> JoinRequestOf(const MemberId& member) const;

  // The one-time token for charter version 1; call once, from `init`.
  absl::StatusOr<Bytes> MakeFoundingToken();

 private:
  Store& store_;
  const Directory& directory_;
  const Clock& clock_;
};

}  // namespace amparo::broker

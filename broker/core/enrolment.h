#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "broker/core/directory.h"
#include "broker/store/store.h"
#include "crypto/keys.h"

namespace amparo::broker {

// Decides who may join, and who gets a certificate: an invitation's token works
// once, and a certificate is asked for by the member's identity key. The store
// holds hashes of tokens only. Thread-safe.
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
  // With `new_identity` it may come with other keys than the charter's.
  // NOT_FOUND ("unknown_member"); FAILED_PRECONDITION before charter 1.
  absl::StatusOr<Invited> Invite(const MemberId& member, absl::Duration life,
                                 bool new_identity = false);

  // Whether there is such an invitation; cheap, for who asks before it signs.
  // PERMISSION_DENIED: "invalid_invitation" for an unknown token or another
  // member's, "invitation_expired", "unknown_member" for one that left.
  absl::Status CheckInvitation(const MemberId& member, ByteView token) const;

  struct Applicant {
    MemberId member;
    Bytes token;
    std::string csr_pem;
    std::string join_request;         // JWS by the identity key that it names
    std::string certificate_request;  // by the same key, about the CSR
  };
  // Uses the invitation up and keeps the join request. The same keys again are
  // OK: their answer may have been lost. Errors as CheckInvitation, and
  // PERMISSION_DENIED: "invitation_used", "verification_failed" for requests
  // that do not verify, or by another identity than the charter names.
  // INVALID_ARGUMENT for a join request for another member or network.
  absl::Status Join(const Applicant& applicant);

  // Whether `member` gets a certificate for `csr_pem` again: asked for just now
  // by `request` (CertificateRequest), by the identity that the charter names,
  // or, before it names one, that joined. PERMISSION_DENIED: "unknown_member"
  // also for one that left, "verification_failed".
  absl::Status MayRenew(const MemberId& member, absl::string_view csr_pem,
                        absl::string_view request) const;

  // Members that joined and have not left.
  std::vector<MemberId> Joined() const;

  // The newest; NOT_FOUND when there is none.
  absl::StatusOr<std::string> JoinRequestOf(const MemberId& member) const;

  // The one-time token for charter version 1; call once, from `init`.
  absl::StatusOr<Bytes> MakeFoundingToken();

 private:
  absl::StatusOr<VerifyKey> IdentityOf(const Member& member) const;
  absl::Status CheckRequest(const Network& network, const MemberId& member,
                            absl::string_view csr_pem,
                            absl::string_view request,
                            const VerifyKey& identity) const;

  Store& store_;
  const Directory& directory_;
  const Clock& clock_;
};

}  // namespace amparo::broker

#include "broker/core/enrolment.h"

#include <utility>

#include "base/error.h"
#include "base/status.h"
#include "crypto/random.h"
#include "proto/network/invitation.h"
#include "proto/network/network_file.h"

namespace amparo::broker {
namespace {

constexpr size_t kTokenBytes = 16;

absl::Status Refuse(const char* code, const char* message) {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.code = code});
}

// Names the whole request, so that only its very repetition is a retry.
Digest RequestDigest(const MemberId& member, ByteView csr,
                     const std::string& join_request) {
  return LabelledHash("amparo/v1/enrolment")
      .Variable(member.text())
      .Variable(csr)
      .Variable(join_request)
      .Finish();
}

}  // namespace

Enrolment::Enrolment(Store& store, const Directory& directory,
                     const Clock& clock)
    : store_(store), directory_(directory), clock_(clock) {}

absl::StatusOr<Enrolment::Invited> Enrolment::Invite(const MemberId& member,
                                                     absl::Duration life) {
  const std::shared_ptr<const Network> network = directory_.Current();
  if (!network->charter)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "no charter was published yet", {.code = "invalid_state"});
  const Member* const known = network->charter->charter.Find(member);
  if (known == nullptr || known->status == MemberStatus::kLeft)
    return MakeError(absl::StatusCode::kNotFound,
                     "the charter names no such member",
                     {.code = "unknown_member"});
  Invited invited{RandomBytes(kTokenBytes), network->root,
                  TimeFromUnix(UnixSeconds(clock_.Now() + life))};
  RETURN_IF_ERROR(store_.PutInvitation(
      {Sha256(invited.token), member, invited.until, std::nullopt}));
  return invited;
}

absl::Status Enrolment::Join(const MemberId& member, ByteView token,
                             ByteView csr, const std::string& join_request) {
  const std::shared_ptr<const Network> network = directory_.Current();
  ASSIGN_OR_RETURN(const amparo::JoinRequest request,
                   VerifyJoinRequest(join_request));
  if (!network->charter || request.net != network->charter->network_id ||
      request.member != member)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the join request is for another member or network",
                     {.code = "invalid_form", .field = "join_request"});

  const Digest token_hash = Sha256(token);
  const absl::StatusOr<InvitationRecord> invitation =
      store_.FindInvitation(token_hash);
  if (!invitation.ok() && !absl::IsNotFound(invitation.status()))
    return invitation.status();
  if (!invitation.ok() || invitation->member != member)
    return Refuse("invalid_invitation", "no such invitation for this member");
  const Digest digest = RequestDigest(member, csr, join_request);
  if (!invitation->used_for && clock_.Now() > invitation->until)
    return Refuse("invitation_expired", "the invitation has expired");
  const absl::Status used =
      store_.UseInvitation(token_hash, digest, join_request);
  if (absl::IsFailedPrecondition(used))
    return Refuse("invitation_used", "the invitation was used before");
  return used;
}

absl::Status Enrolment::MayRenew(const MemberId& member) const {
  const std::shared_ptr<const Network> network = directory_.Current();
  if (!network->charter)
    return Refuse("unknown_member", "no charter was published yet");
  return network->Active(member, clock_.Now()).status();
}

absl::StatusOr<std::string> Enrolment::JoinRequestOf(
    const MemberId& member) const {
  absl::StatusOr<std::string> request = store_.JoinRequestOf(member);
  if (absl::IsNotFound(request.status()))
    return MakeError(absl::StatusCode::kNotFound,
                     "the member has left no join request",
                     {.code = "not_found"});
  return request;
}

absl::StatusOr<Bytes> Enrolment::MakeFoundingToken() {
  Bytes token = RandomBytes(kFoundingTokenBytes);
  RETURN_IF_ERROR(store_.PutFoundingToken(Sha256(token)));
  return token;
}

}  // namespace amparo::broker

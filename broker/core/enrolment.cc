#include "broker/core/enrolment.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/error.h"
#include "base/status.h"
#include "crypto/random.h"
#include "crypto/x509.h"
#include "proto/envelope/limits.h"
#include "proto/network/certificate_request.h"
#include "proto/network/invitation.h"
#include "proto/network/network_file.h"

namespace amparo::broker {
namespace {

constexpr size_t kTokenBytes = 16;

absl::Status Refuse(const char* code, const char* message,
                    const char* hint = "") {
  return MakeError(absl::StatusCode::kPermissionDenied, message,
                   {.code = code, .hint = hint});
}

// Names who asks by its keys: what is signed anew at each try is not in it.
absl::StatusOr<Digest> DigestOfKeys(const MemberId& member,
                                    absl::string_view csr_pem,
                                    const JoinRequest& request) {
  ASSIGN_OR_RETURN(const Digest tls_key, CsrKeyHash(csr_pem));
  return LabelledHash("amparo/v1/enrolment")
      .Variable(member.text())
      .Fixed(tls_key)
      .Fixed(request.identity_key.bytes())
      .Fixed(request.witness_key.bytes())
      .Finish();
}

// One that the charter names, and that has not left.
absl::StatusOr<const Member*> FindMember(const Network& network,
                                         const MemberId& id) {
  if (!network.charter)
    return Refuse("unknown_member", "no charter was published yet");
  const Member* const member = network.charter->charter.Find(id);
  if (member == nullptr)
    return Refuse("unknown_member", "the charter names no such member",
                  "the committee takes members in: amparo-charter add-member "
                  "ID:KIND");
  if (member->status == MemberStatus::kLeft)
    return MakeError(absl::StatusCode::kPermissionDenied,
                     absl::StrCat(id.text(), " has left the network"),
                     {.code = "unknown_member",
                      .hint = "it comes back only under another id: "
                              "amparo-charter add-member ID:KIND"});
  return member;
}

}  // namespace

Enrolment::Enrolment(Store& store, const Directory& directory,
                     const Clock& clock)
    : store_(store), directory_(directory), clock_(clock) {}

absl::StatusOr<Enrolment::Invited> Enrolment::Invite(const MemberId& member,
                                                     absl::Duration life,
                                                     bool new_identity) {
  const std::shared_ptr<const Network> network = directory_.Current();
  if (!network->charter)
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     "no charter was published yet", {.code = "invalid_state"});
  if (const auto found = FindMember(*network, member); !found.ok())
    return MakeError(absl::StatusCode::kNotFound, found.status().message(),
                     DetailOf(found.status()).value_or(ErrorDetail{}));
  Invited invited{RandomBytes(kTokenBytes), network->root,
                  TimeFromUnix(UnixSeconds(clock_.Now() + life))};
  RETURN_IF_ERROR(
      store_.PutInvitation({Sha256(invited.token), member, invited.until,
                            std::nullopt, new_identity}));
  return invited;
}

absl::Status Enrolment::CheckInvitation(const MemberId& member,
                                        ByteView token) const {
  const auto invitation = store_.FindInvitation(Sha256(token));
  if (!invitation.ok() && !absl::IsNotFound(invitation.status()))
    return invitation.status();
  if (!invitation.ok() || invitation->member != member)
    return Refuse("invalid_invitation", "no such invitation for this member",
                  "this broker never made it, or was put back to before it "
                  "did: ask its operator for a new one");
  if (clock_.Now() > invitation->until)
    return Refuse("invitation_expired", "the invitation has expired",
                  "ask the broker's operator for a new one");
  return FindMember(*directory_.Current(), member).status();
}

absl::Status Enrolment::Join(const Applicant& applicant) {
  RETURN_IF_ERROR(CheckInvitation(applicant.member, applicant.token));
  const Digest token_hash = Sha256(applicant.token);
  ASSIGN_OR_RETURN(const InvitationRecord invitation,
                   store_.FindInvitation(token_hash));
  const std::shared_ptr<const Network> network = directory_.Current();
  ASSIGN_OR_RETURN(const Member* const member,
                   FindMember(*network, applicant.member));
  ASSIGN_OR_RETURN(const amparo::JoinRequest request,
                   VerifyJoinRequest(applicant.join_request));
  if (request.net != network->charter->network_id ||
      request.member != applicant.member)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the join request is for another member or network",
                     {.code = "invalid_form", .field = "join_request"});
  // Anybody can bring a join request that was made once: not this one.
  RETURN_IF_ERROR(CheckRequest(*network, applicant.member, applicant.csr_pem,
                               applicant.certificate_request,
                               request.identity_key));
  if (member->identity_key.has_value() && !invitation.new_identity &&
      *member->identity_key != request.identity_key)
    return Refuse("verification_failed",
                  "the charter names another identity key for this member",
                  "use it where the member's keys are; where they are lost: "
                  "amparo-broker invite MEMBER --new-identity");

  ASSIGN_OR_RETURN(const Digest keys,
                   DigestOfKeys(applicant.member, applicant.csr_pem, request));
  const absl::Status used =
      store_.UseInvitation(token_hash, keys, applicant.join_request);
  if (absl::IsFailedPrecondition(used))
    return Refuse("invitation_used", "the invitation was used before",
                  "if you joined with it, go on in the directory of that time; "
                  "if not, somebody else did: tell the committee, and ask the "
                  "broker's operator for a new one");
  return used;
}

absl::Status Enrolment::CheckRequest(const Network& network,
                                     const MemberId& member,
                                     absl::string_view csr_pem,
                                     absl::string_view request,
                                     const VerifyKey& identity) const {
  const auto asked = VerifyCertificateRequest(request, identity);
  if (!asked.ok() || asked->net != network.charter->network_id ||
      asked->member != member || asked->csr != Sha256(AsBytes(csr_pem)))
    return Refuse("verification_failed",
                  "a certificate takes a request by the member's identity key");
  const absl::Time now = clock_.Now();
  if (asked->at < now - kCreatedBefore || asked->at > now + kCreatedAfter)
    return Refuse("verification_failed",
                  "the request for a certificate is of another time",
                  "compare this machine's clock and the broker's");
  return absl::OkStatus();
}

absl::StatusOr<VerifyKey> Enrolment::IdentityOf(const Member& member) const {
  if (member.identity_key.has_value()) return *member.identity_key;
  ASSIGN_OR_RETURN(const std::string joined, store_.JoinRequestOf(member.id));
  ASSIGN_OR_RETURN(const amparo::JoinRequest request,
                   VerifyJoinRequest(joined));
  return request.identity_key;
}

absl::Status Enrolment::MayRenew(const MemberId& member,
                                 absl::string_view csr_pem,
                                 absl::string_view request) const {
  const std::shared_ptr<const Network> network = directory_.Current();
  ASSIGN_OR_RETURN(const Member* const known, FindMember(*network, member));
  const auto identity = IdentityOf(*known);
  if (absl::IsNotFound(identity.status()))
    return Refuse("unknown_member", "this member has not joined");
  RETURN_IF_ERROR(identity.status());
  return CheckRequest(*network, member, csr_pem, request, *identity);
}

std::vector<MemberId> Enrolment::Joined() const {
  const std::shared_ptr<const Network> network = directory_.Current();
  std::vector<MemberId> joined;
  if (!network->charter) return joined;
  for (const Member& member : network->charter->charter.members)
    if (member.status != MemberStatus::kLeft && IdentityOf(member).ok())
      joined.push_back(member.id);
  return joined;
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

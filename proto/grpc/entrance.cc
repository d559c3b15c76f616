#include "proto/grpc/entrance.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/status.h"
#include "proto/network/certificate_request.h"

namespace amparo {
namespace {

absl::Status CheckLife(const Invitation& invitation, absl::Time now) {
  if (now < invitation.until) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("the invitation ended at ", FormatUtc(invitation.until),
                   ", and this machine's clock says ", FormatUtc(now)),
      {.code = "invitation_expired",
       .hint = "ask the broker's operator for a new one, if that clock is "
               "right"});
}

absl::Status CheckFor(const Invitation& invitation, const Standing& standing) {
  if (invitation.network != standing.network ||
      invitation.root != standing.root)
    return MakeError(
        absl::StatusCode::kPermissionDenied,
        "the invitation is to another network than this one's",
        {.code = "wrong_pin", .hint = "ask the operator of its own network"});
  if (invitation.member != standing.member)
    return MakeError(absl::StatusCode::kInvalidArgument,
                     "the invitation is for another member than this one",
                     {.code = "invalid_invitation",
                      .hint = "ask the broker's operator for the right one"});
  return absl::OkStatus();
}

// The CAs by the word of the log's key. Who stands in between with the key of
// an old CA can repeat what was said of it, but not of one that came later.
absl::StatusOr<CaNote> CheckCa(const EnrolmentClient::Network& network,
                               const Charter& charter,
                               const Invitation& invitation, absl::Time now) {
  ASSIGN_OR_RETURN(CaNote ca, VerifyCaNote(network.ca_note, charter.network,
                                           charter.log_keys, now));
  const Bytes& newest =
      invitation.next_ca_der ? *invitation.next_ca_der : invitation.ca_der;
  if (ca.ca_der == newest || ca.next_ca_der == newest) return ca;
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      "the invitation names another CA than the network has",
      {.code = "wrong_pin", .hint = "ask the broker's operator for a new one"});
}

absl::Status CheckNotOlder(const CaNote& ca, const Standing& standing) {
  if (ca.number >= standing.ca_number) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      "what the broker says of the network's ca is older than what is known",
      {.code = "wrong_pin",
       .hint = "somebody repeats it; or the broker was put back: then its "
               "operator changes the CA (new-ca, switch-ca --at-once)"});
}

}  // namespace

absl::StatusOr<Entrance> EnterNetwork(absl::string_view line, absl::Time now) {
  ASSIGN_OR_RETURN(Invitation invitation, ParseInvitation(line));
  ASSIGN_OR_RETURN(EnrolmentClient broker,
                   EnrolmentClient::Connect(invitation.enrol, invitation.ca_der,
                                            invitation.next_ca_der));
  absl::StatusOr<EnrolmentClient::Network> network = broker.GetNetwork();
  // A clock that is wrong makes an invitation look expired, so it comes first;
  // where nobody answers there is nothing to compare it with.
  if (network.ok()) RETURN_IF_ERROR(CheckClock(network->broker_time, now));
  if (!network.ok() && ErrorCodeOf(network.status()) == "config")
    return network.status();
  RETURN_IF_ERROR(CheckLife(invitation, now));
  RETURN_IF_ERROR(network.status());
  ASSIGN_OR_RETURN(AcceptedCharter charter,
                   broker.GetCharterChain(invitation.root));
  ASSIGN_OR_RETURN(std::string first, broker.GetCharter(1));
  if (charter.charter.Find(invitation.member) == nullptr)
    return MakeError(absl::StatusCode::kNotFound,
                     "the charter does not name this member",
                     {.code = "unknown_member",
                      .hint = "ask the committee: its charter comes first, "
                              "then an invitation"});
  ASSIGN_OR_RETURN(CaNote ca,
                   CheckCa(*network, charter.charter, invitation, now));
  return Entrance{std::move(invitation), std::move(broker), *std::move(network),
                  std::move(charter),    std::move(first),  std::move(ca)};
}

absl::Status WordsDiffer() {
  return MakeError(
      absl::StatusCode::kPermissionDenied,
      "the network's words were not confirmed",
      {.code = "wrong_pin",
       .hint = "they stand in the paper protocol. If other words stand there, "
               "somebody leads you to another network: do not join, and call "
               "the committee by a number that you know. The invitation was "
               "not used up"});
}

absl::StatusOr<EnrolmentClient::Joined> AskIn(const Entrance& entrance,
                                              const TlsKeyPair& tls,
                                              const SigningKey& identity,
                                              const SigningKey& witness,
                                              absl::Time now) {
  const MemberId& member = entrance.invitation.member;
  ASSIGN_OR_RETURN(
      const std::string csr,
      MakeCsr(tls, entrance.charter.charter.network, member.text()));
  const std::string request =
      SignJoinRequest({.net = entrance.charter.network_id,
                       .member = member,
                       .identity_key = identity.verify_key(),
                       .witness_key = witness.verify_key(),
                       .at = TimeFromUnix(UnixSeconds(now))},
                      identity);
  const std::string certificate_request =
      SignCertificateRequest({.net = entrance.charter.network_id,
                              .member = member,
                              .csr = Sha256(AsBytes(csr)),
                              .at = TimeFromUnix(UnixSeconds(now))},
                             identity);
  ASSIGN_OR_RETURN(EnrolmentClient::Joined joined,
                   entrance.broker.Join(entrance.invitation, csr, request,
                                        certificate_request));
  ASSIGN_OR_RETURN(
      const std::string newest,
      CertificatePem(entrance.ca.next_ca_der.value_or(entrance.ca.ca_der)));
  RETURN_IF_ERROR(CheckMemberCertificate(joined.certificate_pem, newest,
                                         entrance.charter.charter.network,
                                         member, tls.private_key_pem.Expose()));
  return joined;
}

absl::StatusOr<Return> ReturnToNetwork(
    absl::string_view line, const Standing& standing, const TlsKeyPair& tls,
    const SigningKey& identity, const SigningKey& witness, absl::Time now) {
  // Before anybody is called.
  ASSIGN_OR_RETURN(const Invitation invitation, ParseInvitation(line));
  RETURN_IF_ERROR(CheckFor(invitation, standing));
  ASSIGN_OR_RETURN(const Entrance entrance, EnterNetwork(line, now));
  RETURN_IF_ERROR(CheckNotOlder(entrance.ca, standing));
  ASSIGN_OR_RETURN(EnrolmentClient::Joined joined,
                   AskIn(entrance, tls, identity, witness, now));
  return Return{entrance.ca, entrance.network.ca_note,
                entrance.network.members_address, invitation.enrol,
                std::move(joined.certificate_pem)};
}

}  // namespace amparo
